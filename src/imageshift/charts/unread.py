"""How many charts nobody reads, so that a report doesn't look complete when it isn't."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from imageshift.charts.model import SourceKind
from imageshift.charts.other_tools import read_other_releases
from imageshift.charts.releases import ReleaseText, read_releases
from imageshift.charts.sources import ChartSources
from imageshift.inventory import Index, Release
from imageshift.inventory.helmfiles import templated_releases
from imageshift.inventory.readers import join, read_documents
from imageshift.links.builds import Builds
from imageshift.links.reach import Reach
from imageshift.source import Mapping as MapNode

__all__ = ["unread_anyway", "unread_releases"]


def unread_releases(
    index: Index,
    reach: Reach,
    builds: Builds,
    known: Mapping[str, Path],
    written: Callable[[str], bool],
) -> int:
    """How many releases of files that are `written` have charts outside the tree.

    The charts in the tree are read as text where they aren't rendered.
    """
    number, rest = 0, []
    for file, releases in _by_file(index).items():
        if file in index.patch_files:
            continue  # each stands for a release of another file
        if known or not all(release.chart.is_remote for release in releases):
            rest.append(file)
        elif written(file):
            number += sum(
                1 for release in releases if release.chart.chart or release.chart.source_name
            )
    found = read_releases(index, reach, ChartSources(index, reach, known), rest) if rest else []
    found += read_other_releases(index, builds)
    return number + sum(1 for each in found if written(each.file) and _is_elsewhere(each))


def _by_file(index: Index) -> dict[str, list[Release]]:
    found: dict[str, list[Release]] = {}
    for release in index.all_releases:
        found.setdefault(release.file, []).append(release)
    return found


def _is_elsewhere(text: ReleaseText) -> bool:
    is_local = text.release.source.kind is SourceKind.LOCAL and text.error is None
    return text.base is None and not is_local


def unread_anyway(index: Index, written: Callable[[str], bool]) -> int:
    """How many charts are read in no mode.

    They are the charts of helmfile's releases over which a template decides, and the charts in the
    tree that have dependencies outside it.
    """
    found = sum(1 for folder in index.charts if any(_missing(index, folder, written)))
    for file in filter(written, index.helmfiles):
        folder = file.rpartition("/")[0]
        for release in templated_releases(index.workspace, file):
            chart = release.text("chart") or ""
            found += bool(chart) and join(folder, chart) not in index.charts
    return found


def _missing(index: Index, folder: str, written: Callable[[str], bool]) -> Iterator[str]:
    """The dependencies of a chart that lie in a repository alone."""
    below = f"{folder}/" if folder else ""
    file = f"{below}Chart.yaml"
    inside = index.folders.get(f"{below}charts")
    if inside is not None or not written(file):
        return
    for document in read_documents(index.workspace, file):
        for item in document.mapping.items("dependencies"):
            url = (item.text("repository") or "") if isinstance(item, MapNode) else ""
            if url and not url.startswith("file:"):
                yield url
