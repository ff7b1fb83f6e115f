"""The texts that a release's values are written in: its own, and what `valuesFrom` names (X1)."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ValuePath
from imageshift.charts.plain import load_plain
from imageshift.charts.releases.spec import to_filled
from imageshift.charts.values import ValuesFrom, parse_target
from imageshift.errors import ImageshiftError
from imageshift.inventory import Index
from imageshift.inventory.readers import read_documents
from imageshift.links.reach import Reach
from imageshift.links.value_holders import ValueHolder, ValueHolders
from imageshift.source import Document, Node, Scalar, Sequence, SourceText, parse_embedded
from imageshift.source import Mapping as MapNode

__all__ = ["FileSpan", "Layer", "LayerReader", "ValuesPart", "at_target", "scalars", "span_of"]


class FileSpan(Struct, frozen=True):
    """A part of a file, by offsets; without an end, it reaches to the end of the file."""

    file: str
    start: int = 0
    end: int | None = None

    def __contains__(self, offset: object) -> bool:
        return (
            isinstance(offset, int)
            and self.start <= offset
            and (self.end is None or offset < self.end)
        )


def span_of(file: str, document: Document, node: Node) -> FileSpan:
    """Where a node of a document stands in the file."""
    # The end of a text in a text stands nowhere, its last character does.
    last = max(node.start, node.end - 1)
    return FileSpan(file, document.offset(node.start), document.offset(last) + 1)


class Layer(Struct, frozen=True):
    """A map of values as it is written in a file; None where the key isn't there yet.

    `in_chart` says that it is a part of the chart, so that it isn't among a release's own values;
    `sets_one` that it is a `targetPath`, which is over `spec.values` or under it (E3.3).
    """

    file: str
    document: Document
    values: MapNode | None
    in_chart: bool = False
    sets_one: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """What identifies it: the same map may be read for several releases."""
        start = 0 if self.values is None else self.document.offset(self.values.start)
        return self.file, start

    @property
    def span(self) -> FileSpan | None:
        """Where it is written; None where it isn't there yet."""
        return None if self.values is None else span_of(self.file, self.document, self.values)


class ValuesPart(Struct, frozen=True):
    """An item of valuesFrom: its values, and where they are written when that can be edited."""

    values: ValuesFrom
    layer: Layer | None = None


def scalars(node: Node | None, path: ValuePath = ()) -> Iterator[tuple[ValuePath, Scalar]]:
    """Every scalar below a node with its path, also through aliases and merge keys."""
    if isinstance(node, MapNode):
        for key, value in node.pairs():
            yield from scalars(value, (*path, key.value))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from scalars(item, (*path, index))
    elif isinstance(node, Scalar):
        yield path, node


