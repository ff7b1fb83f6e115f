"""From a text to its trees: the parsers' events, built up with every node's characters."""

from bisect import bisect_left
from collections.abc import Callable
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLStreamError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.source.aliasing import refuse_excess
from imageshift.source.node import (
    Mapping,
    Node,
    Root,
    Scalar,
    Sequence,
    resolves_to_string,
    walk,
)
from imageshift.source.text import BOM, Edit, Span, apply_edits

try:
    from _ruamel_yaml import CParser
except ImportError:  # the wheel of ruamel.yaml.clib has no build for this Python
    CParser = None

__all__ = [
    "Mapping",
    "Node",
    "Root",
    "Scalar",
    "Sequence",
    "Spans",
    "holds_span",
    "parse_events",
    "reads_as",
    "resolves_to_string",
    "walk",
]

_DIRECTIVE = lazy_re(r"(?<![^\r\n\ufeff])%")
_TAG_BEFORE = lazy_re(r"(?<![^\s,:\[\]{}])![^\s]*(?:\s+|#[^\r\n]*)*\Z")
_FLOW_NEXT = lazy_re(r"(?:\s++|#[^\r\n]*+)*+(?=[,\]}])")
_TABS = lazy_re(r"(?<=[^\s])[ \t]*\t[ \t]*")
_INK = lazy_re(r"#[^\r\n]*|[^\s#]+")


MOST_LEVELS = 150
"""How deep collections may stand inside each other; real files have 40 levels at most.

Whoever follows a tree may recurse: each level takes a few of Python's 1,000 frames.
"""
_MOST_EVENTS = 2_000_000

# Fewer can't repeat much: aliases of collections, and all of them.
_FEW_COLLECTIONS, _FEW_ALIASES = 8, 10_000

# The pure parser takes up to ten seconds for so many characters.
_SLOW = 1024 * 1024

Spans = list[tuple[int, int]]
"""Starts and ends of stretches of a text, sorted."""


def parse_events(text: str, offset: int = 0) -> list[tuple[Root, int, int]]:
    """The documents of a text: root, start and end; every offset has `offset` added.

    libyaml reads it where it can, ruamel.yaml's own parser where libyaml refuses.

    Raises:
        SourceError: neither can read it, or it is larger or deeper than any real one; line and
            column count in `text`.
    """
    if text.startswith(BOM):
        # libyaml doesn't count a byte order mark, the pure parser does.
        text, offset = text[1:], offset + 1
    if CParser is not None:
        try:
            return _Builder(_limited(CParser(text).get_event, text), offset).documents()
        except _LimitError:
            raise
        except (YAMLError, SourceError, ValueError) as error:
            # The pure parser reads a little more, and says better what is wrong, but it is slow.
            if len(text) > _SLOW:
                raise error if isinstance(error, SourceError) else _source_error(error) from None
    try:
        return _parse_pure(text, offset)
    except SourceError:
        raise
    except Exception as error:  # noqa: BLE001 it fails in more ways than by its own errors
        found = _parse_tabs(text, offset) if "\t" in text else None
        if found is None:
            raise _source_error(error) from None
        return found


def _parse_tabs(text: str, offset: int) -> list[tuple[Root, int, int]] | None:
    """The documents of a text with tabs between its scalars, which the pure parser refuses.

    libyaml reads them, but not `{image: nginx:1.25}`; a file may have both.
    """
    blank = _TABS.sub(lambda found: " " * len(found[0]), text)
    try:
        spans = [
            Span(node.start, node.end)
            for root, _, _ in _parse_pure(blank, 0)
            for node in walk(root)
            if isinstance(node, Scalar)
        ]
        inside = [Edit(span, text[span.start : span.end]) for span in spans]
        return _parse_pure(apply_edits(blank, inside), offset)
    except (YAMLError, YAMLStreamError, SourceError, ValueError):
        return None


