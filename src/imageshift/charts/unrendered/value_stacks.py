"""The texts from which one chart takes its values, for all that installs charts, lowest first.

Other builds of a release may have other values, so a later text may also be absent.
"""

import base64
import json
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import suppress
from itertools import chain

from msgspec import Struct

from imageshift.charts.model import ChartError
from imageshift.charts.releases.in_tree import OWN_VALUES, folder_layers
from imageshift.charts.releases.layers import Layer, at_target
from imageshift.charts.releases.sources import ChartSources
from imageshift.charts.releases.spec import to_filled
from imageshift.errors import SourceError
from imageshift.inventory import Index, is_definition
from imageshift.inventory.helmfiles import helmfile_documents
from imageshift.inventory.index import join
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import (
    inflated_charts,
    inflation_files,
    read_documents,
)
from imageshift.inventory.value_files import source_value_files
from imageshift.lazy import lazy_re
from imageshift.links.argocd import Owner, argo_sources
from imageshift.links.model import SiteKey, place_text
from imageshift.links.reach import Reach
from imageshift.links.release_patches import read_release_patches, release_patches
from imageshift.links.sources import merged_files
from imageshift.links.value_holders import ValueHolders
from imageshift.sites import resource_of
from imageshift.sites.helmfile import release_values
from imageshift.sites.model import below
from imageshift.sites.parameters import parameter_tree, values_tree
from imageshift.source import (
    Document,
    Mapping,
    Scalar,
    SourceText,
    parse_embedded,
)

__all__ = ["Stack", "ValuesLayer", "read_stacks_of", "release_specs"]

_VALUES_FILE = lazy_re(r"values.*\.ya?ml")


class ValuesLayer(Struct, frozen=True):
    """A map of values as it is written, or as parameters make it.

    `in_chart` says that it is a part of the chart.
    """

    file: str
    document: Document
    values: Mapping
    in_chart: bool = False

    def key(self, scalar: Scalar) -> SiteKey:
        """What identifies a text of its own."""
        return self.file, self.document.offset(scalar.start), scalar.value

    def place(self, scalar: Scalar) -> str:
        """Where a text of its own stands."""
        return place_text(self.file, self.document.place(scalar.start))


class Stack(Struct, frozen=True):
    """The layers of one chart's values, lowest first, and the chart's folder if it is in the tree.

    `upgrades` says that a change is an upgrade, as in Helm and Flux; `forced` that it recreates
    objects that can't be changed.
    """

    layers: list[ValuesLayer]
    folder: str | None = None
    upgrades: bool = False
    forced: bool = False


def read_stacks_of(index: Index, reach: Reach) -> Iterator[Stack]:
    """The layers of every release, Application, helmfile, helmCharts, chart and artifact."""
    used: set[str | None] = set()
    charts = _ChartLayers(index)
    readers = (_applications, _helmfiles, _inflations)
    for stack in chain(_releases(index, reach, charts), *(read(index, charts) for read in readers)):
        used.add(stack.folder)
        yield stack
    yield from _charts(index, charts, used)
    yield from _artifacts(index)


class _ChartLayers:
    """The values of the charts in the tree, each chart's read once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[tuple[str, tuple[str, ...]], list[ValuesLayer]] = {}

    def read(self, folder: str, files: tuple[str, ...] = ()) -> list[ValuesLayer]:
        """Those of the chart in a folder, in place of which files may be named."""
        if (folder, files) not in self._known:
            found = folder_layers(self._index, folder, files)
            self._known[folder, files] = list(_layers(found))
        return self._known[folder, files]

    def of(self, folder: str | None) -> list[ValuesLayer]:
        """Those of the chart in a folder, if there is one."""
        return [] if folder is None or folder not in self._index.charts else self.read(folder)


def _releases(index: Index, reach: Reach, charts: _ChartLayers) -> Iterator[Stack]:
    holders = ValueHolders(index)
    sources = ChartSources(index, reach, {})
    patched = {file for _, files in release_patches(index, reach) for file in files}
    for file, document, root in release_specs(index, patched):
        spec, resource = below(root, "spec"), resource_of(root)
        pick = None
        with suppress(ChartError):
            plain = to_filled(spec, {}) if index.charts else {}
            pick = sources.pick(plain, resource.namespace or "default", resource.name)
        path = None if pick is None or not pick.in_tree else pick.source.path
        folder = None if path is None else index.workspace.relative(path)
        layers: list[ValuesLayer] = []
        if pick is not None and folder is not None:
            layers += charts.read(folder, pick.values_files)
        layers += _brought(index, file, spec, holders)
        values = spec.mapping("values")
        layers += [] if values is None else [ValuesLayer(file, document, values)]
        forced = below(spec, "upgrade").text("force") == "true"
        over = _patches(index, reach, file, resource.name) if file in patched else [()]
        for patches in over:
            yield Stack([*layers, *patches], folder, upgrades=True, forced=forced)


def _patches(
    index: Index, reach: Reach, file: str, name: str | None
) -> Iterable[tuple[ValuesLayer, ...]]:
    """What the patches of each build set in a release's values, in the order of that build."""
    found: dict[tuple[tuple[str, int], ...], tuple[ValuesLayer, ...]] = {}
    for build in reach.builds_of(file):
        patches = (each for source in build.patches for each in read_release_patches(index, source))
        mine = [each for each in patches if each.release in {None, name}]
        layers = (ValuesLayer(e.file, e.document, values_tree(e.values.items())) for e in mine)
        found.setdefault(tuple(each.key for each in mine), tuple(layers))
    return found.values()


