"""A light tree over the YAML parser's own events: every node knows its characters.

The nodes are plain classes, not frozen dataclasses, since a run makes millions of them.
"""

import re
from collections.abc import Callable, Iterator, KeysView
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
from imageshift.source.text import BOM

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
    "parse_events",
    "resolves_to_string",
    "walk",
]


class Node:
    """A part of a document: its characters (anchor and tag included) and its anchor.

    `shared` counts the aliases that stand for it.
    """

    __slots__ = ("anchor", "end", "shared", "start")

    def __init__(self, start: int, end: int, anchor: str | None) -> None:
        self.start = start
        self.end = end
        self.anchor = anchor
        self.shared = 0


class Scalar(Node):
    """A scalar; `style` is the parser's: None or '' (plain), ' " | or >."""

    __slots__ = ("style", "tag", "value")

    def __init__(
        self, start: int, end: int, anchor: str | None, value: str, style: str, tag: str | None
    ) -> None:
        self.start = start
        self.end = end
        self.anchor = anchor
        self.shared = 0
        self.value = value
        self.style = style
        self.tag = tag

    @property
    def is_string(self) -> bool:
        """Whether Kubernetes reads it as a string, not as a number, boolean or null."""
        if self.style or self.tag == "tag:yaml.org,2002:str":
            return True
        return resolves_to_string(self.value)

    @property
    def is_empty(self) -> bool:
        """Whether it stands for nothing: null, `~`, or an empty string."""
        return self.value == "" or (not self.style and self.value in {"~", "null", "Null", "NULL"})


class Mapping(Node):
    """A mapping with its pairs in order; merge keys are resolved by `get` and `pairs`."""

    __slots__ = ("_index", "flow", "own")

    def __init__(self, start: int, anchor: str | None, *, flow: bool) -> None:
        super().__init__(start, start, anchor)
        self.own: list[tuple[Node, Node]] = []
        self.flow = flow
        self._index: dict[str, tuple[Scalar, Node]] | None = None

    def pairs(self) -> Iterator[tuple[Scalar, Node]]:
        """Key and value of every pair with a scalar key, merged ones (`<<`) last."""
        return iter(self._resolved().values())

    def keys(self) -> KeysView[str]:
        """The texts of its scalar keys, merged ones too."""
        return self._resolved().keys()

    def get(self, key: str) -> Node | None:
        """The value of a key, looked up through merge keys; of equal keys the last one."""
        pair = self._resolved().get(key)
        return None if pair is None else pair[1]

    def scalar(self, key: str) -> Scalar | None:
        """The value of a key when it is a scalar."""
        value = self.get(key)
        return value if isinstance(value, Scalar) else None

    def text(self, key: str) -> str | None:
        """The text of a key's scalar; None when it is absent or empty."""
        value = self.get(key)
        return None if not isinstance(value, Scalar) or value.is_empty else value.value

    def mapping(self, key: str) -> "Mapping | None":
        """The value of a key when it is a mapping."""
        value = self.get(key)
        return value if isinstance(value, Mapping) else None

    def items(self, key: str) -> "list[Node]":
        """The items of a key's sequence; empty when it is something else."""
        value = self.get(key)
        return value.items if isinstance(value, Sequence) else []

    def key(self, name: str) -> Scalar | None:
        """The key of a pair that is written here, not merged."""
        keys = [key for key, _ in self.own if isinstance(key, Scalar) and key.value == name]
        return keys[-1] if keys else None

    def _resolved(self) -> dict[str, tuple[Scalar, Node]]:
        """The pairs by key. Each merged mapping counts once, however often it is merged."""
        if self._index is not None:
            return self._index
        index: dict[str, tuple[Scalar, Node]] = {}
        seen: set[int] = set()
        stack = [self]
        while stack:
            mapping = stack.pop()
            if id(mapping) not in seen:
                seen.add(id(mapping))
                own, merged = mapping._split()  # noqa: SLF001 the same class
                for name, pair in own.items():
                    index.setdefault(name, pair)
                stack += reversed(merged)
        self._index = index
        return index

    def _split(self) -> tuple[dict[str, tuple[Scalar, Node]], "list[Mapping]"]:
        """The pairs written here, and the mappings merged in, those that win first."""
        if self._index is not None:
            return self._index, []
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: list[Mapping] = []
        for key, value in self.own:
            if not isinstance(key, Scalar):
                continue
            if key.value == "<<" and not key.style:
                merged = [*_merged(value), *merged]
            else:
                # Of equal keys Kubernetes takes the last.
                own[key.value] = (key, value)
        return own, merged


