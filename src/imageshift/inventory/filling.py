"""ApplicationSets' templates, filled with the parameters of an element.

The plain form is text replacement. With `goTemplate` Helm renders the texts, since it has the
same template language and functions; only what Argo CD adds to them is missing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from imageshift.lazy import lazy_re
from imageshift.source import Document, Node, Scalar, SourceText, split_documents, walk
from imageshift.source import Mapping as MapNode
from imageshift.source import Sequence as SequenceNode

__all__ = [
    "Computed",
    "Fill",
    "Filler",
    "Leaf",
    "as_computed",
    "filled_tree",
    "is_template",
    "overlaid",
    "templates",
    "uses_argo",
    "whole_documents",
    "whole_leaves",
]

Fill = Callable[[Sequence[str], Sequence[Mapping[str, Any]]], list[list[str | None]]]
"""Fills texts with each of some parameters; None for a text that can't be filled."""

_PLACEHOLDER = lazy_re(r"\{\{([^{}]*)\}\}")
_WHOLE = lazy_re(r"\{\{-?\s*\.?([\w.-]+)\s*-?\}\}")
_ACTION = lazy_re(r"\{\{((?:[^{}]|\{(?!\{)|\}(?!\}))*+)\}\}")
_QUOTED = lazy_re(r'"(?:[^"\\]|\\.)*+"|`[^`]*+`')
_FIELD = lazy_re(r"(?<![\w)\]])\.(\w*)")
# What Argo CD adds to the functions that Helm knows too.
_ARGO_ONLY = lazy_re(r"\b(?:normalize|slugify)\b")


class Leaf(Struct, frozen=True):
    """A text of a file that is a parameter: its place in the file's document, and its scalar.

    `inner` is the document that the scalar stands in, which may lie in a text of the file's.
    """

    file: str
    document: int
    path: tuple[str | int, ...]
    scalar: Scalar
    inner: Document


class Computed(Scalar):
    """A scalar whose text was made: its characters are those of the template.

    `leaf` is the parameter that it is as a whole, where it is one that a file has.
    """

    __slots__ = ("leaf",)

    def __init__(self, template: Scalar, value: str, leaf: Leaf | None) -> None:
        start, end, style = template.start, template.end, template.style or '"'
        super().__init__(start, end, template.anchor, value, style, None)
        self.leaf = leaf


def is_template(text: str) -> bool:
    """Whether a text has to be filled."""
    return "{{" in text


class Filler(Struct, frozen=True):
    """Fills texts in the form that an ApplicationSet has chosen."""

    fill: Fill | None
    is_go: bool

    def filled(
        self, texts: Iterable[str], parameters: Sequence[tuple[Mapping[str, Any], bool]]
    ) -> list[dict[str, str]]:
        """What each template of some texts is for each set of parameters, as far as it is known.

        With each set stands whether it is complete: in one that isn't, only the texts are filled
        whose fields are all there.
        """
        wanted = list(dict.fromkeys(filter(is_template, texts)))
        if not self.is_go:
            return [{text: _replaced(text, data) for text in wanted} for data, _ in parameters]
        wanted = [text for text in wanted if not uses_argo(text)]
        if self.fill is None or not wanted:
            return [{} for _ in parameters]
        made = self.fill(wanted, [data for data, _ in parameters])
        return [
            {
                text: found
                for text, found in zip(wanted, texts, strict=True)
                if found is not None and (complete or _fields(text) <= data.keys())
            }
            for (data, complete), texts in zip(parameters, made, strict=True)
        ]


def _replaced(text: str, data: Mapping[str, Any]) -> str:
    return _PLACEHOLDER.sub(lambda found: str(data.get(found[1].strip(), found[0])), text)


def _actions(text: str) -> list[str]:
    return [_QUOTED.sub('""', found[1]) for found in _ACTION.finditer(text)]