def _layers(found: Iterable[Layer]) -> Iterator[ValuesLayer]:
    for layer in found:
        if layer.values is not None:
            yield ValuesLayer(layer.file, layer.document, layer.values, layer.in_chart)


def release_specs(
    index: Index, more: Collection[str] = ()
) -> Iterator[tuple[str, Document, Mapping]]:
    """The releases that take values from elsewhere, or their charts, it may be, from the tree.

    `more` are files whose releases count too.
    """
    found = {*more, *(release.file for release in index.releases)}
    if index.charts:
        found.update(r.file for r in index.all_releases if not r.chart.is_remote)
    for file in sorted(found):
        for document in read_documents(index.workspace, file, _is_release):
            for root in objects(document.root):
                if root.text("kind") == "HelmRelease" and root.mapping("spec") is not None:
                    yield file, document, root


def _is_release(text: str) -> bool:
    return "HelmRelease" in text and not is_definition(text)


class _Text(Struct, frozen=True):
    """A text of a ConfigMap or Secret, a literal of a generator, or a whole file (no scalar)."""

    file: str
    at: tuple[Document, Scalar] | None = None


def _decoded(file: str, text: str) -> _Text:
    with suppress(ValueError):  # no base64, or no UTF-8 in it
        return _Text(file, _unplaced(base64.b64decode(text).decode()))
    return _Text(file, _unplaced(""))


def _unplaced(text: str) -> tuple[Document, Scalar]:
    """A text that stands nowhere as it is, in a document of its own."""
    source = SourceText(json.dumps(text, ensure_ascii=False))
    end = len(source.text)
    scalar = Scalar(0, end, None, text, '"', None)
    return Document(source, scalar, 0, 0, end), scalar


def _brought(
    index: Index, file: str, spec: Mapping, holders: ValueHolders
) -> Iterator[ValuesLayer]:
    """What `valuesFrom` brings; of several ConfigMaps of one name those below the release."""
    folder = file.rpartition("/")[0]
    for item in spec.items("valuesFrom"):
        if isinstance(item, Mapping):
            fitting = [*_texts(holders, item)]
            near = [text for text in fitting if text.file.startswith(f"{folder}/")]
            for text in near or fitting:
                yield from _as_values(index, text, item.text("targetPath"))


def _texts(holders: ValueHolders, item: Mapping) -> Iterator[_Text]:
    """The texts that an item of `valuesFrom` may mean, those in base64 at a place of their own."""
    name, key = item.text("name") or "", item.text("valuesKey") or "values.yaml"
    for holder in holders.named(item.text("kind") or "", name):
        text, coded = holder.text(key), holder.coded(key)
        if text is not None:
            yield _Text(holder.file, (holder.document, text))
        elif coded is not None:
            yield _decoded(holder.file, coded.value)
    for path, _ in holders.generated(name, key):
        yield _Text(path)
    for at, literal in holders.literals(name, key):
        yield _Text(at.file, (at.document, literal.value))


def _as_values(index: Index, text: _Text, target: str | None) -> Iterator[ValuesLayer]:
    """The values that a text is, or the one that it becomes at a path."""
    if target is not None:
        with suppress(ChartError):
            at = text.at or _content(index, text.file)
            yield from _layers([at_target(text.file, *at, target)])
    elif text.at is not None:
        yield from _embedded(text.file, *text.at)
    else:
        yield from _file(index, text.file)