class LayerReader:
    """Finds ConfigMaps, Secrets and generated ones of the tree."""

    def __init__(self, index: Index, reach: Reach) -> None:
        self._index = index
        self._reach = reach
        self._holders = ValueHolders(index)

    def parts(
        self, spec: Mapping[str, Any], file: str, within: frozenset[str] = frozenset()
    ) -> list[ValuesPart]:
        """The items of a release's valuesFrom that the tree has; what a cluster has is unknown.

        Those in the files `within`, which are built together with the release, are preferred.
        """
        found: list[ValuesPart] = []
        items = spec.get("valuesFrom")
        for item in items if isinstance(items, list) else ():
            if isinstance(item, Mapping):
                part = self._part(item, file, within)
                if part is not None:
                    found.append(part)
        return found

    def _part(
        self, item: Mapping[str, Any], file: str, within: frozenset[str]
    ) -> ValuesPart | None:
        kind, name = str(item.get("kind")), str(item.get("name"))
        key, target = str(item.get("valuesKey") or "values.yaml"), item.get("targetPath")
        variables = self._reach.substitutes(file)
        holder = self._holder(kind, name, file, within)
        try:
            if holder is not None:
                return _read_holder(holder, key, target, variables)
            generated = self._generated_file(name, key, file, within)
            if generated is not None:
                return self._read_file(generated, target, variables)
            return None if target is None else self._literal(name, key, file, str(target))
        except ImageshiftError:
            # What can't be read here is as unknown as what only the cluster has.
            return None

    def _holder(
        self, kind: str, name: str, file: str, within: frozenset[str]
    ) -> ValueHolder | None:
        """The ConfigMap or Secret of a name; one that is built beside the release is preferred."""
        found = self._holders.named(kind, name)
        folder = file.rpartition("/")[0]
        near = [item for item in found if item.file.rpartition("/")[0] == folder]
        builders = {id(flux) for flux in self._reach.builders(file)}
        along = [i for i in found if builders & {id(f) for f in self._reach.builders(i.file)}]
        inside = [item for item in found if item.file in within]
        return next(iter(inside or near or along or found), None)

    def _generated_file(self, name: str, key: str, file: str, within: frozenset[str]) -> str | None:
        fitting = self._holders.generated(name, key)
        folder = file.rpartition("/")[0]
        near = [path for path, at in fitting if at == folder or file in self._reach.closure(at)]
        inside = [path for path, _ in fitting if path in within]
        return next(iter([*inside, *near, *(path for path, _ in fitting)]), None)

    def _literal(self, name: str, key: str, file: str, target: str) -> ValuesPart | None:
        """The literal of a generator; one of a kustomization that builds the release's file."""
        found = self._holders.literals(name, key)
        near = [each for each in found if file in self._reach.closure(each[0].folder)]
        for kustomization, literal in near or found:
            at = kustomization.file, kustomization.document
            layer = at_target(*at, literal.value, target)
            value = ValuesFrom(target_path=target, text=literal.value.value)
            return ValuesPart(value, None if literal.scalar.style else layer)
        return None

    def _read_file(self, file: str, target: Any, variables: Mapping[str, str]) -> ValuesPart | None:
        if target is not None:
            text = self._index.workspace.read(file).decode("utf-8", "replace")
            value = ValuesFrom(target_path=str(target), text=text)
            return ValuesPart(value, _nowhere(file, target))
        content = self._index.workspace.read(file)
        for document in read_documents(self._index.workspace, file):
            if isinstance(document.root, MapNode) and b"\nsops:" not in content:
                values = to_filled(document.root, variables)
                return ValuesPart(ValuesFrom(values=values), Layer(file, document, document.root))
        return None


def _read_holder(
    holder: ValueHolder, key: str, target: Any, variables: Mapping[str, str]
) -> ValuesPart | None:
    file, document, plain, coded = holder.file, holder.document, holder.text(key), holder.coded(key)
    if plain is None:
        return None if coded is None else _decoded(coded.value, target)
    if target is not None:
        value = ValuesFrom(target_path=str(target), text=plain.value)
        return ValuesPart(value, at_target(file, document, plain, str(target)))
    inner = parse_embedded(document, plain)
    found = inner[0].root if inner else None
    if not isinstance(found, MapNode):
        return None
    return ValuesPart(ValuesFrom(values=to_filled(found, variables)), Layer(file, inner[0], found))


def at_target(file: str, document: Document, text: Scalar, target: str) -> Layer:
    """A text as the one value of a layer, at its target path.

    Raises:
        ChartError: the path can't be read.
    """
    node: Node = text
    for key in reversed(parse_target(target)):
        above = MapNode(text.start, None, flow=False)
        above.own, above.end = [(Scalar(0, 0, None, str(key), "", None), node)], text.end
        node = above
    values = node if isinstance(node, MapNode) else None
    return Layer(file, document, values, sets_one=True)


def _nowhere(file: str, target: Any) -> Layer:
    """The layer of a whole file that becomes one value, which can't be edited as one."""
    document = Document(SourceText(""), None, 0, 0, 0)
    text = Scalar(0, 0, None, "?", "'", None)
    return at_target(file, document, text, str(target))


def _decoded(text: str, target: Any) -> ValuesPart | None:
    try:
        plain = base64.b64decode(text).decode()
    except ValueError:  # no base64, or no UTF-8 in it
        return None
    if target is not None:
        return ValuesPart(ValuesFrom(target_path=str(target), text=plain))
    loaded = load_plain(plain, "a Secret")
    return ValuesPart(ValuesFrom(values=loaded)) if isinstance(loaded, dict) else None