def uses_argo(text: str) -> bool:
    """Whether a template calls a function that only Argo CD has."""
    return any(_ARGO_ONLY.search(action) for action in _actions(text))


def _fields(text: str) -> set[str]:
    """The fields that a template reads; the empty one stands for all parameters together."""
    return {name for action in _actions(text) for name in _FIELD.findall(action)}


def templates(node: Node | None) -> list[str]:
    """The texts below a node that have to be filled."""
    texts = (found.value for found in walk(node) if isinstance(found, Scalar))
    return [text for text in texts if is_template(text)]


def filled_tree(
    node: Node, texts: Mapping[str, str], leaves: Mapping[str, Leaf] | None = None
) -> Node:
    """A tree with texts in place of others; all that stays the same is the written one.

    `leaves` are the parameters that some of the templates take as a whole.
    """
    if isinstance(node, Scalar):
        made = texts.get(node.value)
        if made is None or made == node.value:
            return node
        return Computed(node, made, (leaves or {}).get(node.value))
    if isinstance(node, MapNode):
        pairs = list(node.pairs())
        made_pairs = [(filled_tree(k, texts), filled_tree(v, texts, leaves)) for k, v in pairs]
        same = all(k is a and v is b for (k, v), (a, b) in zip(pairs, made_pairs, strict=True))
        return node if same else _mapping(node, made_pairs)
    if isinstance(node, SequenceNode):
        items = [filled_tree(item, texts, leaves) for item in node.items]
        if all(item is old for item, old in zip(items, node.items, strict=True)):
            return node
        found = SequenceNode(node.start, node.anchor, flow=node.flow)
        found.end, found.items = node.end, items
        return found
    return node


def as_computed(root: MapNode, template: Scalar) -> MapNode:
    """A tree that a template makes, all of it at the template's place."""

    def moved(node: Node) -> Node:
        if isinstance(node, Scalar):
            made = Computed(template, node.value, None)
            made.style, made.tag = node.style, node.tag
            return made
        if isinstance(node, MapNode):
            found = MapNode(template.start, None, flow=node.flow)
            found.own = [(moved(key), moved(value)) for key, value in node.pairs()]
        else:
            items = SequenceNode(template.start, None, flow=True)
            items.items = [moved(item) for item in getattr(node, "items", ())]
            items.end = template.end
            return items
        found.end = template.end
        return found

    made = moved(root)
    assert isinstance(made, MapNode)  # noqa: S101 as the root is
    return made


def whole_documents(text: str) -> Iterator[Document]:
    """The documents of a text that was made.

    Raises:
        SourceError: it is no YAML.
    """
    for chunk in split_documents(SourceText(text)):
        yield from chunk.documents()


def _mapping(node: MapNode, pairs: Iterable[tuple[Node, Node]]) -> MapNode:
    found = MapNode(node.start, node.anchor, flow=node.flow)
    found.end = node.end
    found.own = list(pairs)
    return found


def whole_leaves(
    texts: Mapping[str, str], leaves: Mapping[tuple[str | int, ...], Leaf]
) -> dict[str, Leaf]:
    """By template, the parameter that it takes as a whole."""
    found: dict[str, Leaf] = {}
    for text, filled in texts.items():
        named = _WHOLE.fullmatch(text)
        name = "" if named is None else named[1]
        leaf = leaves.get((name,)) or leaves.get(tuple(name.split(".")))
        if leaf is not None and leaf.scalar.value == filled:
            found[text] = leaf
    return found


def overlaid(base: MapNode, over: MapNode) -> MapNode:
    """A mapping with another one laid over it: maps key by key, all else replaced."""
    pairs = {key.value: (key, value) for key, value in base.pairs()}
    for key, value in over.pairs():
        known = pairs.get(key.value, (key, value))[1]
        if isinstance(known, MapNode) and isinstance(value, MapNode) and known is not value:
            pairs[key.value] = key, overlaid(known, value)
        else:
            pairs[key.value] = key, value
    return _mapping(base, pairs.values())
