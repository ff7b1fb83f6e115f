"""The other way of `insert`: a key or an item taken out, its lines and nothing else with it."""

from imageshift.errors import SourceError
from imageshift.source.document import Document
from imageshift.source.insert import alias_end, place_behind
from imageshift.source.text import Edit, Span
from imageshift.source.tree import Mapping, Node, Scalar, Sequence, walk

__all__ = ["remove_item", "remove_key"]


def remove_key(document: Document, mapping: Mapping, key: str) -> Edit:
    """The edit that takes a key with its value out of a mapping.

    Raises:
        SourceError: the key isn't written here, stands where another would have to take its
            place, or has a comment or an anchor in its lines (reason `style`).
    """
    found = mapping.key(key)
    value = mapping.get(key)
    if found is None or value is None or len(mapping.own) == 1:
        raise SourceError(f"{key!r} can't be removed", reason="style")
    _refuse_anchors(found, value)
    end = place_behind(document.source.text, value, alias_end(document.source.text, found, value))
    if mapping.flow:
        return document.to_file(_in_flow(document, mapping, found, end))
    return document.to_file(_lines(document, found.start, end))


def remove_item(document: Document, sequence: Sequence, index: int) -> Edit:
    """The edit that takes an item out of a sequence.

    Raises:
        SourceError: the sequence has no other item, or in flow style none before it, or the item
            has a comment or an anchor in its lines (reason `style`).
    """
    item = sequence.items[index]
    if len(sequence.items) == 1 or (sequence.flow and index == 0):
        raise SourceError("an item can't be removed here", reason="style")
    _refuse_anchors(item)
    text = document.source.text
    if sequence.flow:
        before = text[sequence.items[index - 1].end : item.start]
        if before.strip() != ",":
            raise SourceError("something else comes before the item", reason="style")
        start = item.start - len(before) + before.index(",")
        return document.to_file(Edit(Span(start, item.end), "", removes=True))
    dash = text.rfind("-", 0, item.start)
    if text[dash + 1 : item.start].strip():
        raise SourceError("an item's dash isn't where it should be", reason="style")
    return document.to_file(_lines(document, dash, place_behind(text, item, None)))


def _in_flow(document: Document, mapping: Mapping, key: Scalar, end: int) -> Edit:
    """What stands from the comma before a key to its value's end."""
    comma = document.source.text.rfind(",", mapping.start, key.start)
    gap = document.source.text[comma + 1 : key.start]
    if comma < 0 or gap.strip() or mapping.own[0][0] is key:
        raise SourceError(f"{key.value!r} is the first key here", reason="style")
    return Edit(Span(comma, end), "", removes=True)


def _lines(document: Document, start: int, end: int) -> Edit:
    """Whole lines, with the line end before them or, at the start of a text, behind."""
    source = document.source
    first = source.line_start(source.place(start).line)
    last = source.line_end(end)
    held = source.text[first:last]
    if source.text[first:start].strip() or source.text[end:last].strip() or "#" in held:
        raise SourceError("something else is on its lines", reason="style")
    before = source.text[:first]
    if before.endswith(("\n", "\r")):
        newline = 2 if before.endswith("\r\n") else 1
        return Edit(Span(first - newline, last), "", removes=True)
    raise SourceError("it begins the text", reason="style")


def _refuse_anchors(*nodes: Node) -> None:
    for node in nodes:
        for inner in walk(node):
            if inner.anchor is not None or inner.shared or inner.start < node.start:
                raise SourceError("it contains an anchor or alias", reason="style")
