"""From sites to files: what each file becomes, and writing those that hold together, together."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Sequence as Sequence_
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from imageshift.diff import unified_diff
from imageshift.errors import ChangedError, SourceError
from imageshift.inventory import FileScan, FileSkip, FluxKustomization, Index, scan_file
from imageshift.inventory.leftovers import Leftovers
from imageshift.inventory.parsed import read_parsed
from imageshift.repo.workspace import Passed, Workspace
from imageshift.repo.write import Write
from imageshift.repo.writer import Writer, writing
from imageshift.rewrite import (
    Change,
    Kept,
    Mapper,
    Move,
    Status,
    plan_site,
    reconcile,
    with_value,
)
from imageshift.rot import Rot
from imageshift.sites import FileRole, FinderContext, ImageSite, SkipReason
from imageshift.sites.kustomization import is_kustomization
from imageshift.source import (
    Place,
    SourceText,
    apply_edits,
    hide_secrets,
    same_but_for,
)

__all__ = [
    "ChartAnswers",
    "ChartProblem",
    "Decisions",
    "FilePlan",
    "Planner",
    "Surroundings",
    "apply_plans",
    "plan_text",
    "refused",
    "same_but_for",
    "unread_plan",
]

Result = Change | Kept

_TOGETHER = "it depends on a change in {}, which can't be made"
_NOT_WRITTEN = frozenset({SkipReason.CHANGED, SkipReason.UNWRITABLE})


class FilePlan(Struct, frozen=True):
    """The result for one file. `before` and `after` are its bytes, equal if nothing changes."""

    file: str
    scan: FileScan
    results: tuple[Result, ...]
    skips: tuple[FileSkip, ...]
    before: bytes
    after: bytes

    @property
    def changes(self) -> tuple[Change, ...]:
        """The sites that move."""
        return tuple(result for result in self.results if isinstance(result, Change))

    @property
    def refused(self) -> bool:
        """Whether changes of the file couldn't be written."""
        kept = (result for result in self.results if isinstance(result, Kept))
        return any(result.reason in _NOT_WRITTEN for result in kept)

    @property
    def text(self) -> str:
        """The new content of the file as text; bytes that aren't valid UTF-8 are replaced."""
        return self.after.decode(errors="replace")

    @property
    def moves(self) -> frozenset[Move]:
        """The moves that the file is part of."""
        return frozenset(change.move for change in self.changes if change.move is not None)

    def diff(self, name: str | None = None) -> str:
        """The change as a unified diff, in which the file is called `name`.

        Values of Secrets are hidden, and a diff with such lines can't be applied.
        """
        if self.before == self.after:
            return ""
        return unified_diff(name or self.file, *hide_secrets(self.before, self.after))


class Decisions(Protocol):
    """What is decided over sites by more than their own file: by the graph, or by charts."""

    def decided(self, site: ImageSite, file: str) -> Result | None:
        """What happens to a site; None where only its own text counts."""
        ...

    def extra(self, file: str) -> Sequence_[Result]:
        """Results in a file that no site of its scan stands for."""
        ...

    def tails(self, site: ImageSite, file: str, /) -> Iterable[str]:
        """The tags and digests that builds put behind a name which a site gives alone."""
        ...

    @property
    def moves(self) -> Mapping[str, Iterable[Move]]:
        """The moves that each file takes part in."""
        ...


Unproven = dict[str, dict[int, str]]
"""Why images have to stay since a build would get another one, by file and offset."""

WHOLE_FILE = -1
"""Stands for an offset where everything in a file has to stay."""

Missing = dict[tuple[str, int], frozenset[str]]
"""Images that stay in a build although an entry would move them, by release (file and offset)."""


