"""The texts from which one chart takes its values, for all that installs charts, lowest first.

Other builds of a release may have other values, so a later text may also be absent.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from msgspec import Struct

from imageshift.charts.in_tree import OWN_VALUES, every_layer, folder_layers
from imageshift.charts.layers import Layer
from imageshift.charts.model import ChartError
from imageshift.charts.sources import ChartSources
from imageshift.charts.spec import to_filled
from imageshift.errors import SourceError
from imageshift.inventory import Index, is_definition
from imageshift.inventory.index import join
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import (
    generated_files,
    inflated_charts,
    inflation_files,
    read_documents,
)
from imageshift.inventory.value_files import source_value_files
from imageshift.links.argocd import Owner, argo_sources
from imageshift.links.model import SiteKey, place_text
from imageshift.links.reach import Reach
from imageshift.links.sources import merged_files
from imageshift.sites import resource_of
from imageshift.sites.helmfile import release_values
from imageshift.sites.model import below
from imageshift.sites.parameters import parameter_tree
from imageshift.source import Document, Mapping, Scalar, parse_embedded

__all__ = ["Stack", "ValuesLayer", "read_layers", "release_specs"]

_VALUES_FILE = re.compile(r"values.*\.ya?ml")


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


Stack = list[ValuesLayer]
"""The layers of one chart's values, lowest first."""


def read_layers(index: Index) -> Iterator[Stack]:
    """The layers of every release, Application, helmfile, helmCharts, chart and artifact."""
    for read in (_releases, _applications, _helmfiles, _inflations, _charts, _artifacts):
        yield from read(index)


def _releases(index: Index) -> Iterator[Stack]:
    maps = _config_maps(index) if index.releases else {}
    sources = ChartSources(index, Reach(index), {})
    for file, document, root in release_specs(index):
        spec = below(root, "spec")
        layers = [*_in_tree(index, sources, root), *_brought(file, spec, maps)]
        values = spec.mapping("values")
        yield layers if values is None else [*layers, ValuesLayer(file, document, values)]


def _in_tree(index: Index, sources: ChartSources, root: Mapping) -> Iterator[ValuesLayer]:
    """The values of a release's chart, where that lies in the tree."""
    resource = resource_of(root)
    with suppress(ChartError):
        spec = to_filled(below(root, "spec"), {}) if index.charts else {}
        pick = sources.pick(spec, resource.namespace or "default", resource.name)
        yield from _layers(every_layer(index, pick))


def _layers(found: Iterable[Layer]) -> Iterator[ValuesLayer]:
    for layer in found:
        if layer.values is not None:
            yield ValuesLayer(layer.file, layer.document, layer.values, layer.in_chart)


def release_specs(index: Index) -> Iterator[tuple[str, Document, Mapping]]:
    """The releases that take values from elsewhere, or their charts, it may be, from the tree."""
    found = index.all_releases if index.charts else index.releases
    for file in sorted({release.file for release in found}):
        for document in read_documents(index.workspace, file, _is_release):
            for root in objects(document.root):
                if root.text("kind") == "HelmRelease" and root.mapping("spec") is not None:
                    yield file, document, root


def _is_release(text: str) -> bool:
    return "HelmRelease" in text and not is_definition(text)


_Maps = dict[tuple[str, str], Stack]
"""By name and key of ConfigMaps, the values that they hold, written or generated."""


def _config_maps(index: Index) -> _Maps:
    found: _Maps = {
        (source.name, source.key): []
        for release in index.releases
        for source in release.values_from
        if source.target_path is None
    }
    names = {name for name, _ in found}

    def is_wanted(text: str) -> bool:
        return "ConfigMap" in text and any(n in text for n in names) and not is_definition(text)

    for file in index.config_map_files:
        for document in read_documents(index.workspace, file, is_wanted):
            for root in objects(document.root):
                _add_config_map(found, file, document, root)
    for kustomization in index.kustomizations.values():
        for name, key, file in generated_files(kustomization):
            if (name, key) in found:
                found[name, key] += _file(index, file)
    return found


