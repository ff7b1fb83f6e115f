"""From changed values to edits of the text that they are written in."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ValuePath
from imageshift.charts.post_renderers.existing import EntryEdit
from imageshift.charts.post_renderers.postrender import ImageEntry, Patch
from imageshift.charts.post_renderers.standing import patch_items, patch_key, written_patches
from imageshift.charts.releases.edits import ValueEdit
from imageshift.charts.releases.flux import Place
from imageshift.charts.releases.layers import Layer, scalars
from imageshift.charts.releases.spec import fill
from imageshift.entry import spell_name
from imageshift.errors import SourceError
from imageshift.reference import name_length
from imageshift.source import (
    Document,
    Edit,
    Node,
    Scalar,
    Sequence,
    SourceText,
    Span,
    insert_items,
    insert_key,
    insert_pairs,
)
from imageshift.source import Mapping as MapNode
from imageshift.source.scalar import decode

__all__ = [
    "Insertion",
    "Step",
    "entry_edit",
    "entry_node",
    "insertions",
    "join_at_places",
    "plan_value",
    "post_renderers",
    "renderer_edits",
]


class Insertion(Struct, frozen=True):
    """A value that isn't written yet: what is missing below the deepest map that is.

    `listed` are the first of its keys where what is below them is the one item of a list.
    """

    document: Document
    mapping: MapNode
    path: tuple[str, ...]
    value: Any
    depth: int
    listed: tuple[str, ...] = ()


Step = tuple[Edit, ...] | Insertion
"""One change of a value's text: in place, or something new."""


def plan_value(
    layer: Layer,
    new: Place,
    edit: ValueEdit,
    wanted: Mapping[ValuePath, Any],
    variables: Mapping[str, str],
) -> Step:
    """How one value gets into a layer; `wanted` are all changes, for aliases that share a text.

    `new` is where values go that no layer has yet.

    Raises:
        SourceError: it can't be written there without changing something else (reason `style`).
    """
    if layer.values is None:
        if new.holder is None or new.holder.get(new.keys[0]) is not None:
            raise SourceError("nowhere to put values", reason="style")
        keys = _keys((*new.keys, *edit.path))
        whole = new.keys if new.listed else ()
        return Insertion(layer.document, new.holder, keys, edit.value, 0, whole)
    found = _descend(layer.values, edit.path)
    if found.missing:
        if found.shared or found.node.shared or not isinstance(found.node, MapNode):
            raise SourceError("nowhere to put a value after an alias", reason="style")
        depth = len(edit.path) - len(found.missing) + 1
        return Insertion(layer.document, found.node, _keys(found.missing), edit.value, depth)
    if not isinstance(found.node, Scalar):
        raise SourceError("a map or list is where a text is needed", reason="style")
    if found.shared or found.node.shared:
        _refuse_torn(layer.values, found.node, edit.value, wanted)
    return _replaced(layer.document, found.node, edit.value, variables)


class _Place(Struct, frozen=True):
    """The deepest node on a path, and the part of the path that is missing below it."""

    node: Node
    missing: ValuePath
    shared: bool


def _descend(values: MapNode, path: ValuePath) -> _Place:
    node: Node = values
    shared = False
    for index, part in enumerate(path):
        shared = shared or bool(node.shared)
        child = _child(node, part, last=index + 1 == len(path))
        if child is None:
            return _Place(node, path[index:], shared)
        node = child
    return _Place(node, (), shared)


def _child(node: Node, part: str | int, *, last: bool) -> Node | None:
    if isinstance(node, MapNode):
        child = node.get(str(part))
        # A merged text is overridden by a key of the map's own.
        merged = node.key(str(part)) is None
        return None if merged and last and isinstance(child, Scalar) else child
    if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    raise SourceError("a text is where a map or list is needed", reason="style")


def _keys(path: ValuePath) -> tuple[str, ...]:
    if any(isinstance(part, int) for part in path):
        raise SourceError("nowhere to put an item of a list that isn't written", reason="style")
    return tuple(str(part) for part in path)


def _refuse_torn(
    values: MapNode, scalar: Scalar, value: Any, wanted: Mapping[ValuePath, Any]
) -> None:
    """Refuse a text that an alias uses elsewhere for something that isn't changed alike."""
    uses = [path for path, found in scalars(values) if found is scalar]
    if len(uses) <= scalar.shared or any(wanted.get(path) != value for path in uses):
        raise SourceError("its text is shared through an anchor", reason="style")