class ChartAnswers(Decisions, Protocol):
    """What rendered charts decide, and what was in the way of rendering."""

    @property
    def problems(self) -> Sequence_["ChartProblem"]:
        """The releases for which the rules for texts hold."""
        ...

    @property
    def notes(self) -> Sequence_["ChartProblem"]:
        """What else should be known of a release."""
        ...

    @property
    def rot(self) -> Sequence_[Rot]:
        """The overrides that no longer fit their charts."""
        ...

    @property
    def used(self) -> Collection[Path]:
        """The folders and archives of releases' charts."""
        ...

    def look_back(
        self, index: Index, plan: Callable[[str], "FilePlan | None"]
    ) -> tuple[Unproven, Missing]:
        """What has to be decided otherwise: see `Unproven` and `Missing`; both empty when done."""
        ...

    def renders(self, file: str, offset: int) -> bool:
        """Whether what begins at a place of a file is a release that was rendered."""
        ...

    def left(self) -> Iterable[tuple[str, Kept]]:
        """The written images that stay for what their charts render, with their files."""
        ...

    def story(self, site: ImageSite, file: str) -> Sequence_[str]:
        """Sentences about what renders a site's image."""
        ...


class ChartProblem(Protocol):
    """Something to say about a release, with its place."""

    @property
    def file(self) -> str:
        """Where it is written."""
        ...

    @property
    def place(self) -> Place:
        """Where in the file."""
        ...

    @property
    def message(self) -> str:
        """What there is to say."""
        ...

    @property
    def hint(self) -> str | None:
        """What to do about it."""
        ...

    @property
    def code(self) -> str:
        """The warning that it is; empty for what is only said."""
        ...


class Surroundings(Protocol):
    """What the objects that build a file say about it."""

    def substitutes(self, file: str) -> dict[str, str]:
        """The variables that have one value wherever the file is built."""
        ...

    def is_forced(self, file: str) -> bool:
        """Whether objects that can't be changed are recreated."""
        ...

    def built_by(self, flux: FluxKustomization) -> frozenset[str]:
        """The files that a Flux Kustomization builds."""
        ...

    def closure(self, folder: str) -> frozenset[str]:
        """The files that building a folder includes."""
        ...


