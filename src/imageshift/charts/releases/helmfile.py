"""The releases of helmfiles (E5)."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from imageshift.charts.model import ChartError, ChartSource, SourceKind
from imageshift.charts.post_renderers.existing import to_images_item
from imageshift.charts.releases.flux import Place, ReleaseText, Tool
from imageshift.charts.releases.layers import Layer
from imageshift.charts.releases.made import (
    EMPTY,
    Made,
    file_layers,
    guarded,
    local_chart,
    own_values,
    plain_values,
    remote_chart,
    set_value,
)
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.readers import read_documents
from imageshift.links.behind_charts import held_images, helmfile_build
from imageshift.links.model import EntrySource
from imageshift.sites.helmfile import ReleaseValues, is_plain, release_values
from imageshift.source import Document
from imageshift.source import Mapping as MapNode

__all__ = ["read_helmfiles"]

_DEPENDENCIES = "helmfile adds further charts to it (`dependencies`), which aren't rendered here"


def read_helmfiles(index: Index) -> Iterator[ReleaseText]:
    """The releases of every helmfile, as far as no template decides over them."""
    for file, facts in index.helmfiles.items():
        for document in read_documents(index.workspace, file):
            repositories = _repositories(document.mapping)
            for found in release_values(document.mapping, facts.texts):
                release = found.release
                named = release.text("name") and release.text("chart")
                if named and is_plain(document, release):
                    make = partial(_release, index, file, document, found, repositories)
                    yield guarded((file, document, release), Tool.HELMFILE, make)


def _release(
    index: Index,
    file: str,
    document: Document,
    found: ReleaseValues,
    repositories: Mapping[str, MapNode],
) -> Made:
    release = found.release
    name = release.text("name") or ""
    layers: list[Layer] = []
    error: ChartError | None = None
    folder = file.rpartition("/")[0]
    for item in found.values:
        if isinstance(item, MapNode):
            layers.append(Layer(file, document, item))
            continue
        read = list(file_layers(index, join(folder, item[0]) or "")) if len(item) == 1 else []
        layers += read
        if not read:
            error = ChartError("one of its values files isn't in this repository")
    inline = [layer for layer in layers if layer.file == file]
    own = inline[-1] if inline and inline[-1] is layers[-1] else None
    values = plain_values(layer.values for layer in layers)
    for items, forced in ((found.sets, False), (found.texts, True)):
        for each in items:
            values = set_value(values, each, forced=forced)
    source, in_tree = _chart(index, folder, release, repositories)
    if release.items("dependencies"):
        error = ChartError(_DEPENDENCIES)
    above = found.parameters
    below = tuple(layers if own is None else layers[:-1])
    return Made(
        file=file,
        document=document,
        root=release,
        tool=Tool.HELMFILE,
        name=name,
        namespace=release.text("namespace") or "",
        own=own or Layer(file, document, None),
        new=Place(release, ("values",), (*found.path, "values"), listed=True),
        below=(*own_values(index, source, in_tree=in_tree), *below),
        above=(Layer(file, document, above),) if above.own else (),
        values=values,
        source=source,
        post_renderers=_behind(index, file, document, found),
        error=error,
    )


def _behind(
    index: Index, file: str, document: Document, found: ReleaseValues
) -> tuple[Mapping[str, Any], ...]:
    """What helmfile does to images behind the chart, as entries of a post-renderer.

    The graph decides over them (solve/). What only has to find an image as it is (a test, or
    a transformer that nobody knows) is an entry that changes nothing.
    """
    entries: list[EntrySource] = []
    build = helmfile_build(index, file, document, found, entries)
    effects = [] if build is None else build.effects
    items = [
        to_images_item(entry) for effect in effects for entry in held_images(index, effect, entries)
    ]
    return ({"kustomize": {"images": items}},) if items else ()


def _chart(
    index: Index, folder: str, release: MapNode, repositories: Mapping[str, MapNode]
) -> tuple[ChartSource, bool]:
    chart, version = release.text("chart") or "", release.text("version")
    local = join(folder, chart)
    if local is not None and local in index.charts:
        return local_chart(index, local), True
    if chart.startswith("oci://"):
        name = chart.rpartition("/")[2]
        return remote_chart(SourceKind.HELM_OCI, name, chart, version), False
    alias, _, name = chart.partition("/")
    repository = repositories.get(alias, EMPTY)
    url = (repository.text("url") or "").rstrip("/")
    if repository.text("oci") == "true":
        url = f"oci://{url.removeprefix('oci://')}/{name}"
        return remote_chart(SourceKind.HELM_OCI, name, url, version), False
    return remote_chart(SourceKind.HELM_HTTP, name, url, version), False


def _repositories(root: MapNode) -> dict[str, MapNode]:
    """The `repositories:` of a helmfile, by name."""
    found = (item for item in root.items("repositories") if isinstance(item, MapNode))
    return {item.text("name") or "": item for item in found}
