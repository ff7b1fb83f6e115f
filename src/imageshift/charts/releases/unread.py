"""How many charts nobody reads, so that a report doesn't look complete when it isn't."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from imageshift.charts.fetch.locate import Locator
from imageshift.charts.releases.flux import ReleaseText, read_releases
from imageshift.charts.releases.others import read_other_releases
from imageshift.charts.releases.sources import ChartSources
from imageshift.inventory import Index, Release
from imageshift.inventory.helmfiles import templated_releases
from imageshift.inventory.readers import join, read_documents
from imageshift.links.builds import Builds
from imageshift.source import Mapping as MapNode

__all__ = ["unread_anyway", "unread_releases"]


def unread_releases(
    builds: Builds, known: Mapping[str, Path], written: Callable[[str], bool]
) -> int:
    """How many releases of files that are `written` have charts outside the tree.

    The charts in the tree are read as text where they aren't rendered.
    """
    index, reach, number, rest = builds.index, builds.reach, 0, list[str]()
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
    locator = Locator(known=known)
    return number + sum(1 for each in found if written(each.file) and _is_elsewhere(each, locator))


def _by_file(index: Index) -> dict[str, list[Release]]:
    found: dict[str, list[Release]] = {}
    for release in index.all_releases:
        found.setdefault(release.file, []).append(release)
    return found


def _is_elsewhere(text: ReleaseText, locator: Locator) -> bool:
    is_local = locator.known_path(text.release.source) is not None and text.error is None
    return text.base is None and not is_local


def unread_anyway(index: Index, used: Collection[Path], written: Callable[[str], bool]) -> int:
    """How many charts are read in no mode.

    They are the charts of helmfile's releases over which a template decides, and the charts in the
    tree that have dependencies outside it. Charts that are `used` count with their releases.
    """
    whole = (each for each in index.charts if index.workspace.absolute(each) not in used)
    found = sum(_lacks_dependency(index, folder, written) for folder in whole)
    for file in filter(written, index.helmfiles):
        folder = file.rpartition("/")[0]
        for release in templated_releases(index.workspace, file):
            chart = release.text("chart") or ""
            found += bool(chart) and join(folder, chart) not in index.charts
    return found


def _lacks_dependency(index: Index, folder: str, written: Callable[[str], bool]) -> bool:
    """Whether a chart has dependencies that lie in a repository alone."""
    below = f"{folder}/" if folder else ""
    file = f"{below}Chart.yaml"
    if f"{below}charts" in index.folders or not written(file):
        return False
    found = read_documents(index.workspace, file)
    items = (item for each in found for item in each.mapping.items("dependencies"))
    urls = [item.text("repository") for item in items if isinstance(item, MapNode)]
    return any(url and not url.startswith("file:") for url in urls)