class Planner:
    """Plans files one by one, so that memory doesn't grow with their number.

    `decide` is asked once, at the first plan; the first of its answers that decides over a site
    counts. `leftovers` lists what no finder claims; without it that isn't looked for.
    """

    def __init__(
        self,
        index: Index,
        mapper_of: Callable[[str], Mapper],
        decide: Callable[["Planner"], Sequence_[Decisions]],
        surroundings: Callable[[], Surroundings],
        leftovers: Leftovers | None = None,
    ) -> None:
        self._index = index
        self._leftovers = leftovers
        self._workspace = index.workspace
        self._mapper_of = mapper_of
        self._decide_all = decide
        self._surroundings = surroundings
        self._scan = lru_cache(maxsize=256)(self._scan_now)
        self._decisions: Sequence_[Decisions] | None = None
        self._moves: dict[str, set[Move]] = {}
        self._broken: dict[Move, str] = {}

    @property
    def decisions(self) -> Sequence_[Decisions]:
        """What is decided over more than one file, without the moves that can't be made whole.

        Raises:
            ChangedError: a file has changed meanwhile.
        """
        if self._decisions is None:
            self._decisions = self._decide_all(self)
            try:
                self._find_moves(self._decisions)
            except ChangedError:
                self._decisions = None
                raise
        return self._decisions

    def broken(self, move: Move) -> str | None:
        """The file in which a move can't be made; None where it can, as far as is known."""
        return self._broken.get(move)

    def scan(self, file: str) -> FileScan:
        """The sites of a file; a file that can't be read has a skip instead."""
        return self._scan(file)[0]

    def plans(self, files: Iterable[str]) -> Iterator[FilePlan]:
        """The plans of the files that hold anything to tell, in the order given."""
        _ = self.decisions  # before a file that changes is only left out
        for file in files:
            plan = self.plan(file)
            if plan is not None:
                yield plan

    def plan(self, file: str) -> FilePlan | None:
        """The plan of one file, or None when it holds nothing to tell."""
        try:
            return self._plan(file)
        except ChangedError as error:
            self._broken |= dict.fromkeys(self._moves.get(file, ()), file)
            detail = f"{'it' if error.file == file else error.file} changed while it was read"
            skip = FileSkip(file, None, None, SkipReason.CHANGED, detail)
            scan = FileScan(file, SourceText(""), skips=(skip,))
            return FilePlan(file, scan, (), scan.skips, b"", b"")

    def _plan(self, file: str) -> FilePlan | None:
        if self._is_silent(file) and not any(d.extra(file) for d in self.decisions):
            return None
        results = self._results(file)
        scan, content = self._scan(file)
        left, other = self._left(scan, content, results)
        skips = scan.skips if other is None else (*scan.skips, other)
        if not (results or skips or scan.policies or left):
            return None
        planned = [self._whole(result) for result in results] + left
        return _file_plan(scan, content, planned, skips)

    def _is_silent(self, file: str) -> bool:
        """Whether nothing in a file names an image."""
        naming = self._leftovers is not None and file in self._index.naming_files
        return file in self._index.silent_files and not naming

    def _left(
        self, scan: FileScan, content: bytes, results: list[Result]
    ) -> tuple[list[Result], FileSkip | None]:
        """What no finder claims, a file that can't be read aside."""
        if self._leftovers is None or not content:
            return [], None
        try:
            parsed = read_parsed(scan.file, content)
        except SourceError:
            return [], None
        sites, skip = self._leftovers.find(parsed, scan, [result.site for result in results])
        mapper = self._mapper_of(scan.file)
        return [plan_site(site, mapper) for site in sites], skip

    def other(self, file: str) -> FilePlan | None:
        """The plan of a file that no finder reads, or None when it names no image."""
        if self._leftovers is None:
            return None
        try:
            content = self._workspace.read_other(file)
        except SourceError:
            return None
        sites, skip = self._leftovers.find_other(file, content)
        if not (sites or skip):
            return None
        mapper = self._mapper_of(file)
        skips = () if skip is None else (skip,)
        scan = FileScan(file, SourceText(""), skips=skips)
        results = tuple(plan_site(site, mapper) for site in sites)
        return FilePlan(file, scan, results, skips, content, content)

    def _results(self, file: str) -> list[Result]:
        extra = [result for found in self.decisions for result in found.extra(file)]
        return reconcile([*(self._decide(site, file) for site in self.scan(file).sites), *extra])

    def _find_moves(self, decisions: Iterable[Decisions]) -> None:
        for found in decisions:
            for file, moves in found.moves.items():
                self._moves.setdefault(file, set()).update(moves)
        for file in self._moves:
            self._find_broken(file)

    def _find_broken(self, file: str) -> None:
        """Notes the moves that a file can't make its part of."""
        wanted = {
            change.move
            for found in self._decisions or ()
            for change in self._decided_changes(found, file)
        }
        scan, content = self._scan(file)
        results, _ = _settled(_source(scan, content), content, self._results(file))
        made = {result.move for result in results if isinstance(result, Change)}
        self._broken |= {move: file for move in wanted - made if move is not None}

    def _decided_changes(self, found: Decisions, file: str) -> Iterator[Change]:
        results = [found.decided(site, file) for site in self.scan(file).sites]
        yield from (r for r in (*results, *found.extra(file)) if isinstance(r, Change))

    def _whole(self, result: Result) -> Result:
        """A change, unless its move can't be made in another file."""
        move = result.move if isinstance(result, Change) else None
        file = None if move is None else self._broken.get(move)
        if file is None:
            return result
        return _withdrawn(result, SourceError(_TOGETHER.format(file), reason="conflict"))

    def _decide(self, site: ImageSite, file: str) -> Result:
        for found in self.decisions:
            decided = found.decided(site, file)
            if decided is not None:
                return self._told(decided, file)
        if site.skip is SkipReason.IMMUTABLE and self._jobs_may_change(file):
            site = replace(site, skip=None, detail=None)
        named = "${" in site.name_text
        variables = self._surroundings().substitutes(file) if named else None
        return plan_site(site, self._mapper_of(file), variables)

    def _told(self, decided: Result, file: str) -> Result:
        """A decision; where a text stays for its variable, with what Flux puts there."""
        if isinstance(decided, Change) or decided.reason is not SkipReason.VARIABLE:
            return decided
        variables = self._surroundings().substitutes(file)
        return with_value(decided, self._mapper_of(file), variables)

    def _jobs_may_change(self, file: str) -> bool:
        return self._index.rewrite_jobs or self._surroundings().is_forced(file)

    def _scan_now(self, file: str) -> tuple[FileScan, bytes]:
        try:
            content = self._workspace.read(file)
            return scan_file(file, content, self._index.context(file)), content
        except SourceError as error:
            return _unreadable(file, error), b""


