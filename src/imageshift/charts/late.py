"""Releases for which a change arrives late, or whose charts a run doesn't see.

Flux builds charts from Git anew by version (E3.2).
"""

from collections.abc import Collection, Iterator

from msgspec import Struct

from imageshift.charts.model import ChartError
from imageshift.charts.sources import ChartPick, ChartSources
from imageshift.charts.spec import to_filled
from imageshift.charts.value_stacks import REMOTE, release_specs
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.links.reach import Reach
from imageshift.sites import resource_of
from imageshift.sites.flux import ChartReference
from imageshift.sites.model import below
from imageshift.source import Place

__all__ = ["Late", "late_releases", "unread_releases"]


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
    for file, place, pick in _picks(index, reach):
        if file not in changed and pick is not None and pick.late and pick.source.path is not None:
            folder = index.workspace.relative(pick.source.path)
            if _is_made_of(folder, pick.values_files, changed):
                yield Late(file, place, folder or ".")


def unread_releases(index: Index, reach: Reach) -> Iterator[str]:
    """The files of releases whose chart isn't in the tree, one for each release."""
    yield from (r.file for r in index.all_releases if r.chart.source_kind in REMOTE)
    for file, _, pick in _picks(index, reach):
        if pick is None or pick.source.path is None:
            yield file


def _picks(index: Index, reach: Reach) -> Iterator[tuple[str, Place, ChartPick | None]]:
    """The releases with charts from Git, with their places; None where nothing leads to one."""
    sources = ChartSources(index, reach, {})
    for file, document, root in release_specs(index, from_git=True):
        resource = resource_of(root)
        reference = ChartReference.read(below(root, "spec"), resource.namespace)
        if reference.source_kind in REMOTE:
            continue
        spec = to_filled(below(root, "spec"), {})
        if not {"chart", "chartRef"}.intersection(spec):
            continue
        try:
            pick = sources.pick(spec, resource.namespace or "default", resource.name)
        except ChartError:
            pick = None
        yield file, document.place(root.start), pick


def _is_made_of(folder: str, values_files: Collection[str], changed: Collection[str]) -> bool:
    """Whether Flux packs one of the changed files into the chart that it builds of a folder."""
    inside = f"{folder}/".lstrip("/")
    values = {join("", name) for name in values_files} or {f"{inside}values.yaml"}
    more = (f"{inside}templates/", f"{inside}charts/")
    return any(name in values or name.startswith(more) for name in changed)
