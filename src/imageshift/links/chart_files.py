"""The values files of a release's chart, where they lie in this repository (E3.1, E3.2)."""

from msgspec import Struct

from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import read_documents
from imageshift.links.sources import is_own_source
from imageshift.sites import resource_of
from imageshift.source import Mapping

__all__ = ["ChartFilesInTree", "chart_files"]

_EMPTY = Mapping(0, None, flow=False)
_VALUES = ("values.yaml", "values.yml")


class ChartFilesInTree(Struct, frozen=True):
    """The files, lowest first; `late` says that their edits arrive behind those of the release."""

    files: tuple[str, ...] = ()
    late: bool = False


def chart_files(index: Index, root: Mapping) -> ChartFilesInTree:
    """The values files of a HelmRelease's chart; none where the chart comes from elsewhere."""
    spec = root.mapping("spec") or _EMPTY
    space = resource_of(root).namespace
    chart = (spec.mapping("chart") or _EMPTY).mapping("spec") or _referenced(index, spec, space)
    source = chart.mapping("sourceRef") or _EMPTY
    kind, name = source.text("kind") or "", source.text("name") or ""
    folder = join("", (chart.text("chart") or "").lstrip("/") or ".")
    own = is_own_source(index, kind, source.text("namespace") or space, name)
    if folder is None or kind not in {"GitRepository", "Bucket"} or not own:
        return ChartFilesInTree()
    old = chart.text("valuesFile")
    named = [join("", n.lstrip("/")) for n in ([old] if old else []) + texts(chart, "valuesFiles")]
    files = named or [f"{folder}/{name}".lstrip("/") for name in _VALUES]
    late = chart.text("reconcileStrategy") != "Revision"
    return ChartFilesInTree(tuple(file for file in files if file in index.files), late)


def _referenced(index: Index, spec: Mapping, space: str) -> Mapping:
    """The spec of the HelmChart that a release refers to."""
    reference = spec.mapping("chartRef") or _EMPTY
    name = reference.text("name") or ""
    if reference.text("kind") != "HelmChart":
        return _EMPTY
    found = index.source("HelmChart", reference.text("namespace") or space, name)
    for document in () if found is None else read_documents(index.workspace, found.file):
        root = document.mapping
        if root.text("kind") == "HelmChart" and resource_of(root).name == name:
            return root.mapping("spec") or _EMPTY
    return _EMPTY
