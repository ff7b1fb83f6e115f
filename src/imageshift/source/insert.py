"""Text for a new key beside an old one, in the style of the lines around it."""

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.source.document import Document
from imageshift.source.scalar import content_start, decode, spell_scalar
from imageshift.source.text import Edit, Span
from imageshift.source.tree import Mapping, Node, Scalar, Sequence

__all__ = [
    "COLON",
    "alias_end",
    "blanks",
    "flow_gap",
    "insert_item",
    "insert_key",
    "line_at",
    "place_behind",
    "spell_scalar",
]

_NOTHING = lazy_re(r"(?:\s++|#[^\r\n]*+)*+")
_LINE_ENDS = lazy_re(r"(\r\n|\r|\n)")
_COMMENT_BEHIND = lazy_re(r"[ \t]#[^\r\n]*\Z")
_ALIAS = lazy_re(r"\s*:(?:\s++|#[^\r\n]*+)*+\*[^\s,\[\]{}]+")
_DASH = lazy_re(r"(?:\s++|#[^\r\n]*+)*+-")
COLON = lazy_re(r"[ \t]*:[ \t]*")
_LINE_GAP = lazy_re(r"(?:\r\n|\r|\n)[ \t]*\Z")
_COMMA_GAP = lazy_re(r",([ \t]*)\Z")
_BREAK = lazy_re(r"[\r\n]")


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
    if old_key is None or old_value is None or old_key.shared:
        raise SourceError(f"nowhere to put {key!r} beside {after!r}", reason="style")
    text = document.source.text
    if mapping.flow:
        return document.to_file(_in_flow(text, mapping, old_key, old_value, (key, value)))
    if text.endswith(("? ", "?\t"), 0, old_key.start):
        raise SourceError(f"nowhere to put {key!r} beside an explicit key", reason="style")
    pair = f"{spell_scalar(key, old_key.style)}: {spell_scalar(value, _style(old_value))}"
    place = place_behind(text, old_value, alias_end(text, old_key, old_value))
    return document.to_file(line_at(document, place, blanks(text, old_key.start) + pair))


def insert_item(document: Document, sequence: Sequence, lines: list[str]) -> Edit:
    """The edit that adds an item to the end of a block sequence; `lines` come without the dash.

    Raises:
        SourceError: the sequence is written in flow style or empty, or ends with an alias
            (reason `style`).
    """
    text = document.source.text
    first = content_start(text, sequence.start, sequence.end)
    start = max((item.end for item in sequence.items[:-1]), default=first)
    start = max(start, first)
    dash = None if sequence.flow or not sequence.items else _DASH.match(text, start)
    if dash is None or sequence.items[-1].start < start:
        raise SourceError("nowhere to put a new item", reason="style")
    last = sequence.items[-1]
    indent = blanks(text, dash.end() - 1)
    gap = text[dash.end() : last.start]
    gap = gap if gap and not gap.strip(" ") else " "
    inner = indent + " " + gap
    item = f"{indent}-{gap}" + f"\n{inner}".join(lines)
    return document.to_file(line_at(document, place_behind(text, last, None), item))


def _style(node: Node) -> str:
    return node.style if isinstance(node, Scalar) and node.style in {"'", '"'} else ""


def _in_flow(
    text: str, mapping: Mapping, old_key: Scalar, old_value: Node, pair: tuple[str, str]
) -> Edit:
    opened = content_start(text, mapping.start, mapping.end)
    if text[opened] != "{":
        # A single pair in a sequence, `[a: b]`, has no room for a second.
        raise SourceError(f"nowhere to put {pair[0]!r} in a single pair", reason="style")
    json_like = '"' if old_key.style == '"' else ""
    colon = COLON.match(text, old_key.end)
    between = colon[0] if colon is not None and (colon[0] != ":" or json_like) else ": "
    key = spell_scalar(pair[0], old_key.style)
    # Older readers refuse a plain text with a colon in a flow collection.
    value = spell_scalar(pair[1], _style(old_value) or ('"' if ":" in pair[1] else json_like))
    gap = flow_gap(text[opened + 1 : old_key.start], compact=between == ":")
    end = alias_end(text, old_key, old_value) or old_value.end
    # `{a:, b: c}` would be a plain scalar with a colon at its end.
    blank = " " if old_value.start == old_value.end and text[end - 1] == ":" else ""
    return Edit(Span(end, end), f"{blank},{gap}{key}{between}{value}")


def flow_gap(before: str, *, compact: bool) -> str:
    """What stands between a comma and a key, judged by the text in front of an old key."""
    line = _LINE_GAP.search(before)
    if line is not None:
        return line[0]
    comma = _COMMA_GAP.search(before)
    if comma is not None:
        return comma[1]
    return "" if compact else " "


def blanks(text: str, offset: int) -> str:
    """Blanks as wide as the text before an offset on its line (`  - name` gives four)."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    return "".join(char if char == "\t" else " " for char in text[start:offset].lstrip("\ufeff"))


def line_at(document: Document, place: int, line: str) -> Edit:
    """The edit that adds lines at a line's end, or at the start of one."""
    source = document.source
    newline = source.newline
    line = line.replace("\n", newline)
    at = source.line_end(place)
    if place > 0 and source.text[place - 1] in "\r\n":
        return Edit(Span(place, place), line + newline)
    return Edit(Span(at, at), newline + line)


def alias_end(text: str, key: Node, value: Node) -> int | None:
    """The end of the alias that a key has as its value; None for a value written here."""
    if value.start >= key.end:
        return None
    found = _ALIAS.match(text, key.end)
    if found is None:
        raise SourceError("nothing can be inserted after an alias", reason="style")
    return found.end()


def place_behind(text: str, node: Node, alias_end: int | None) -> int:
    """The end of a node's last line, or the start of the next where blank lines belong to it."""
    if alias_end is not None:
        return alias_end
    last = node
    while isinstance(last, Mapping | Sequence) and not last.flow:
        last = last.own[-1][1] if isinstance(last, Mapping) else last.items[-1]
    if last.start < node.start or _NOTHING.fullmatch(text, last.end, node.end) is None:
        # It ends with an alias: leave out the blank lines and comments behind that.
        return node.start + _length_of_content(text[node.start : node.end])
    if isinstance(last, Scalar) and last.style in {"|", ">"}:
        return _block_end(text, last)
    return last.end


def _length_of_content(text: str) -> int:
    """The length of a text without the blank lines and comments that it ends with."""
    parts = _LINE_ENDS.split(text)
    while len(parts) > 1 and parts[-1].lstrip(" \t")[:1] in {"", "#"}:
        del parts[-2:]
    last = _COMMENT_BEHIND.sub("", parts.pop()).rstrip(" \t")
    return sum(map(len, parts)) + len(last)


def _block_end(text: str, scalar: Scalar) -> int:
    """The end of a block scalar's last line, or behind the blank lines that it keeps."""
    start = content_start(text, scalar.start, scalar.end)
    header = _BREAK.split(text[start : scalar.end].split("#", 1)[0], maxsplit=1)[0]
    runs = decode(text, scalar).runs
    end = runs[-1].outer + runs[-1].length if runs else start
    if scalar.value and "-" not in header and _BREAK.search(text, end) is None:
        raise SourceError("a line after this text would add a line break to it", reason="style")
    if "+" not in header:
        return end
    return len(text[: scalar.end].rstrip(" \t"))
