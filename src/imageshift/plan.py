"""From sites to files: what each file becomes, and writing those that hold together, together."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from imageshift.errors import SourceError
from imageshift.inventory import FileScan, FileSkip, Index, scan_file
from imageshift.kustomize import Decisions, solve
from imageshift.kustomize.reach import Reach
from imageshift.rewrite import Change, Kept, Mapper, Status, plan_site, reconcile
from imageshift.sites import ImageSite, SkipReason
from imageshift.source import (
    Chunk,
    Document,
    Edit,
    Mapping,
    Node,
    Root,
    Scalar,
    Sequence,
    SourceText,
    apply_edits,
    reads_as,
    split_documents,
)
from imageshift.workspace import Workspace, Write, write_together

__all__ = ["FilePlan", "Planner", "apply_plans", "same_but_for"]

Result = Change | Kept


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What becomes of one file. `before` and `after` are its bytes, equal when nothing changes."""

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
    def moves(self) -> frozenset[int]:
        """The numbers of the moves that the file takes part in."""
        return frozenset(change.move for change in self.changes if change.move is not None)

    def diff(self, name: str | None = None) -> str:
        """The change as a unified diff; `name` is how the file is called in it."""
        if self.before == self.after:
            return ""
        shown = name or self.file
        lines = difflib.unified_diff(
            _lines(self.before), _lines(self.after), f"a/{shown}", f"b/{shown}"
        )
        return "".join(_ended(line) for line in lines)


class Planner:
    """Plans files one by one, so that memory doesn't grow with their number."""

    def __init__(
        self,
        index: Index,
        mapper_of: Callable[[str], Mapper],
        *,
        reach: Reach | None = None,
        writable: Callable[[str], bool] = lambda _file: True,
    ) -> None:
        self._index = index
        self._workspace = index.workspace
        self._mapper_of = mapper_of
        self._reach = reach or Reach(index)
        self._writable = writable
        self._scan = lru_cache(maxsize=256)(self._scan_now)
        self._decisions: Decisions | None = None

    @property
    def decisions(self) -> Decisions:
        """What the graph of kustomizations decides, computed at the first use."""
        if self._decisions is None:
            self._decisions = solve(
                self._index, self._mapper_of, self.scan, writable=self._writable
            )
        return self._decisions

    def scan(self, file: str) -> FileScan:
        """The sites of a file; a file that can't be read has a skip instead."""
        return self._scan(file)[0]

    def plans(self, files: Iterable[str]) -> Iterator[FilePlan]:
        """The plans of the files that hold anything to tell, in the order given."""
        for file in files:
            plan = self.plan(file)
            if plan is not None:
                yield plan

    def plan(self, file: str) -> FilePlan | None:
        """The plan of one file, or None when it holds nothing to tell."""
        scan, content = self._scan(file)
        extra = self.decisions.extra(file)  # noqa: S610 no database here
        if not (scan.sites or scan.skips or scan.policies or extra):
            return None
        decided = [self._decide(site, file) for site in scan.sites]
        results = reconcile([*decided, *extra])
        skips = scan.skips
        try:
            after = _applied(scan.source, results)
        except SourceError as error:
            results = [_withdrawn(result, error) for result in results]
            after = scan.source.text
        encoded = content if after == scan.source.text else after.encode()
        return FilePlan(file, scan, tuple(results), skips, content, encoded)

    def _decide(self, site: ImageSite, file: str) -> Result:
        decided = self.decisions.decided(site, file)
        if decided is not None:
            return decided
        mapper = self._mapper_of(file)
        if site.skip is SkipReason.IMMUTABLE and self._jobs_may_change(file):
            site = replace(site, skip=None, detail=None)
        variables = self._reach.substitutes(file) if "${" in site.name_text else None
        return plan_site(site, mapper, variables)

    def _jobs_may_change(self, file: str) -> bool:
        return self._index.rewrite_jobs or self._reach.is_forced(file)

    def _scan_now(self, file: str) -> tuple[FileScan, bytes]:
        try:
            content = self._workspace.read(file)
            return scan_file(file, content, self._index.context(file)), content
        except SourceError as error:
            reason = SkipReason(error.reason)
            skip = FileSkip(file, error.line, error.column, reason, str(error))
            return FileScan(file, SourceText(""), skips=(skip,)), b""


