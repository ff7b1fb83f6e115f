"""Text for new keys with maps and lists below them, in the style of what stands around them."""

import json
from collections import Counter
from collections.abc import Mapping as MappingType
from typing import Any

from imageshift.errors import SourceError
from imageshift.source.document import Document
from imageshift.source.insert import COLON, alias_end, blanks, flow_gap, line_at, place_behind
from imageshift.source.scalar import content_start, spell_scalar
from imageshift.source.text import Edit, Span
from imageshift.source.tree import Mapping, Scalar, Sequence, walk

__all__ = ["insert_items", "insert_pairs"]


def insert_pairs(
    document: Document, mapping: Mapping, after: str | None, pairs: MappingType[str, Any]
) -> Edit:
    """The edit that adds keys to a mapping, behind its key `after`, or as its first ones (None).

    The values may be maps and lists; indents, quotes and flow style are those of the document.

    Raises:
        SourceError: there is nowhere to put them (reason `style`).
    """
    if not mapping.own:
        return document.to_file(_in_empty(document, mapping, pairs))
    key = mapping.own[0][0] if after is None else mapping.key(after)
    if not isinstance(key, Scalar) or key.shared:
        raise SourceError(f"nowhere to put {next(iter(pairs))!r}", reason="style")
    if mapping.flow:
        return document.to_file(_in_flow(document, mapping, key, pairs, behind=after is not None))
    return document.to_file(_in_block(document, mapping, key, pairs, behind=after is not None))


def insert_items(document: Document, sequence: Sequence, items: list[Any]) -> Edit:
    """The edit that adds items to the end of a sequence, block or flow, also an empty one.

    Raises:
        SourceError: there is nowhere to put them (reason `style`).
    """
    text = document.source.text
    if sequence.flow:
        json_like = _is_json(document)
        spelled = ", ".join(_flow(item, json_like=json_like) for item in items)
        place = text.rfind("]", 0, sequence.end)
        last = sequence.items[-1] if sequence.items else None
        if last is not None and last.end <= sequence.start:
            raise SourceError("nothing can be inserted after an alias", reason="style")
        at = place if last is None else last.end
        return document.to_file(Edit(Span(at, at), spelled if last is None else f", {spelled}"))
    first = sequence.items[0]
    dash = text.rfind("-", sequence.start, first.start + 1)
    if dash < 0 or text[dash + 1 : first.start].strip():
        raise SourceError("nowhere to put a new item", reason="style")
    indent = blanks(text, dash)
    lines = _Block(document, _quotes(sequence)).item_lines(items)
    return document.to_file(
        line_at(document, place_behind(text, sequence, None), _indented(lines, indent))
    )


def _in_block(
    document: Document,
    mapping: Mapping,
    key: Scalar,
    pairs: MappingType[str, Any],
    *,
    behind: bool,
) -> Edit:
    text = document.source.text
    if text.endswith(("? ", "?\t"), 0, key.start):
        raise SourceError("nothing can be inserted beside an explicit key", reason="style")
    indent = blanks(text, key.start)
    lines = _Block(document, _quotes(mapping)).lines(pairs, key.style)
    if not behind:
        start = key.start
        newline = document.source.newline
        return Edit(Span(start, start), f"{newline}{indent}".join(lines) + newline + indent)
    value = mapping.get(key.value)
    if value is None:
        raise SourceError("nothing can be inserted after a merged key", reason="style")
    place = place_behind(text, value, alias_end(text, key, value))
    return line_at(document, place, _indented(lines, indent))


def _in_flow(
    document: Document,
    mapping: Mapping,
    key: Scalar,
    pairs: MappingType[str, Any],
    *,
    behind: bool,
) -> Edit:
    text = document.source.text
    opened = content_start(text, mapping.start, mapping.end)
    if text[opened] != "{":
        raise SourceError("nothing can be inserted in a single pair", reason="style")
    json_like = key.style == '"'
    colon = COLON.match(text, key.end)
    between = colon[0] if colon is not None and (colon[0] != ":" or json_like) else ": "
    gap = flow_gap(text[opened + 1 : key.start], compact=between == ":")
    made = [
        f"{spell_scalar(name, key.style)}{between}{_flow(value, json_like=json_like)}"
        for name, value in pairs.items()
    ]
    if not behind:
        gap = gap if "\n" in gap or "\r" in gap else gap or " "
        return Edit(Span(key.start, key.start), "".join(f"{each},{gap}" for each in made))
    value = mapping.get(key.value)
    if value is None:
        raise SourceError("nothing can be inserted after a merged key", reason="style")
    end = alias_end(text, key, value) or value.end
    blank = " " if value.start == value.end and text[end - 1] == ":" else ""
    return Edit(Span(end, end), blank + "".join(f",{gap}{each}" for each in made))