def plan_text(file: str, content: bytes, mapper: Mapper) -> FilePlan:
    """What happens to a content by itself; the file's name says what it is."""
    name = file.rpartition("/")[2]
    is_values = re.fullmatch(r"values.*\.ya?ml", name) is not None
    kustomization = FileRole.KUSTOMIZATION if is_kustomization(name) else FileRole.OBJECTS
    context = FinderContext(role=FileRole.VALUES if is_values else kustomization)
    try:
        scan = scan_file(file, content, context)
    except SourceError as error:
        scan = _unreadable(file, error)
    results = [plan_site(site, mapper) for site in scan.sites]
    return _file_plan(scan, content, reconcile(results), scan.skips)


def unread_plan(passed: Passed) -> FilePlan:
    """The plan of what a walk had to pass over: nothing changes, and the reason is told."""
    reason = SkipReason.UNWRITABLE if passed.unread else SkipReason.IGNORED
    skip = FileSkip(passed.name, None, None, reason, passed.detail)
    scan = FileScan(passed.name, SourceText(""), skips=(skip,))
    return FilePlan(passed.name, scan, (), (skip,), b"", b"")


def _unreadable(file: str, error: SourceError) -> FileScan:
    skip = FileSkip(file, error.line, error.column, SkipReason(error.reason), str(error))
    return FileScan(file, SourceText(""), skips=(skip,))


def _file_plan(
    scan: FileScan, content: bytes, results: list[Result], skips: tuple[FileSkip, ...]
) -> FilePlan:
    results, after = _settled(_source(scan, content), content, results)
    return FilePlan(scan.file, scan, tuple(results), skips, content, after)


def _source(scan: FileScan, content: bytes) -> SourceText:
    """The text of a file, also of one that names no image and wasn't looked into."""
    return scan.source if scan.source.text or scan.skips else SourceText.decode(content)


def apply_plans(
    workspace: Workspace,
    plans: Iterable[FilePlan],
    writer: Writer | None = None,
    broken: Callable[[Move], str | None] = lambda _move: None,
) -> Iterator[FilePlan]:
    """Writes the files, those of one move together; yields each plan as it came out.

    A file that can't be written, or has changed meanwhile, comes back with its changes as
    skips, and so do the files that hold only together with it. Without a `writer` it waits for
    its turn itself. `broken` names the file in which a move can't be made, asked at the end.

    Raises:
        BusyError: another run writes to the tree.
        SourceError: nothing can be written at all.
    """
    if writer is None:
        with writing(workspace.root) as own:
            yield from apply_plans(workspace, plans, own, broken)
        return
    waiting: list[FilePlan] = []
    for plan in plans:
        if plan.moves:
            waiting.append(plan)
        else:
            yield from _write(workspace, writer, [plan])
    files = {move: broken(move) for plan in waiting for move in plan.moves}
    errors = {
        move: SourceError(_TOGETHER.format(file), reason="changed")
        for move, file in files.items()
        if file is not None
    }
    for group in _groups([_without(plan, errors) for plan in waiting]):
        yield from _write(workspace, writer, group)


def _write(workspace: Workspace, writer: Writer, group: list[FilePlan]) -> Iterator[FilePlan]:
    changed = [plan for plan in group if plan.before != plan.after]
    try:
        if changed:
            writer.write([_as_write(workspace, plan) for plan in changed])
    except SourceError as error:
        yield from _write_others(workspace, writer, group, error)
        return
    for plan in changed:
        workspace.pin(plan.file, plan.after)
    yield from group


