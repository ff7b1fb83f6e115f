"""From a solution to decisions about sites: which change together, and which stay for what reason.

Nothing here is about YAML or kustomize: the search has proved the plan, this says it in terms of
sites and edits.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import pairwise

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.cache import Mapped
from imageshift.entry import Entry, literal_name, split_image
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.inventory import FileScan, Index
from imageshift.inventory.readers import inflated_charts
from imageshift.links.builds import Builds, Graph, build_graph
from imageshift.links.entries import merged_steps
from imageshift.links.model import (
    Build,
    Entries,
    EntrySource,
    SiteKey,
    new_name_key,
)
from imageshift.links.remote import remote_site
from imageshift.rewrite import Backward, Change, Kept, Mapper, Move, Status, plan_site
from imageshift.rot import Rot
from imageshift.sites import (
    Confidence,
    ImageSite,
    Part,
    Role,
    SiteKind,
    SkipReason,
    resource_of,
)
from imageshift.sites.entries import entry_site
from imageshift.solve.backward import solve_backward
from imageshift.solve.dead import DeadEntries, pruned_entries
from imageshift.solve.edits import EntryEdits, added_edits, entry_edits, join_edits
from imageshift.solve.groups import Groups
from imageshift.solve.held import held_remotes
from imageshift.solve.leaves import Leaf, Leaves, Remote, read_leaves, site_key
from imageshift.solve.names import NameMaps
from imageshift.solve.search import Search, Solution
from imageshift.solve.simulate import Match
from imageshift.solve.tags import retagged, tails
from imageshift.solve.undo import is_emptied
from imageshift.source import Document, Edit, Scalar

__all__ = ["Decisions", "solve"]

_RENAMED = "in every build that uses it, an images entry already gives it its name in the cache"
_NAMES_FIXED = "it also names an image that must not change"


class _Stay(Struct, frozen=True):
    reason: SkipReason
    detail: str


class Decisions(Struct, frozen=True):
    """What the graph decides about sites; for all others `plan_site` holds.

    `rewritten` are edits in place of a site's own: Argo CD writes an entry's two names as one text;
    `full` are those whose new name is spelled in full.
    """

    mapper_of: Callable[[str], Mapper]
    stays: dict[SiteKey, _Stay] = field(default_factory=dict)
    moved: dict[SiteKey, Move] = field(default_factory=dict)
    rewritten: dict[SiteKey, tuple[Edit, ...]] = field(default_factory=dict)
    full: set[SiteKey] = field(default_factory=set)
    extras: dict[str, list[Change | Kept]] = field(default_factory=dict)
    known_tails: dict[SiteKey, tuple[str, ...]] = field(default_factory=dict)
    rot: list[Rot] = field(default_factory=list)

    def decided(self, site: ImageSite, file: str) -> Change | Kept | None:
        """What happens to a site, or None where the graph has nothing to say about it."""
        if not (self.stays or self.moved or self.rewritten or self.full):
            return None
        key = site_key(site, file)
        stay, move, edits = self.stays.get(key), self.moved.get(key), self.rewritten.get(key)
        if stay is None and move is None and edits is None and key not in self.full:
            return None
        # A name in full stays out of the way of entries for the short one.
        told = replace(site, needs_host=True) if key in self.full else site
        result = plan_site(told, self.mapper_of(file))
        if isinstance(result, Kept):
            return result
        if stay is None:
            return replace(result, move=move, edits=result.edits if edits is None else edits)
        return Kept(
            site, Status.SKIPPED, stay.reason, stay.detail, result.before, result.after, result.rule
        )

    def extra(self, file: str) -> list[Change | Kept]:
        """Changes of a file that no site of its scan stands for: names, and added entries."""
        return self.extras.get(file, [])

    def tails(self, site: ImageSite, file: str) -> tuple[str, ...]:
        """The tags and digests that a newName without one meets, as `:tag@digest`."""
        return self.known_tails.get(site_key(site, file), ()) if self.known_tails else ()

    @property
    def moves(self) -> dict[str, set[Move]]:
        """The moves that each file takes part in."""
        found: dict[str, set[Move]] = {}
        for key, move in self.moved.items():
            found.setdefault(key[0], set()).add(move)
        for file, extras in self.extras.items():
            moves = {e.move for e in extras if isinstance(e, Change) and e.move is not None}
            found.setdefault(file, set()).update(moves)
        return found


def solve(  # noqa: PLR0913 the tree, the mapping, and what this run may do
    index: Index,
    mapper_of: Callable[[str], Mapper],
    scan: Callable[[str], FileScan],
    *,
    writable: Callable[[str], bool] = lambda _: True,
    remote: Remote | None = None,
    backward: bool = False,
    builds: Builds | None = None,
    rendered: Callable[[str, int], bool] = lambda *_: False,
    prune: bool = False,
) -> Decisions:
    """The decisions for a workspace.

    `mapper_of` gives the mapper for what a file says, `scan` its sites, and `writable` whether
    this run may change it. `remote` gives the image texts of a remote base (`remote_images` builds
    it); then entries for them are added to the kustomization that names the base. `rendered` says
    of a release, by file and offset, that a rendering decides over its values. `backward` is
    the way out of the cache, on which the entries that the migration made go away; with `prune`
    those go that match nothing any more.

    Raises:
        ToolError: as `remote`.
    """
    if not index.has_entries and remote is None:
        return Decisions(mapper_of)
    found, files = Decisions(mapper_of), frozenset(index.files)

    def may_write(file: str) -> bool:
        return file in files and writable(file)

    builds = builds or Builds(index)
    released = () if backward else builds.of_releases
    graph = build_graph(builds, rendered=remote is not None, releases=released)
    for build in list(graph.builds.values()):
        if _is_rendered(build, graph, rendered):
            _leave_values(build, graph)
    if not graph.builds:
        return found
    leaves = read_leaves(graph, mapper_of, scan, may_write, remote)
    names = NameMaps(mapper_of)
    search = Search(graph, leaves, names, may_write)
    solution = solve_backward(graph, leaves, names, search) if backward else search.solution()
    _Report(graph, leaves, names, solution).add_to(found)
    if not backward:
        dead = DeadEntries(graph, solution, names, scan).find()
        found.rot.extend(rot for _, rot in dead)
        gone = [source for source, _ in dead] if prune else []
        for file, change in pruned_entries(graph, gone, names):
            found.extras.setdefault(file, []).append(change)
    return found


def _is_rendered(build: Build, graph: Graph, rendered: Callable[[str, int], bool]) -> bool:
    """Whether a rendering decides over the values of all charts behind which a build comes."""
    if build.document is None:
        return False
    known = graph.index.kustomizations.get(build.folder) if build.inflated else None
    charts = [chart for _, chart, _ in inflated_charts(known)] if known else [build.release]
    starts = [build.document.offset(chart.start) for chart in charts if chart is not None]
    return bool(starts) and all(rendered(build.file, start) for start in starts)


def _leave_values(build: Build, graph: Graph) -> None:
    """Leaves a build's values to the rendering; a HelmRelease's entries belong to that as well."""
    if build.is_release and not build.by_helmfile:
        del graph.builds[build.key]
    elif build.is_release:
        build.release, build.files = None, []
    build.inflated = ()


def _may_meet(entry: Entry, text: str) -> bool:
    """Whether an entry may match a text once the variable in its name has its value."""
    tail = split_image(text)[0].rpartition("}")[2]
    return not entry.literal or (bool(tail) and entry.literal.endswith(tail))


class _Report:
    """A solution as decisions."""

    def __init__(self, graph: Graph, leaves: Leaves, names: NameMaps, solution: Solution) -> None:
        self._graph = graph
        self._leaves = leaves
        self._names = names
        self._solution = solution
        self._groups = Groups()

    def add_to(self, found: Decisions) -> None:
        """Adds what the graph decides."""
        self._link()
        self._decide_texts(found)
        self._keep_variables(found)
        for source in self._graph.entries:
            self._decide_entry(source, found)
            self._decide_tags(source, found)
        for key, entries in self._solution.plan.added.items():
            self._decide_added(key, entries, found)
        for file, told in held_remotes(self._graph, self._leaves, self._names, self._solution):
            found.extras.setdefault(file, []).append(told)

    def _decide_texts(self, found: Decisions) -> None:
        for leaf in self._leaves.every:
            number = leaf.number
            if number in self._solution.placeholders:
                detail = self._solution.placeholders[number]
                found.stays[leaf.key] = _Stay(SkipReason.PLACEHOLDER, detail)
            elif number in self._solution.kept:
                moved = number in self._delivered_mapped
                reason = SkipReason.PLACEHOLDER if moved else SkipReason.CONFLICT
                detail = _RENAMED if moved else self._solution.kept[number]
                found.stays[leaf.key] = _Stay(reason, detail)
            elif number in self._solution.plan.texts:
                move = self._groups.move(("leaf", number))
                if move is not None:
                    found.moved[leaf.key] = move
                if self._solution.plan.texts[number] != self._names.of(leaf.file).text(leaf.text):
                    found.full.add(leaf.key)

    @cached_property
    def _delivered_mapped(self) -> set[int]:
        """The texts that come out of every root under their mapped names."""
        good: set[int] = set()
        bad: set[int] = set()
        for root in self._graph.roots():
            names = self._names.of(root.file)
            for flow in self._solution.simulation.outputs.get(root.key, ()):
                mapped = names.same_text(flow.after, names.text(flow.before))
                (good if mapped and flow.after != flow.before else bad).add(flow.leaf)
        return good - bad

    def _keep_variables(self, found: Decisions) -> None:
        """A text with a variable in its name stays where an entry meets it as it is written.

        So does one that would become a name which an entry then meets. One that the plan moves as
        it is written has the registry's own host for its variable.
        """
        for number, seen in self._solution.simulation.seen.items():
            for leaf in self._variable(seen.matched):
                detail = "an images entry matches the variable's own text"
                found.stays.setdefault(leaf.key, _Stay(SkipReason.VARIABLE, detail))
            for leaf in self._variable(seen.missed):
                if any(_may_meet(entry, leaf.text) for entry in self._planned(number)):
                    detail = "an images entry would match it with the variable's value in place"
                    found.stays.setdefault(leaf.key, _Stay(SkipReason.VARIABLE, detail))

    def _variable(self, matches: Iterable[Match]) -> Iterator[Leaf]:
        """The texts with a variable in their names that the plan doesn't move as they are."""
        for number in sorted({match.leaf for match in matches} - self._solution.plan.texts.keys()):
            leaf = self._leaves.every[number]
            if "$" in split_image(leaf.text)[0]:
                yield leaf

    def _planned(self, number: int) -> tuple[Entry, ...]:
        return self._solution.plan.entries.get(number, self._written(number))

    def _link(self) -> None:
        """Joins all changes that hold only together."""
        plan, simulation = self._solution.plan, self._solution.simulation
        for number, seen in simulation.seen.items():
            if number in plan.entries:
                for match in seen.matched:
                    if match.leaf in plan.texts:
                        self._groups.join(("entry", number), ("leaf", match.leaf))
        self._link_merged()
        self._link_lists()
        self._link_chains()
        self._link_tests()

    def _link_merged(self) -> None:
        """Entries that Flux merges change together."""
        lists = {e for build in self._graph.builds.values() for e in build.of(Entries)}
        for step in (s for each in lists for s in merged_steps(each, self._written)):
            changed = [n for n in step.sources if n in self._solution.plan.entries]
            for one, other in pairwise(changed):
                self._groups.join(("entry", one), ("entry", other))

    def _written(self, number: int) -> tuple[Entry, ...]:
        return (self._graph.entries[number].entry,)

    def _link_lists(self) -> None:
        """Entries of a list from which one goes away change together."""
        lists: dict[int, list[int]] = {}
        for source in self._graph.entries:
            if source.number in self._solution.plan.entries:
                lists.setdefault(id(source.items), []).append(source.number)
        for numbers in lists.values():
            if any(not self._solution.plan.entries[number] for number in numbers):
                for one, other in pairwise(numbers):
                    self._groups.join(("entry", one), ("entry", other))

    def _link_tests(self) -> None:
        """A JSON 6902 test changes together with what it compares with."""
        texts = self._solution.plan.texts
        for _, leaf, flows in self._solution.simulation.tests:
            for flow in flows:
                if flow.before == leaf.text and {flow.leaf, leaf.number} <= texts.keys():
                    self._groups.join(("leaf", flow.leaf), ("leaf", leaf.number))

    def _link_chains(self) -> None:
        """Entries that meet one text hold together when both change."""
        plan, met = self._solution.plan, dict[int, int]()
        for number, seen in self._solution.simulation.seen.items():
            if number in plan.entries:
                for match in seen.matched:
                    first = met.setdefault(match.leaf, number)
                    if first != number:
                        self._groups.join(("entry", first), ("entry", number))

    def _decide_entry(self, source: EntrySource, found: Decisions) -> None:
        frozen = self._solution.frozen.get(source.number)
        key = new_name_key(source)
        if frozen is not None:
            if key is not None:
                found.stays[key] = _Stay(SkipReason.CONFLICT, frozen)
            return
        made = self._solution.plan.entries.get(source.number)
        move = self._groups.move(("entry", source.number))
        if made is None:
            if key is not None and source.number in self._solution.simulation.seen:
                found.stays[key] = _Stay(SkipReason.CONFLICT, _NAMES_FIXED)
            return
        if key is not None and move is not None:
            found.moved[key] = move
        emptied = is_emptied(source, self._graph.entries, self._solution.plan.entries)
        written = entry_edits(source, made, emptied=emptied)
        loses = not made or (source.entry.new_name and not made[0].new_name)
        if key is not None and self._keeps_new_name(source, written[0][0]) and made:
            found.stays[key] = _Stay(SkipReason.CONFLICT, _NAMES_FIXED)
        elif key is not None and (loses or self._renames(source, made)):
            found.rewritten[key] = written.pop(0)[1]
        self._add_extra(source, written, move, found)

    def _renames(self, source: EntrySource, made: tuple[Entry, ...]) -> bool:
        """Whether the newName in Argo CD's short form changes, so that its site has the edit."""
        return source.scalar is not None and made[0].new_name != source.entry.new_name

    def _decide_tags(self, source: EntrySource, found: Decisions) -> None:
        """Tells what an entry makes of tags, where its own site doesn't."""
        seen, key = self._solution.simulation.seen.get(source.number), new_name_key(source)
        if seen is None:
            return
        if key is not None:
            found.known_tails[key] = tails(source.entry, seen)
        mapper = self._names.of(source.file).mapper
        if source.number in self._solution.plan.entries or isinstance(mapper, Backward):
            return
        for name, rule in retagged(source.entry, seen, mapper):
            kept = Kept(_site(source), Status.CACHED, None, None, name, name, rule)
            found.extras.setdefault(source.file, []).append(kept)

    def _keeps_new_name(self, source: EntrySource, first: Entry) -> bool:
        """Whether an entry keeps in its place a newName that would move by itself."""
        old = source.entry.new_name
        return old == first.new_name and self._names.of(source.file).name(old) != old

    def _add_extra(
        self,
        source: EntrySource,
        written: Iterable[EntryEdits],
        move: Move | None,
        found: Decisions,
    ) -> None:
        edits = join_edits([edit for _, each in written for edit in each])
        if not edits:
            return
        matched = sorted(self._solution.simulation.seen[source.number].matched)
        texts = [text for match in matched for text in (match.result, match.before)]
        texts += [split_image(text)[0] for text in texts]
        texts += [each.entry.name for each in self._graph.entries if each.items is source.items]
        site = _site(source)
        change = self._change(source.file, site, [site.text, *texts], tuple(edits), move)
        found.extras.setdefault(source.file, []).append(change)

    def _decide_added(self, key: str, entries: tuple[Entry, ...], found: Decisions) -> None:
        build = self._graph.builds[key]
        if build.document is None or not entries:
            return
        root = build.document.mapping
        try:
            written = added_edits(build.document, root, entries)
        except SourceError:
            return
        edits = tuple(join_edits([edit for _, each in written for edit in each]))
        start = edits[0].span.start
        for number, entry in enumerate(entries):
            for site in self._added_sites(build, number, entry, start):
                change = self._change(build.file, site, [site.text], edits, None)
                found.extras.setdefault(build.file, []).append(change)
                edits = ()

    def _added_sites(
        self, build: Build, number: int, entry: Entry, start: int
    ) -> Iterable[ImageSite]:
        """What an added entry is for: images of remote bases, or one of a generated file."""
        bases = [
            remote_site(base, leaf.text)
            for base, leaf in self._leaves.remote.get(build.key, ())
            if entry.matches(leaf.text)
        ]
        if bases or build.document is None:
            return bases
        scalar = _blank(start, literal_name(entry.name) or entry.name)
        return [_one_part(build.document, scalar, ("images", number))]

    def _change(
        self,
        file: str,
        site: ImageSite,
        texts: list[str],
        edits: tuple[Edit, ...],
        move: Move | None,
    ) -> Change:
        """The change of an entry, told by the first of its texts that moves."""
        mapper = self._names.of(file).mapper
        for text in texts:
            try:
                before = mapper.parse(text)
            except InvalidReferenceError:
                continue
            outcome = mapper.map(before)
            if isinstance(outcome, Mapped):
                return Change(site, before, outcome.target, outcome.rule, edits, move=move)
        raise AssertionError(f"an entry in {file} changes although none of its images does")


def _site(source: EntrySource) -> ImageSite:
    """The site of an entry as a whole: its name, or Argo CD's short form."""
    resource = resource_of(source.document.mapping)
    path = ("images", source.index)
    if source.mapping is not None:
        found = entry_site(source.document, source.mapping, "name", resource, path)
        if found is not None:
            return found
    scalar = source.scalar or _blank(source.node.start, source.entry.name)
    return _one_part(source.document, scalar, path)


def _one_part(document: Document, scalar: Scalar, path: tuple[str | int, ...]) -> ImageSite:
    return ImageSite(
        kind=SiteKind.KUSTOMIZE,
        document=document,
        path=path,
        parts=(Part(Role.REPOSITORY, scalar, path),),
        resource=resource_of(document.mapping),
        confidence=Confidence.EXACT,
    )


def _blank(offset: int, value: str) -> Scalar:
    """A scalar that isn't written yet, at the place where it will stand."""
    return Scalar(offset, offset, None, value, "", None)
