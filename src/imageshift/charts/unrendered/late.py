"""Releases for which a change arrives late: Flux builds charts from Git anew by version (E3.2)."""

from collections.abc import Collection, Iterator

from msgspec import Struct

from imageshift.charts.model import ChartError
from imageshift.charts.releases.sources import ChartSources
from imageshift.charts.releases.spec import to_filled
from imageshift.charts.unrendered.value_stacks import release_specs
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.links.reach import Reach
from imageshift.sites import resource_of
from imageshift.sites.model import below
from imageshift.source import Place

__all__ = ["Late", "late_releases"]


class Late(Struct, frozen=True):
    """A release with its chart's folder, where only what Flux packs into the chart changes."""

    file: str
    place: Place
    chart: str


def late_releases(index: Index, reach: Reach, changed: Collection[str]) -> Iterator[Late]:
    """The releases of which only their chart's files are among the changed ones.

    Flux goes on with the chart that it has until Chart.yaml has another version, unless
    `reconcileStrategy: Revision` is set.
    """
    sources = ChartSources(index, reach, {})
    for file, document, root in release_specs(index):
        if file in changed:
            continue
        resource = resource_of(root)
        try:
            plain = to_filled(below(root, "spec"), {})
            pick = sources.pick(plain, resource.namespace or "default", resource.name)
        except ChartError:
            continue
        if pick.late and pick.source.path is not None:
            folder = index.workspace.relative(pick.source.path)
            if _is_made_of(folder, pick.values_files, changed):
                yield Late(file, document.place(root.start), folder or ".")


def _is_made_of(folder: str, values_files: Collection[str], changed: Collection[str]) -> bool:
    """Whether Flux packs one of the changed files into the chart that it builds of a folder."""
    inside = f"{folder}/".lstrip("/")
    values = {join("", name) for name in values_files} or {f"{inside}values.yaml"}
    more = (f"{inside}templates/", f"{inside}charts/")
    return any(name in values or name.startswith(more) for name in changed)