class Sequence(Node):
    """A sequence with its items in order."""

    __slots__ = ("flow", "items")

    def __init__(self, start: int, anchor: str | None, *, flow: bool) -> None:
        super().__init__(start, start, anchor)
        self.items: list[Node] = []
        self.flow = flow


_DIRECTIVE = re.compile(r"(?<![^\r\n\ufeff])%")
_TAG_BEFORE = re.compile(r"(?<![^\s,:\[\]{}])![^\s]*(?:\s+|#[^\r\n]*)*\Z")
_FLOW_NEXT = re.compile(r"(?:\s++|#[^\r\n]*+)*+(?=[,\]}])")
_INK = re.compile(r"#[^\r\n]*|[^\s#]+")

Root = Node | None
"""The root of a document; None for a document without content."""

_NOT_STRING = re.compile(
    r"~|[nN]ull|NULL|[tT]rue|TRUE|[fF]alse|FALSE"
    r"|[yY]|[yY]es|YES|[nN]|[nN]o|NO|[oO]n|ON|[oO]ff|OFF"
    r"|(?:[-+]_*)?(?:[0-9][0-9_]*|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|0[bB][01_]+)"
    r"|(?:[-+]_*)?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


def resolves_to_string(plain: str) -> bool:
    """Whether a plain scalar is a string for the YAML readers of Kubernetes and Helm.

    Helm reads YAML 1.1 (seen with helm 4.1.4: `y`, `-0x1F` and `+_1` are no strings, a date
    is one), Kubernetes' own readers a part of it.
    """
    return plain != "" and _NOT_STRING.fullmatch(plain) is None


def walk(root: Root) -> Iterator[Node]:
    """Every node below and with `root`, in the order of the text; aliases aren't followed twice."""
    seen: set[int] = set()
    stack = [] if root is None else [root]
    while stack:
        node = stack.pop()
        if node.shared:
            if id(node) in seen:
                continue
            seen.add(id(node))
        yield node
        if isinstance(node, Mapping):
            stack += [part for pair in reversed(node.own) for part in reversed(pair)]
        elif isinstance(node, Sequence):
            stack += reversed(node.items)


def parse_events(text: str, offset: int = 0) -> list[tuple[Root, int, int]]:
    """The documents of a text: root, start and end; every offset has `offset` added.

    libyaml reads it where it can, ruamel.yaml's own parser where libyaml refuses.

    Raises:
        SourceError: neither can read it; line and column count in `text`.
    """
    if text.startswith(BOM):
        # libyaml doesn't count a byte order mark, the pure parser does.
        text, offset = text[1:], offset + 1
    if CParser is not None:
        try:
            return _Builder(CParser(text).get_event, offset).documents()
        except (YAMLError, SourceError, ValueError):
            pass  # the pure parser reads a little more, and says better what is wrong
    try:
        return _parse_pure(text, offset)
    except (YAMLError, YAMLStreamError, ValueError) as error:
        raise _source_error(error) from None


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
        return SourceError(f"no YAML: {problem}", line=mark.line + 1, column=mark.column + 1)
    return SourceError(f"no YAML: {str(error).splitlines()[0] if str(error) else error!r}")


class _Builder:
    """Turns a stream of events into trees, resolving aliases as it goes."""

    __slots__ = ("_anchors", "_next", "_offset")

    def __init__(self, get_event: Callable[[], Any], offset: int) -> None:
        self._next = get_event
        self._offset = offset
        self._anchors: dict[str, Node] = {}

    def documents(self) -> list[tuple[Root, int, int]]:
        found: list[tuple[Root, int, int]] = []
        while (event := self._next()) is not None and type(event) is not StreamEndEvent:
            if type(event) is DocumentStartEvent:
                self._anchors = {}
                start = event.start_mark.index + self._offset
                root = self._root()
                end = self._next()
                assert type(end) is DocumentEndEvent  # noqa: S101 the parser's own grammar
                found.append((root, start, end.end_mark.index + self._offset))
        return found

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
                keys.append(None)
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                keys.pop()
                node = self._closed(open_nodes.pop(), event)
            elif kind is AliasEvent:
                node = self._alias(event)
            else:
                raise SourceError(f"no YAML: an event {kind.__name__} out of place")
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
            None if event.tag is None else str(event.tag),
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
                f"no YAML: the alias *{event.anchor} has no anchor before it",
                line=mark.line + 1,
                column=mark.column + 1,
            )
        node.shared += 1
        return node


def _merged(value: Node) -> list[Mapping]:
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Sequence):
        return [item for item in value.items if isinstance(item, Mapping)]
    return []
