"""Post-renderers on revert: what the migration added to their entries goes away again.

They match rendered text (fact X3). What a chart names itself is never in the cache, so an entry
for a name there is needed only while the release's own values name it.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.inventory import FileScan
from imageshift.links.behind_charts import builds_behind_charts
from imageshift.links.builds import Builds
from imageshift.links.model import Build, Entries, EntrySource, SiteKey
from imageshift.rewrite import Change, Kept, Mapper, Move, plan_site
from imageshift.sites import ImageSite, SiteKind, resource_of
from imageshift.sites.entries import entry_site
from imageshift.solve.edits import entry_edits, join_edits
from imageshift.solve.leaves import site_key
from imageshift.solve.names import NameMap, NameMaps
from imageshift.solve.undo import is_emptied, undone
from imageshift.source import Edit

__all__ = ["RenderersBack", "renderers_back"]


_IGNORE = "imageshift: ignore"


class RenderersBack(Struct):
    """What happens to the entries of post-renderers, and to the values that they match."""

    results: dict[SiteKey, Change] = field(default_factory=dict)
    extras: dict[str, list[Change | Kept]] = field(default_factory=dict)
    moves: dict[str, frozenset[Move]] = field(default_factory=dict)

    def decided(self, site: ImageSite, file: str) -> Change | None:
        """What happens to an entry's newName, or to a value that lost its entry."""
        return self.results.get(site_key(site, file)) if self.results else None

    def tails(self, _site: ImageSite, _file: str) -> tuple[str, ...]:
        """None."""
        return ()

    def extra(self, file: str) -> list[Change | Kept]:
        """Entries that change and have no newName."""
        return self.extras.get(file, [])


def renderers_back(
    builds: Builds,
    mapper_of: Callable[[str], Mapper],
    scan: Callable[[str], FileScan],
    writable: Callable[[str], bool],
) -> RenderersBack:
    """Reverting every list of entries in the post-renderers of the releases."""
    found, names = RenderersBack(), NameMaps(mapper_of)
    entries: list[EntrySource] = []
    for build in builds_behind_charts(builds.index, builds.reach, entries):
        file = build.file
        if not writable(file) or scan(file).skips:
            continue
        for sources in _lists(build, entries):
            values = _matched(scan(file), build, sources, names.of(file))
            if all(isinstance(each, Change) for each in values):
                _take_back(sources, names.of(file), found)
                # An entry that goes with them keeps no chart from moving them.
                changes = (each for each in values if isinstance(each, Change))
                found.results |= {site_key(each.site, file): each for each in changes}
    return found


def _lists(build: Build, entries: list[EntrySource]) -> Iterator[list[EntrySource]]:
    for effect in build.of(Entries):
        sources = [entries[number] for number in effect.own]
        items, text = sources[0].items, sources[0].document.source.text
        if _IGNORE not in text[items.start : items.end]:
            yield sources


def _matched(
    scanned: FileScan, build: Build, sources: list[EntrySource], names: NameMap
) -> list[Change | Kept]:
    """What happens to the values in the cache that an entry matches."""
    return [
        plan_site(site, names.mapper)
        for site in scanned.sites
        if site.kind is SiteKind.VALUES
        and build.holds(site)
        and any(source.entry.matches(site.name_text) for source in sources)
        and names.name(site.name_text) != site.name_text
    ]


def _take_back(sources: list[EntrySource], names: NameMap, found: RenderersBack) -> None:
    made = undone(sources, names, rename=False)
    told = [each for source in sources for each in _told(source, names)]
    for source in sources:
        if source.number not in made:
            continue
        new = made[source.number]
        emptied = is_emptied(source, sources, made)
        edits = [e for _, each in entry_edits(source, new, emptied=emptied) for e in each]
        own = [change for change in _told(source, names) if change.site.path[-1] == "newName"]
        if own and (not new or not new[0].new_name):
            key = site_key(own[0].site, source.file)
            found.results[key] = _with(own[0], edits)
        elif edits and told:
            found.extras.setdefault(source.file, []).append(_with(told[0], edits))


def _told(source: EntrySource, names: NameMap) -> Iterator[Change]:
    """The changes that an entry's names would be by themselves."""
    for key in ("newName", "name"):
        resource, path = resource_of(source.document.mapping), ("images", source.index)
        if source.mapping is not None:
            site = entry_site(source.document, source.mapping, key, resource, path)
            planned = None if site is None else plan_site(site, names.mapper)
            if isinstance(planned, Change):
                yield planned


def _with(change: Change, edits: list[Edit]) -> Change:
    return replace(change, edits=tuple(join_edits(edits)))