def _parse_pure(text: str, offset: int) -> list[tuple[Root, int, int]]:
    events = iter(YAML(typ="safe", pure=True).parse(StringIO(text)))
    found = _Builder(lambda: next(events, None), 0).documents()
    ends = [0, *(end for _, _, end in found)]
    return [
        _like_libyaml(text, root, (before, start, end), offset)
        for (root, start, end), before in zip(found, ends, strict=False)
    ]


def _like_libyaml(
    text: str, root: Root, bounds: tuple[int, int, int], offset: int
) -> tuple[Root, int, int]:
    """A document of the pure parser with its offsets as libyaml has them.

    The pure parser puts an empty value behind the comments that follow it, and leaves out a
    tag before an anchor and directives before a document.
    """
    before, start, end = bounds
    here = start
    for node in walk(root):
        if node.start == node.end and node is not root:
            node.start = node.end = _empty_place(text, here, node.start)
        elif node.anchor is not None:
            tag = _TAG_BEFORE.search(text, here, node.start)
            node.start = node.start if tag is None else tag.start()
        here = node.end if isinstance(node, Scalar) else node.start
        node.start += offset
        node.end += offset
    directive = _DIRECTIVE.search(text, before, start)
    return root, (start if directive is None else directive.start()) + offset, end + offset


def _empty_place(text: str, start: int, end: int) -> int:
    in_flow = _FLOW_NEXT.match(text, end)
    if in_flow is not None:
        return in_flow.end()
    inks = [found for found in _INK.finditer(text, start, end) if found[0][0] not in "#?"]
    return inks[-1].end() if inks and inks[-1][0][-1] in ":-" else end


def _source_error(error: Exception) -> SourceError:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        problem = " ".join(filter(None, (error.context, error.problem)))
        return SourceError(f"invalid YAML: {problem}", line=mark.line + 1, column=mark.column + 1)
    return SourceError(f"invalid YAML: {str(error).splitlines()[0] if str(error) else error!r}")


def reads_as(text: str, root: Root, spans: Spans) -> bool:
    """Whether a text of one document reads as a tree, but for scalars that hold one of the spans.

    The spans are sorted and count in the tree's own text. It builds no tree, so it is faster
    than parsing; it says no as well for a text that libyaml refuses.
    """
    if CParser is None or root is None:
        return False
    get_event = CParser(text.removeprefix(BOM)).get_event
    left: list[Node | None] = [root]
    try:
        while type(event := get_event()) is not DocumentStartEvent:
            if event is None:
                return False
        while left:
            node, event = left.pop(), get_event()
            if not _is_event_of(node, event, spans):
                return False
            if type(event) is MappingStartEvent:
                left.append(None)
                left += [part for pair in reversed(node.own) for part in reversed(pair)]  # type: ignore[union-attr]
            elif type(event) is SequenceStartEvent:
                left.append(None)
                left += reversed(node.items)  # type: ignore[union-attr]
        return type(get_event()) is DocumentEndEvent
    except (YAMLError, ValueError):
        return False


def holds_span(node: Node, spans: Spans) -> bool:
    """Whether one of the sorted spans is in a node's characters."""
    at = bisect_left(spans, (node.start, 0))
    return at < len(spans) and spans[at][1] <= node.end


def _is_event_of(node: Node | None, event: Any, spans: Spans) -> bool:
    """Whether an event is the one that a node gives; None stands for the end of a collection."""
    kind = type(event)
    if node is None:
        return kind is MappingEndEvent or kind is SequenceEndEvent
    if kind is ScalarEvent:
        return type(node) is Scalar and (event.value == node.value or holds_span(node, spans))
    if kind is AliasEvent:
        return node.shared > 0
    if kind is MappingStartEvent:
        return type(node) is Mapping
    return kind is SequenceStartEvent and type(node) is Sequence


class _LimitError(SourceError):
    """A text with more in it than any parser should have to read."""


def _limit_error(message: str, event: Any) -> _LimitError:
    mark = event.start_mark
    return _LimitError(message, line=mark.line + 1, column=mark.column + 1)