def _write_others(
    workspace: Workspace, writer: Writer, group: list[FilePlan], error: SourceError
) -> Iterator[FilePlan]:
    """Writes what doesn't belong to the moves of the file that an error is about."""
    stuck = [plan for plan in group if workspace.absolute(plan.file) == error.path] or group
    yield from (refused(plan, error) for plan in stuck)
    reason = SourceError(_TOGETHER.format(stuck[0].file), reason=error.reason)
    errors = {move: reason for plan in stuck for move in plan.moves}
    for part in _groups([_without(plan, errors) for plan in group if plan not in stuck]):
        yield from _write(workspace, writer, part)


def _without(plan: FilePlan, errors: Mapping[Move, SourceError]) -> FilePlan:
    """A plan without the changes of some moves, with why they can't be made."""
    if not plan.moves & errors.keys():
        return plan
    moves = [each.move if isinstance(each, Change) else None for each in plan.results]
    reasons = [None if move is None else errors.get(move) for move in moves]
    left = [
        result if reason is None else _withdrawn(result, reason)
        for result, reason in zip(plan.results, reasons, strict=True)
    ]
    results, after = _settled(_source(plan.scan, plan.before), plan.before, left)
    return replace(plan, results=tuple(results), after=after)


def _as_write(workspace: Workspace, plan: FilePlan) -> Write:
    return Write(workspace.absolute(plan.file), plan.before, plan.after)


def refused(plan: FilePlan, error: SourceError) -> FilePlan:
    """The plan of a file that isn't written, with the reason at each of its changes."""
    results = tuple(_withdrawn(result, error) for result in plan.results)
    skips = plan.skips
    if plan.before != plan.after and not plan.changes:
        skips += (FileSkip(plan.file, None, None, SkipReason(error.reason), str(error)),)
    return replace(plan, results=results, skips=skips, after=plan.before)


def _groups(plans: list[FilePlan]) -> list[list[FilePlan]]:
    """The plans in groups that share moves, directly or through others."""
    groups: list[tuple[set[Move], list[FilePlan]]] = []
    for plan in plans:
        moves, members = set(plan.moves), [plan]
        for group in [group for group in groups if group[0] & moves]:
            groups.remove(group)
            moves |= group[0]
            members = [*group[1], *members]
        groups.append((moves, members))
    return [members for _, members in groups]


def _settled(
    source: SourceText, content: bytes, results: list[Result]
) -> tuple[list[Result], bytes]:
    """The results without the changes that can't be made, and what the others make of a content.

    The changes of one move stand or fall together.
    """
    units: dict[object, list[Result]] = {}
    for result in results:
        if isinstance(result, Change):
            units.setdefault(result.move or id(result), []).append(result)
    errors: dict[int, SourceError] = {}
    after = _fitted(source, [], list(units.values()), errors)
    left = [_withdrawn(r, errors[id(r)]) if id(r) in errors else r for r in results]
    return left, content if after == source.text else after.encode()


def _fitted(
    source: SourceText,
    kept: list[Result],
    units: list[list[Result]],
    errors: dict[int, SourceError],
) -> str:
    """The text with all changes that can be made, found by halving; the others go to `errors`."""
    try:
        after = _applied(source, [*kept, *(each for unit in units for each in unit)])
    except SourceError as error:
        if len(units) == 1:
            errors.update((id(each), error) for each in units[0])
            return _applied(source, kept)
        middle = len(units) // 2
        _fitted(source, kept, units[:middle], errors)
        return _fitted(source, kept, units[middle:], errors)
    kept += (each for unit in units for each in unit)
    return after


def _applied(source: SourceText, results: list[Result]) -> str:
    changes = [result for result in results if isinstance(result, Change)]
    edits = [edit for change in changes for edit in change.edits]
    if not edits:
        return source.text
    try:
        after = apply_edits(source.text, edits)
    except ValueError as error:
        raise SourceError(str(error), reason="conflict") from None
    documents = {id(file): file for file in (change.site.document.file for change in changes)}
    if not same_but_for(source, documents.values(), after, edits):
        raise SourceError("the edited text would not parse as planned", reason="style")
    return after


def _withdrawn(result: Result, error: SourceError) -> Result:
    if isinstance(result, Kept):
        return result
    return Kept(
        result.site,
        Status.SKIPPED,
        SkipReason(error.reason),
        str(error),
        result.before,
        result.after,
        result.rule,
    )
