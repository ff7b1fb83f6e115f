"""Entries of `images:` lists for the cache that match nothing of what their builds are made of."""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from imageshift.entry import Entry
from imageshift.errors import SourceError
from imageshift.inventory import FileScan, is_kept
from imageshift.links.builds import Graph
from imageshift.links.model import Build, EntrySource, reached
from imageshift.mapper import Forward
from imageshift.rewrite import Change, removal
from imageshift.rot import PRUNE, Rot, RotCode
from imageshift.sites import Confidence, ImageSite, Part, Role, SiteKind, resource_of
from imageshift.solve.edits import entry_edits, join_edits
from imageshift.solve.names import NameMaps
from imageshift.solve.search import Solution
from imageshift.solve.undo import is_emptied
from imageshift.source import Edit, Scalar

__all__ = ["DeadEntries", "pruned_entries"]

Dead = tuple[EntrySource, Rot]


class DeadEntries(Struct, frozen=True):
    """Finds them: only where every build that has the entry is known down to its last text."""

    graph: Graph
    solution: Solution
    names: NameMaps
    scan: Callable[[str], FileScan]

    def find(self) -> list[Dead]:
        """The dead entries with what is said about them."""
        holders: dict[int, list[Build]] = {}
        for build in self.graph.builds.values():
            for number in build.entries:
                holders.setdefault(number, []).append(build)
        return [
            (source, self._rot(source))
            for source in self.graph.entries
            if self._is_dead(source, holders.get(source.number, []))
        ]

    def _is_dead(self, source: EntrySource, holders: Sequence[Build]) -> bool:
        entry, seen = source.entry, self.solution.simulation.seen.get(source.number)
        mapper = self.names.of(source.file).mapper
        if not holders or entry.problem or entry.literal is None or "$" in entry.name:
            return False
        if not isinstance(mapper, Forward):
            return False
        host = f"{mapper.rules.registry.host}/"
        if not (entry.new_name.startswith(host) or entry.name.startswith(host)):
            return False
        if seen is not None and (seen.matched or seen.unknown):
            return False
        place = source.document.place(source.node.start)
        kept = is_kept(self.scan(source.file).source, place.line)
        return not kept and all(self._is_known(build) for build in holders)

    def _is_known(self, build: Build) -> bool:
        """Whether all that comes into a build, and all that it does, is known."""
        keys = reached([build.key], self._children)
        parts = [self.graph.builds[key] for key in keys if key in self.graph.builds]
        return len(parts) == len(keys) and all(map(self._is_plain, parts))

    def _children(self, key: str) -> list[str]:
        build = self.graph.builds.get(key)
        return [] if build is None else build.children

    def _is_plain(self, build: Build) -> bool:
        if build.unknown or build.remote or build.inflated or build.is_release:
            return False
        if build.is_component:
            return False
        root = None if build.document is None else build.document.mapping
        if root is not None and any(root.get(key) is not None for key in _OPAQUE):
            return False
        return not any(self.scan(file).skips for file in build.files)

    def _rot(self, source: EntrySource) -> Rot:
        place = source.document.place(source.node.start)
        message = f"no image of what is built here is named {source.entry.name}"
        return Rot(RotCode.DEAD, source.file, place, message, PRUNE)


# With these, images come from elsewhere, or entries reach more than containers.
_OPAQUE = (
    "configurations",
    "transformers",
    "generators",
    "helmCharts",
    "helmChartInflationGenerator",
)


def pruned_entries(
    graph: Graph, dead: Sequence[EntrySource], names: NameMaps
) -> Iterator[tuple[str, Change]]:
    """The changes that take entries out, by file."""
    gone: dict[int, tuple[Entry, ...]] = {source.number: () for source in dead}
    for source in dead:
        emptied = is_emptied(source, graph.entries, gone)
        try:
            written = entry_edits(source, (), emptied=emptied)
        except SourceError:
            continue
        edits = tuple(join_edits([edit for _, each in written for edit in each]))
        mapper = names.of(source.file).mapper
        change = _change(source, edits, mapper) if edits and isinstance(mapper, Forward) else None
        if change is not None:
            yield source.file, change


def _change(source: EntrySource, edits: tuple[Edit, ...], mapper: Forward) -> Change | None:
    """The removal of an entry, told by the first of its names that is one."""
    start, names = source.node.start, (source.entry.new_name, source.entry.name)
    scalar = source.scalar or Scalar(start, start, None, names[0] or names[1], "", None)
    site = ImageSite(
        kind=SiteKind.KUSTOMIZE,
        document=source.document,
        path=("images", source.index),
        parts=(Part(Role.REPOSITORY, scalar, ("images", source.index)),),
        resource=resource_of(source.document.mapping),
        confidence=Confidence.EXACT,
    )
    return removal(site, names, edits, mapper.rules)