def _limited(get_event: Callable[[], Any], text: str) -> Callable[[], Any]:
    """The events of a text, as many as may be; a character makes two at most."""
    if len(text) * 2 <= _MOST_EVENTS:
        return get_event
    left = iter(range(_MOST_EVENTS))

    def next_event() -> Any:
        event = get_event()
        if next(left, None) is None:
            raise _limit_error(f"more than {_MOST_EVENTS:,} values", event)
        return event

    return next_event


class _Builder:
    """Turns a stream of events into trees, resolving aliases as it goes."""

    __slots__ = ("_aliases", "_anchors", "_collections", "_deepest", "_next", "_offset")

    def __init__(self, get_event: Callable[[], Any], offset: int) -> None:
        self._next = get_event
        self._offset = offset
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._collections = 0
        self._deepest = 0

    def documents(self) -> list[tuple[Root, int, int]]:
        found: list[tuple[Root, int, int]] = []
        while (event := self._next()) is not None and type(event) is not StreamEndEvent:
            if type(event) is DocumentStartEvent:
                self._anchors = {}
                self._aliases = self._collections = self._deepest = 0
                start = event.start_mark.index + self._offset
                root = self._root()
                if self._repeats():
                    refuse_excess(root, self._aliases, MOST_LEVELS)
                end = self._next()
                assert type(end) is DocumentEndEvent  # noqa: S101 the parser's own grammar
                found.append((root, start, end.end_mark.index + self._offset))
        return found

    def _repeats(self) -> bool:
        """Whether aliases may make of the document much more than is written."""
        levels = self._deepest * (self._collections + 1)
        return (
            self._collections > _FEW_COLLECTIONS
            or self._aliases > _FEW_ALIASES
            or (self._collections > 0 and levels > MOST_LEVELS)
        )

    def _level(self, number: int, event: Any) -> int:
        """The number of a level that is no deeper than any tree may be."""
        if number > MOST_LEVELS:
            raise _limit_error(f"nested deeper than {MOST_LEVELS} levels", event)
        return number

    def _root(self) -> Root:
        """The tree of one document, built with a stack of open collections."""
        holder = Sequence(0, None, flow=False)
        open_nodes: list[Mapping | Sequence] = [holder]
        keys: list[Node | None] = [None]
        offset = self._offset
        get_event = self._next
        while True:
            event = get_event()
            kind = type(event)
            if kind is ScalarEvent:
                node: Node = self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                made = Mapping if kind is MappingStartEvent else Sequence
                start = event.start_mark.index + offset
                open_nodes.append(made(start, event.anchor, flow=bool(event.flow_style)))
                if len(keys) > self._deepest:
                    self._deepest = self._level(len(keys), event)
                keys.append(None)
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                keys.pop()
                node = self._closed(open_nodes.pop(), event)
            elif kind is AliasEvent:
                node = self._alias(event)
            else:
                raise SourceError(f"invalid YAML: an event {kind.__name__} out of place")
            parent = open_nodes[-1]
            if type(parent) is Sequence:
                parent.items.append(node)
                if parent is holder:
                    return node
            elif keys[-1] is None:
                keys[-1] = node
            else:
                parent.own.append((keys[-1], node))  # type: ignore[union-attr]
                keys[-1] = None

    def _scalar(self, event: Any) -> Scalar:
        scalar = Scalar(
            event.start_mark.index + self._offset,
            event.end_mark.index + self._offset,
            event.anchor,
            event.value,
            event.style or "",
            None if event.ctag is None else str(event.tag),
        )
        if event.anchor is not None:
            self._anchors[event.anchor] = scalar
        return scalar

    def _closed(self, node: Node, event: Any) -> Node:
        node.end = event.end_mark.index + self._offset
        if node.anchor is not None:
            self._anchors[node.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        # An anchor counts from its node's end on: a node that holds itself is refused, as
        # the readers of Kubernetes do.
        node = self._anchors.get(event.anchor)
        if node is None:
            mark = event.start_mark
            raise SourceError(
                f"invalid YAML: the alias *{event.anchor} has no anchor before it",
                line=mark.line + 1,
                column=mark.column + 1,
            )
        node.shared += 1
        self._aliases += 1
        self._collections += not isinstance(node, Scalar)
        return node
