"""A light tree over the YAML parser's own events: every node knows its characters.

The nodes are plain classes with slots, since a run makes millions of them.
"""

from collections.abc import Iterator, KeysView

from imageshift.lazy import lazy_re

__all__ = [
    "Mapping",
    "Node",
    "Root",
    "Scalar",
    "Sequence",
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
        """The pairs by key, merged ones behind those that are written here."""
        if self._index is None:
            self._index, merged = self._split()
            self._merge(merged)
        return self._index

    def _merge(self, merged: "list[Mapping]") -> None:
        """Add merged pairs. Each mapping counts once, however often it is merged."""
        index = self._resolved()
        seen = {id(self)}
        stack = merged[::-1]
        while stack:
            mapping = stack.pop()
            if id(mapping) not in seen:
                seen.add(id(mapping))
                own, inner = mapping._split()  # noqa: SLF001 the same class
                for name, pair in own.items():
                    index.setdefault(name, pair)
                stack += reversed(inner)

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


Root = Node | None
"""The root of a document; None for a document without content."""

_NOT_STRING = lazy_re(
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


def _merged(value: Node) -> list[Mapping]:
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Sequence):
        return [item for item in value.items if isinstance(item, Mapping)]
    return []