def _replaced(
    document: Document, scalar: Scalar, value: Any, variables: Mapping[str, str]
) -> tuple[Edit, ...]:
    if isinstance(value, str) and "\n" in scalar.value:
        return tuple(_lines_replaced(document, scalar, value))
    return (_name_replaced(document, scalar, value, variables),)


def _lines_replaced(document: Document, scalar: Scalar, value: str) -> Iterator[Edit]:
    """The edits of a text of several lines: what differs in each line."""
    old, new = scalar.value.split("\n"), value.split("\n")
    if len(old) != len(new):
        raise SourceError("the number of lines in a text would change", reason="style")
    decoded = decode(document.source.text, scalar)
    inner = Document(SourceText(decoded.value), None, 0, 0, 0, (document, scalar, decoded))
    at = 0
    for before, after in zip(old, new, strict=True):
        if before != after:
            start = _alike(before, after)
            tail = _alike(before[start:][::-1], after[start:][::-1])
            span = Span(at + start, at + len(before) - tail)
            yield inner.to_file(Edit(span, after[start : len(after) - tail]))
        at += len(before) + 1


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _name_replaced(
    document: Document, scalar: Scalar, value: Any, variables: Mapping[str, str]
) -> Edit:
    if not isinstance(value, str):
        raise SourceError("only texts are changed in place", reason="style")
    raw = scalar.value
    rest = raw[name_length(raw) :] if raw else ""
    filled = fill(rest, variables)
    if filled and value.endswith(filled):
        return document.replace(scalar, raw[: -len(rest)], value[: -len(filled)])
    if "${" in rest:
        raise SourceError("the part that would change contains a variable", reason="style")
    return document.replace(scalar, raw, value)


def insertions(steps: Iterable[Insertion]) -> list[tuple[int, Edit]]:
    """The edits of all that is new, with their depths; under one missing key it is one block.

    Raises:
        SourceError: there is nowhere to put something.
    """
    by_map: dict[int, tuple[Insertion, dict[str, Any]]] = {}
    for step in steps:
        _, pairs = by_map.setdefault(id(step.mapping), (step, {}))
        for key in step.path[:-1]:
            pairs = pairs.setdefault(key, {})
        pairs[step.path[-1]] = step.value
    made: list[tuple[int, Edit]] = []
    for step, pairs in by_map.values():
        if step.listed:
            pairs[step.listed[0]] = [pairs[step.listed[0]]]
        for after, group in _placed(step.mapping, pairs).items():
            edit = insert_pairs(step.document, step.mapping, after, group)
            made.append((step.depth, edit))
    return made


def _placed(mapping: MapNode, pairs: Mapping[str, Any]) -> dict[str | None, dict[str, Any]]:
    """The new keys by the key that they come behind, in the map's own order."""
    keys = [key.value for key, _ in mapping.own if isinstance(key, Scalar)]
    found: dict[str | None, dict[str, Any]] = {}
    for key in sorted(pairs, key=_rank):
        found.setdefault(_key_before(keys, key), {})[key] = pairs[key]
    return found


_ORDER = ("registry", "repository", "tag", "digest")


def _rank(key: str) -> tuple[int, str]:
    return (_ORDER.index(key), "") if key in _ORDER else (len(_ORDER), key)


def _key_before(keys: list[str], new: str) -> str | None:
    """The key behind which a new one belongs; None for the front."""
    if not keys:
        return None
    if new in _ORDER:
        behind = [key for key in _ORDER[_ORDER.index(new) + 1 :] if key in keys]
        if behind:
            return keys[keys.index(behind[0]) - 1] if keys.index(behind[0]) else None
    if new == "postRenderers" and keys[-1] == "values" and len(keys) > 1:
        return keys[-2]
    if len(keys) > 2 and keys == sorted(keys) and new != "values":  # noqa: PLR2004 an order shows
        return next((key for key in reversed(keys) if key < new), None)
    return keys[-1]


def entry_edit(document: Document, spec: MapNode, edit: EntryEdit) -> Edit:
    """The edit that gives an entry of the post-renderers its newName.

    Raises:
        SourceError: it isn't written so that it can be edited.
    """
    node = entry_node(spec, edit.path[:-1])
    if node is None:
        raise SourceError("no such entry is written here", reason="style")
    written = node.scalar("newName")
    if written is None:
        return insert_key(document, node, "name", "newName", edit.new_name)
    return document.replace(written, written.value, edit.new_name)