def _content(index: Index, file: str) -> tuple[Document, Scalar]:
    """The text of a whole file."""
    try:
        return _unplaced(index.workspace.read(file).decode("utf-8", "replace"))
    except SourceError:
        return _unplaced("")


def _embedded(file: str, document: Document, text: Scalar) -> Iterator[ValuesLayer]:
    try:
        found = parse_embedded(document, text)
    except SourceError:
        return
    for inner in found:
        yield ValuesLayer(file, inner, inner.mapping)


def _file(index: Index, file: str) -> Iterator[ValuesLayer]:
    for document in read_documents(index.workspace, file):
        yield ValuesLayer(file, document, document.mapping)


def _applications(index: Index, charts: _ChartLayers) -> Iterator[Stack]:
    for source in argo_sources(index) if index.has_applications else ():
        folder = source.folder if source.source.text("chart") is None else None
        layers = [*charts.of(folder)]
        for name in source_value_files(source.source, index.files):
            layers += _file(index, name)
        for owner in source.owners:
            layers += _of_owner(owner)
        yield Stack(layers, folder)


def _of_owner(owner: Owner) -> Iterator[ValuesLayer]:
    """What an Application, or a file of overrides beside its source, sets itself (E4)."""
    helm = owner.root.mapping("helm") or Mapping(0, None, flow=False)
    values, nested = helm.scalar("values"), helm.mapping("valuesObject")
    if values is not None and not values.is_empty:
        yield from _embedded(owner.file, owner.document, values)
    if nested is not None:
        yield ValuesLayer(owner.file, owner.document, nested)
    yield ValuesLayer(owner.file, owner.document, parameter_tree(helm.items("parameters")))


def _helmfiles(index: Index, charts: _ChartLayers) -> Iterator[Stack]:
    for file, facts in index.helmfiles.items():
        folder = file.rpartition("/")[0]
        for document in helmfile_documents(index.workspace, file):
            for found in release_values(document.mapping, facts.texts):
                chart = found.release.text("chart") or ""
                local = join(folder, chart)
                layers = [*charts.of(local)]
                for item in found.values:
                    if isinstance(item, Mapping):
                        layers.append(ValuesLayer(file, document, item))
                        continue
                    for name in filter(None, (join(folder, path) for path in item)):
                        layers += _file(index, index.workspace.behind_link(name))
                layers.append(ValuesLayer(file, document, found.parameters))
                yield Stack(layers, local, upgrades=True)


def _inflations(index: Index, charts: _ChartLayers) -> Iterator[Stack]:
    """What kustomize inflates: inline values lie over files, or under them by `valuesMerge`."""
    for found in index.kustomizations.values() if index.has_inflations else ():
        for _, chart, local in inflated_charts(found):
            names = inflation_files(found.folder, chart)
            layers = [layer for name in names for layer in _file(index, name)]
            inline = chart.mapping("valuesInline")
            at = 0 if chart.text("valuesMerge") == "merge" else len(layers)
            if inline is not None:
                layers.insert(at, ValuesLayer(found.file, found.document, inline))
            yield Stack([*charts.of(local), *layers], local)


def _charts(index: Index, charts: _ChartLayers, used: Container[str | None]) -> Iterator[Stack]:
    """A chart's own values, over those of its subcharts, with each further file beside them.

    Where something that is known uses a chart, that says how it is installed.
    """
    files: dict[str, list[str]] = {folder: [] for folder in index.charts}
    for file in index.files:
        folder, _, name = file.rpartition("/")
        if folder in index.charts and _VALUES_FILE.fullmatch(name):
            files[folder].append(file)
    for folder, found in sorted(files.items()):
        own = charts.of(folder)
        at = None if folder in used or _is_inside(index, folder) else folder
        yield Stack(own, at)
        for other in sorted(found):
            if other[len(folder) :].lstrip("/") not in OWN_VALUES:
                yield Stack([*own, *_file(index, other)], at)


def _artifacts(index: Index) -> Iterator[Stack]:
    """The files that an ArtifactGenerator merges into one."""
    for _, root in index.artifacts:
        for item in below(root, "spec").items("artifacts"):
            for names in merged_files(item) if isinstance(item, Mapping) else ():
                yield Stack([layer for name in names for layer in _file(index, name)])


def _is_inside(index: Index, folder: str) -> bool:
    """Whether a chart is a part of another one, in whose charts/ it is."""
    above, _, parent = folder.rpartition("/")[0].rpartition("/")
    return parent == "charts" and above in index.charts