def _in_empty(document: Document, mapping: Mapping, pairs: MappingType[str, Any]) -> Edit:
    text = document.source.text
    opened = content_start(text, mapping.start, mapping.end)
    if not mapping.flow or text[opened] != "{":
        raise SourceError("nothing can be inserted in an empty map", reason="style")
    json_like = _is_json(document)
    made = ", ".join(
        f"{_flow_key(name, json_like=json_like)}: {_flow(value, json_like=json_like)}"
        for name, value in pairs.items()
    )
    return Edit(Span(opened + 1, opened + 1), made)


def _is_json(document: Document) -> bool:
    return document.mapping.flow


def _flow(value: Any, *, json_like: bool) -> str:
    if isinstance(value, str):
        # Older readers refuse a plain text with a colon in a flow collection.
        return spell_scalar(value, '"' if json_like or ":" in value else "")
    if isinstance(value, MappingType):
        inner = (
            f"{_flow_key(str(key), json_like=json_like)}: {_flow(item, json_like=json_like)}"
            for key, item in value.items()
        )
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item, json_like=json_like) for item in value) + "]"
    return json.dumps(value)


def _flow_key(key: str, *, json_like: bool) -> str:
    return spell_scalar(key, '"' if json_like else "")


class _Block:
    """Lines of keys and items, with the document's own indents."""

    def __init__(self, document: Document, quotes: str) -> None:
        self._quotes = quotes
        self._step = _step(document)
        self._dash = _dash_indent(document)

    def lines(self, pairs: MappingType[str, Any], key_style: str = "") -> list[str]:
        found: list[str] = []
        for key, value in pairs.items():
            found += self._pair(spell_scalar(str(key), key_style), value)
        return found

    def item_lines(self, items: list[Any]) -> list[str]:
        found: list[str] = []
        for item in items:
            inner = self._value_lines(item)
            found += [f"- {inner[0]}", *(f"  {line}" for line in inner[1:])]
        return found

    def _pair(self, key: str, value: Any) -> list[str]:
        if isinstance(value, str) and "\n" in value.rstrip("\n"):
            inner = value.rstrip("\n").split("\n")
            return [f"{key}: |-", *(f"{' ' * self._step}{line}".rstrip() for line in inner)]
        if isinstance(value, MappingType) and value:
            return [f"{key}:", *(" " * self._step + line for line in self.lines(value))]
        if isinstance(value, list) and value:
            return [f"{key}:", *(" " * self._dash + line for line in self.item_lines(value))]
        return [f"{key}: {self._scalar(value)}"]

    def _value_lines(self, value: Any) -> list[str]:
        if isinstance(value, MappingType) and value:
            return self.lines(value)
        if isinstance(value, list) and value:
            return self.item_lines(value)
        return [self._scalar(value)]

    def _scalar(self, value: Any) -> str:
        return spell_scalar(value, self._quotes) if isinstance(value, str) else json.dumps(value)


def _indented(lines: list[str], indent: str) -> str:
    return "\n".join(indent + line if line else line for line in lines)


def _quotes(node: Mapping | Sequence) -> str:
    """The quotes that most texts below a node have."""
    texts = [part.style for part in _values(node) if part.is_string and not part.is_empty]
    quoted = [style for style in texts if style in {"'", '"'}]
    if 2 * len(quoted) <= len(texts):
        return ""
    return max(set(quoted), key=quoted.count)


def _values(node: Mapping | Sequence) -> list[Scalar]:
    keys = {id(key) for part in walk(node) if isinstance(part, Mapping) for key, _ in part.own}
    return [part for part in walk(node) if isinstance(part, Scalar) and id(part) not in keys]


def _step(document: Document) -> int:
    """How far maps are indented below their keys."""
    text = document.source.text
    for _, value in document.mapping.own:
        if isinstance(value, Mapping) and not value.flow and value.own:
            return max(len(blanks(text, value.own[0][0].start)), 1)
    return 2


def _dash_indent(document: Document) -> int:
    """How far the dashes of most lists are indented below their keys."""
    found: Counter[int] = Counter()
    text = document.source.text
    for node in walk(document.root):
        for key, value in node.own if isinstance(node, Mapping) and not node.flow else ():
            if isinstance(value, Sequence) and not value.flow and value.items:
                dash = text.rfind("-", key.end, value.items[0].start + 1)
                if dash >= 0:
                    found[len(blanks(text, dash)) - len(blanks(text, key.start))] += 1
    if found:
        return max(found.most_common(1)[0][0], 0)
    return _step(document)