def entry_node(spec: MapNode, path: ValuePath) -> MapNode | None:
    """Where an entry of the post-renderers is written; `path` leads to it below the list."""
    node: Node | None = spec.get("postRenderers")
    for part in path:
        if isinstance(node, MapNode):
            node = node.get(str(part))
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
    return node if isinstance(node, MapNode) else None


def renderer_edits(
    document: Document, spec: MapNode, entries: Iterable[ImageEntry], patches: Collection[Patch]
) -> list[tuple[int, Edit]]:
    """The edits that add entries and patches to spec.postRenderers, with their depths.

    A patch of the same place, written for an older chart, gets the new value.

    Raises:
        SourceError: there is nowhere to put them.
    """
    written = (each for item in patch_items(spec) for each in written_patches(document, item))
    standing = {each.key: each for each in written}
    old = [(standing[patch_key(p)], p.value) for p in patches if patch_key(p) in standing]
    made = [(9, one.document.replace(one.value, one.value.value, value)) for one, value in old]
    new = _kustomize(entries, [p for p in patches if patch_key(p) not in standing])
    return made + _added(document, spec, new)


def _added(
    document: Document, spec: MapNode, new: Mapping[str, list[Any]]
) -> list[tuple[int, Edit]]:
    if not new:
        return []
    renderers = spec.get("postRenderers")
    if renderers is None:
        step = Insertion(document, spec, ("postRenderers",), [{"kustomize": new}], 0)
        return insertions([step])
    if not isinstance(renderers, Sequence) or renderers.shared:
        raise SourceError("nowhere to put a post-renderer", reason="style")
    last = renderers.items[-1] if renderers.items else None
    kustomize = last.mapping("kustomize") if isinstance(last, MapNode) else None
    if kustomize is None:
        return [(1, insert_items(document, renderers, [{"kustomize": new}]))]
    return _into(document, kustomize, new)


def post_renderers(
    entries: Iterable[ImageEntry], patches: Iterable[Patch]
) -> tuple[Mapping[str, Any], ...]:
    """The post-renderers that new entries and patches make."""
    new = _kustomize(entries, patches)
    return ({"kustomize": new},) if new else ()


def _into(
    document: Document, kustomize: MapNode, new: Mapping[str, list[Any]]
) -> list[tuple[int, Edit]]:
    made: list[tuple[int, Edit]] = []
    missing: list[Insertion] = []
    for key, items in new.items():
        node = kustomize.get(key)
        if isinstance(node, Sequence):
            if node.shared:
                raise SourceError("nowhere to put a post-renderer", reason="style")
            made.append((4, insert_items(document, node, items)))
        else:
            missing.append(Insertion(document, kustomize, (key,), items, 3))
    return made + insertions(missing)


def _kustomize(entries: Iterable[ImageEntry], patches: Iterable[Patch]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    images = [{"name": spell_name(e.name), "newName": e.new_name} for e in entries]
    by_target: dict[tuple[str, str, str], list[Patch]] = {}
    for patch in patches:
        target = patch.target
        by_target.setdefault((target.api_version, target.kind, target.name), []).append(patch)
    changes = [_patch(*key, group) for key, group in by_target.items()]
    if images:
        found["images"] = images
    if changes:
        found["patches"] = changes
    return found


def _patch(api_version: str, kind: str, name: str, patches: list[Patch]) -> dict[str, Any]:
    group, _, version = api_version.rpartition("/")
    target = {"group": group, "version": version, "kind": kind, "name": name}
    lines = [
        line
        for patch in patches
        for line in ("- op: replace", f"  path: {patch.pointer}", f"  value: {_text(patch.value)}")
    ]
    return {
        "target": {key: value for key, value in target.items() if value},
        "patch": "\n".join(lines),
    }


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def join_at_places(edits: Iterable[tuple[int, Edit]]) -> tuple[Edit, ...]:
    """The edits, those that add text at one place made one, the deepest in front."""
    joined: dict[Span, str] = {}
    for _, edit in sorted(dict.fromkeys(edits), key=lambda pair: -pair[0]):
        text = joined.get(edit.span)
        joined[edit.span] = edit.text if text is None or text == edit.text else text + edit.text
    return tuple(Edit(span, text) for span, text in joined.items())
