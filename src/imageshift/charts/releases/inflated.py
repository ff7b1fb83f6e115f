"""The charts that kustomize inflates: `helmCharts` (E1)."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from imageshift.charts.model import ChartSource, SourceKind
from imageshift.charts.post_renderers.existing import to_images_item
from imageshift.charts.releases.flux import Place, ReleaseText, Tool
from imageshift.charts.releases.layers import Layer
from imageshift.charts.releases.made import (
    Made,
    file_layers,
    guarded,
    local_chart,
    own_values,
    plain_values,
    remote_chart,
)
from imageshift.inventory import Index, KustomizationFile
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import inflated_charts, inflation_files
from imageshift.links.builds import Builds
from imageshift.source import Mapping as MapNode

__all__ = ["read_inflations"]


def read_inflations(index: Index, builds: Builds) -> Iterator[ReleaseText]:
    """The `helmCharts` of every kustomization."""
    for found in index.kustomizations.values() if index.has_inflations else ():
        for number, chart, local in inflated_charts(found):
            if chart.text("name"):
                make = partial(_inflation, index, builds, found, (number, chart, local))
                yield guarded((found.file, found.document, chart), Tool.KUSTOMIZE, make)


def _inflation(
    index: Index, builds: Builds, at: KustomizationFile, inflated: tuple[int, MapNode, str | None]
) -> Made:
    number, chart, local = inflated
    name = chart.text("name") or ""
    names = inflation_files(at.folder, chart)
    files = [layer for each in names for layer in file_layers(index, each)]
    inline = chart.mapping("valuesInline")
    own = Layer(at.file, at.document, inline)
    merged = chart.text("valuesMerge") or "override"
    order = [own, *files] if merged == "merge" else [*files, own]
    order = [own] if merged == "replace" and inline is not None else order
    at_own = next(n for n, layer in enumerate(order) if layer is own)
    source, in_tree = _chart(index, name, chart, local)
    return Made(
        file=at.file,
        document=at.document,
        root=chart,
        tool=Tool.KUSTOMIZE,
        name=chart.text("releaseName") or name,
        namespace=chart.text("namespace") or "",
        own=own,
        new=Place(chart, ("valuesInline",), ("helmCharts", number, "valuesInline")),
        below=(*own_values(index, source, in_tree=in_tree), *order[:at_own]),
        above=tuple(reversed(order[at_own + 1 :])),
        values=plain_values(layer.values for layer in order),
        source=source,
        kube_version=chart.text("kubeVersion"),
        api_versions=tuple(texts(chart, "apiVersions")),
        post_renderers=_entries_over(builds, at.folder),
    )


def _entries_over(builds: Builds, folder: str) -> tuple[Mapping[str, Any], ...]:
    """The entries that come behind a kustomization's charts, as a post-renderer has them."""
    images = [to_images_item(entry) for entry in builds.entries_over(folder)]
    return ({"kustomize": {"images": images}},) if images else ()


def _chart(index: Index, name: str, chart: MapNode, local: str | None) -> tuple[ChartSource, bool]:
    """The chart, and whether it is in the tree."""
    if local is not None and local in index.charts:
        return local_chart(index, local), True
    url, version = (chart.text("repo") or "").rstrip("/"), chart.text("version")
    if url.startswith("oci://"):
        return remote_chart(SourceKind.HELM_OCI, name, f"{url}/{name}", version), False
    return remote_chart(SourceKind.HELM_HTTP, name, url, version), False