def apply_plans(workspace: Workspace, plans: Iterable[FilePlan]) -> Iterator[FilePlan]:
    """Writes the files, those of one move together; yields each plan as it came out.

    A file that can't be written, or has changed meanwhile, comes back with its changes as
    skips, and so do the files that hold only together with it.
    """
    waiting: list[FilePlan] = []
    for plan in plans:
        if plan.moves:
            waiting.append(plan)
        else:
            yield from _write(workspace, [plan])
    for group in _groups(waiting):
        yield from _write(workspace, group)


def _write(workspace: Workspace, group: list[FilePlan]) -> Iterator[FilePlan]:
    writes = [
        Write(workspace.absolute(plan.file), plan.before, plan.after)
        for plan in group
        if plan.before != plan.after
    ]
    try:
        if writes:
            write_together(writes)
        yield from group
    except SourceError as error:
        for plan in group:
            results = tuple(_withdrawn(result, error) for result in plan.results)
            yield replace(plan, results=results, after=plan.before)


def _groups(plans: list[FilePlan]) -> list[list[FilePlan]]:
    """The plans in groups that share moves, directly or through others."""
    groups: list[tuple[set[int], list[FilePlan]]] = []
    for plan in plans:
        moves, members = set(plan.moves), [plan]
        for group in [group for group in groups if group[0] & moves]:
            groups.remove(group)
            moves |= group[0]
            members = [*group[1], *members]
        groups.append((moves, members))
    return [members for _, members in groups]


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
        raise SourceError("the result would not read as planned", reason="style")
    return after


def same_but_for(
    before: SourceText, documents: Iterable[Document], after: str, edits: Iterable[Edit]
) -> bool:
    """Whether a text with edits reads as the same trees, but for the scalars that were edited.

    `documents` are those of the text before that the edits touch; the others aren't read. New
    keys and items are allowed only where an edit adds text without taking any away.
    """
    spans = sorted((edit.span.start, edit.span.end) for edit in edits)
    chunks = list(split_documents(SourceText(after)))
    if len(chunks) != sum(1 for _ in split_documents(before)):
        return False
    # A template has no tree; its lines were found to be what they are without one.
    old = {document.index: document.root for document in documents if document.root is not None}
    for chunk, following in zip(chunks, [*chunks[1:], None], strict=True):
        touched = [index for index in old if _holds(chunk, following, index)]
        if not touched:
            continue
        alike = len(touched) == 1 and reads_as(chunk.text, old[touched[0]], spans)
        if not alike and not _trees_alike(chunk, {index: old[index] for index in touched}, spans):
            return False
    return True


def _trees_alike(chunk: Chunk, old: dict[int, Root], spans: list[tuple[int, int]]) -> bool:
    adds = any(start == end for start, end in spans)
    try:
        new = {document.index: document.root for document in chunk.documents()}
    except SourceError:
        return False
    return all(
        index in new and _alike(root, new[index], spans, adds=adds) for index, root in old.items()
    )


def _holds(chunk: Chunk, following: Chunk | None, index: int) -> bool:
    return chunk.index <= index and (following is None or index < following.index)


def _alike(old: Node | None, new: Node | None, spans: list[tuple[int, int]], *, adds: bool) -> bool:
    if isinstance(old, Scalar) and isinstance(new, Scalar):
        return old.value == new.value or any(
            old.start <= start and end <= old.end for start, end in spans
        )
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        ours = [node for pair in old.own for node in pair]
        theirs = [node for pair in new.own for node in pair]
        return _in_order(ours, theirs, spans, 2, adds=adds)
    if isinstance(old, Sequence) and isinstance(new, Sequence):
        return _in_order(old.items, new.items, spans, 1, adds=adds)
    return old is None and new is None


def _in_order(
    old: list[Node], new: list[Node], spans: list[tuple[int, int]], step: int, *, adds: bool
) -> bool:
    """Whether every old member stands in the new ones, in order; more only where text is added."""
    if len(old) != len(new) and not adds:
        return False
    at = 0
    for index in range(0, len(old), step):
        members = old[index : index + step]
        while at < len(new) and not _all_alike(members, new[at : at + step], spans, adds=adds):
            at += step
            if not adds:
                return False
        if at >= len(new):
            return False
        at += step
    return True


def _all_alike(
    old: list[Node], new: list[Node], spans: list[tuple[int, int]], *, adds: bool
) -> bool:
    pairs = zip(old, new, strict=True)
    return all(_alike(one, other, spans, adds=adds) for one, other in pairs)


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


def _lines(content: bytes) -> list[str]:
    return re.split(r"(?<=\n)", content.decode())[: None if not content.endswith(b"\n") else -1]


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