def _add_config_map(found: _Maps, file: str, document: Document, root: Mapping) -> None:
    name, data = resource_of(root).name, root.mapping("data")
    for key, value in data.pairs() if data is not None and root.text("kind") == "ConfigMap" else ():
        if isinstance(value, Scalar) and (name, key.value) in found:
            found[name, key.value] += _embedded(file, document, value)


def _brought(file: str, spec: Mapping, maps: _Maps) -> Iterator[ValuesLayer]:
    """What `valuesFrom` brings; of several ConfigMaps of one name those below the release."""
    folder = file.rpartition("/")[0]
    for item in spec.items("valuesFrom"):
        if isinstance(item, Mapping) and item.text("targetPath") is None:
            wanted = (item.text("name") or "", item.text("valuesKey") or "values.yaml")
            fitting = maps.get(wanted, [])
            near = [layer for layer in fitting if layer.file.startswith(f"{folder}/")]
            yield from near or fitting


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


def _applications(index: Index) -> Iterator[Stack]:
    for source in argo_sources(index) if index.has_applications else ():
        folder = source.folder if source.source.text("chart") is None else None
        layers = [*_chart_of(index, folder)]
        for name in source_value_files(source.source, index.files):
            layers += _file(index, name)
        for owner in source.owners:
            layers += _of_owner(owner)
        yield layers


def _of_owner(owner: Owner) -> Iterator[ValuesLayer]:
    """What an Application, or a file of overrides beside its source, sets itself (E4)."""
    helm = owner.root.mapping("helm") or Mapping(0, None, flow=False)
    values, nested = helm.scalar("values"), helm.mapping("valuesObject")
    if values is not None and not values.is_empty:
        yield from _embedded(owner.file, owner.document, values)
    if nested is not None:
        yield ValuesLayer(owner.file, owner.document, nested)
    yield ValuesLayer(owner.file, owner.document, parameter_tree(helm.items("parameters")))


def _chart_of(index: Index, folder: str | None) -> Iterator[ValuesLayer]:
    """The values of the chart in a folder, if there is one."""
    if folder is not None and folder in index.charts:
        yield from _layers(folder_layers(index, folder))


def _helmfiles(index: Index) -> Iterator[Stack]:
    for file in index.helmfiles:
        folder = file.rpartition("/")[0]
        for document in read_documents(index.workspace, file):
            for found in release_values(document.mapping):
                chart = found.release.text("chart") or ""
                layers = [*_chart_of(index, join(folder, chart))]
                for item in found.values:
                    if isinstance(item, Mapping):
                        layers.append(ValuesLayer(file, document, item))
                        continue
                    for name in (join(folder, path) for path in item):
                        layers += _file(index, name) if name is not None else ()
                yield [*layers, ValuesLayer(file, document, found.parameters)]


def _inflations(index: Index) -> Iterator[Stack]:
    """What kustomize inflates: inline values lie over files, or under them by `valuesMerge`."""
    for found in index.kustomizations.values() if index.has_inflations else ():
        for _, chart, local in inflated_charts(found):
            names = inflation_files(found.folder, chart)
            layers = [layer for name in names for layer in _file(index, name)]
            inline = chart.mapping("valuesInline")
            at = 0 if chart.text("valuesMerge") == "merge" else len(layers)
            if inline is not None:
                layers.insert(at, ValuesLayer(found.file, found.document, inline))
            yield [*_chart_of(index, local), *layers]


def _charts(index: Index) -> Iterator[Stack]:
    """A chart's own values, over those of its subcharts, with each further file beside them."""
    files: dict[str, list[str]] = {folder: [] for folder in index.charts}
    for file in index.files:
        folder, _, name = file.rpartition("/")
        if folder in index.charts and _VALUES_FILE.fullmatch(name):
            files[folder].append(file)
    for folder, found in sorted(files.items()):
        own = [*_chart_of(index, folder)]
        yield own
        for other in sorted(found):
            if other[len(folder) :].lstrip("/") not in OWN_VALUES:
                yield [*own, *_file(index, other)]


def _artifacts(index: Index) -> Iterator[Stack]:
    """The files that an ArtifactGenerator merges into one."""
    for _, root in index.artifacts:
        for item in below(root, "spec").items("artifacts"):
            for names in merged_files(item) if isinstance(item, Mapping) else ():
                yield [layer for name in names for layer in _file(index, name)]
