"""Text for a new key beside an old one, in the style of the lines around it."""

import re

from imageshift.errors import SourceError
from imageshift.source.document import Document
from imageshift.source.scalar import is_plain_safe, quote
from imageshift.source.text import Edit, Span
from imageshift.source.tree import Mapping, Node, Scalar, Sequence

__all__ = ["insert_item", "insert_key", "spell_scalar"]


def insert_key(document: Document, mapping: Mapping, after: str, key: str, value: str) -> Edit:
    """The edit that adds `key: value` to a mapping, right behind its key `after`.

    The new key takes the old one's column, line end and quotes. Several values at one place
    are one edit: join them by calling once with the text of all.

    Raises:
        SourceError: the old key isn't written in the mapping (merged), or stands where no key
            can be added (reason `style`).
    """
    old_key = mapping.key(after)
    old_value = mapping.get(after)
    if old_key is None or old_value is None:
        raise SourceError(f"no place for {key!r} beside {after!r}", reason="style")
    if mapping.flow:
        return document.to_file(_in_flow(document, mapping, old_key, old_value, (key, value)))
    indent = _column(document, old_key)
    pair = f"{spell_scalar(key, old_key.style)}: {spell_scalar(value, _style(old_value))}"
    return document.to_file(_line_behind(document, old_value, indent + pair))


def insert_item(document: Document, sequence: Sequence, lines: list[str]) -> Edit:
    """The edit that adds an item to the end of a block sequence; `lines` come without the dash.

    Raises:
        SourceError: the sequence is written in flow style or empty (reason `style`).
    """
    if sequence.flow or not sequence.items:
        raise SourceError("no place for a new item", reason="style")
    last = sequence.items[-1]
    text = document.source.text
    dash = text.rindex("-", 0, last.start)
    indent = _blanks(text, dash)
    gap = text[dash + 1 : last.start] if text[dash + 1 : last.start].isspace() else " "
    inner = indent + " " + " " * len(gap)
    item = f"{indent}-{gap}{lines[0]}" + "".join(f"\n{inner}{line}" for line in lines[1:])
    return document.to_file(_line_behind(document, last, item))


def spell_scalar(value: str, style: str) -> str:
    """A scalar's text in a style; plain becomes double-quoted where plain isn't safe.

    >>> spell_scalar("a: b", "")
    '"a: b"'
    """
    if style in {"'", '"'}:
        return f"{style}{quote(value, style)}{style}"
    return value if is_plain_safe(value) else f'"{quote(value, chr(34))}"'


def _style(node: Node) -> str:
    return node.style if isinstance(node, Scalar) and node.style in {"'", '"'} else ""


def _in_flow(
    document: Document, mapping: Mapping, old_key: Scalar, old_value: Node, pair: tuple[str, str]
) -> Edit:
    key, value = pair
    text = document.source.text
    spelled = f"{spell_scalar(key, old_key.style)}: {spell_scalar(value, _style(old_value))}"
    before = re.search(r"(?:\r\n|\r|\n)[ \t]*\Z", text[mapping.start : old_key.start])
    gap = " " if before is None else before[0]
    return Edit(Span(old_value.end, old_value.end), f",{gap}{spelled}")


def _column(document: Document, key: Node) -> str:
    """Blanks as wide as the text before a key on its line (`  - name` gives four)."""
    return _blanks(document.source.text, key.start)


def _blanks(text: str, offset: int) -> str:
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    return "".join(char if char == "\t" else " " for char in text[start:offset].lstrip("\ufeff"))


def _line_behind(document: Document, node: Node, line: str) -> Edit:
    source = document.source
    newline = source.newline
    end = _last_character(source.text, node)
    at = source.line_end(end)
    return Edit(Span(at, at), newline + line.replace("\n", newline))


def _last_character(text: str, node: Node) -> int:
    """The offset behind the last character of a node's own text, blank lines left out."""
    if isinstance(node, Scalar) and node.style not in {"|", ">"}:
        return node.end
    return node.start + len(text[node.start : node.end].rstrip())
