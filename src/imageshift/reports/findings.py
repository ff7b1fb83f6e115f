"""Findings: what a run has to say, each with a code, a level and a place, for every format."""

import os
from collections.abc import Callable, Container, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.advice import Notice, is_unsafe
from imageshift.inventory import FileSkip
from imageshift.plan import FilePlan
from imageshift.reports.codes import CODES, DOUBTFUL, NOT_CACHED, WRONG_PATH
from imageshift.rewrite import Change, Kept, Status
from imageshift.rot import Rot
from imageshift.sites import ImageSite, SkipReason
from imageshift.source import Place

__all__ = [
    "Finding",
    "Fix",
    "Level",
    "findings_of",
    "notice_findings",
    "place_of",
    "rot_findings",
]


class Level(StrEnum):
    """How much a finding counts: only an error changes the exit code."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Fix(Struct, frozen=True):
    """A range of a file, its end exclusive, and the text that belongs there."""

    start: Place
    end: Place
    text: str


class Finding(Struct, frozen=True, kw_only=True):
    """One finding.

    `subject` is the image that it refers to, or empty. `lines` are the lines of the file that it
    stands on, none where it refers to the whole file. `unsafe` says that an input couldn't be
    handled safely. `name` is the file's name below the root, which doesn't depend on where the run
    was started.
    """

    code: str
    level: Level
    message: str
    hint: str | None = None
    file: str | None = None
    name: str | None = None
    start: Place | None = None
    end: Place | None = None
    lines: tuple[int, ...] = ()
    subject: str = ""
    fixes: tuple[Fix, ...] = ()
    unsafe: bool = False


def findings_of(
    plan: FilePlan,
    shown: str,
    *,
    moves: Level = Level.ERROR,
    failing: Container[Status] = (),
) -> list[Finding]:
    """The findings of one file, in the order of their places.

    `moves` is the level of images that should move; images that stay are errors where their status
    is `failing`, or where they couldn't be handled safely.
    """
    found = {}
    for result in plan.results:
        finding = (
            _of_change(result, plan, shown, moves)
            if isinstance(result, Change)
            else _of_kept(result, plan, shown, failing)
        )
        if finding is not None:
            # Images that share one text by its anchor share its finding too.
            found[finding.start, finding.code, finding.subject] = finding
    skips = [_of_skip(skip, shown) for skip in plan.skips]
    return sorted([*found.values(), *skips], key=_order)


def notice_findings(notices: Iterable[Notice], root: Path) -> Iterator[Finding]:
    """Warnings as findings, one for each place, or one without a place."""
    for notice in notices:
        for text in notice.places or [""]:
            file, place = place_of(text)
            yield Finding(
                code=notice.code,
                level=Level.WARNING,
                message=notice.message,
                file=file,
                name=None if file is None else os.path.relpath(file, root),
                start=place,
                end=place,
                lines=() if place is None else (place.line,),
            )


def rot_findings(rots: Iterable[Rot], shown: Callable[[str], str]) -> Iterator[Finding]:
    """The overrides that no longer fit their charts, as errors."""
    for rot in rots:
        yield Finding(
            code=rot.code,
            level=Level.ERROR,
            message=f"{rot.code}: {rot.message}",
            hint=rot.hint,
            file=shown(rot.file),
            name=rot.file,
            start=rot.place,
            end=rot.place,
            lines=(rot.place.line,),
        )


def place_of(text: str) -> tuple[str | None, Place | None]:
    """The file and place of a `path:line:column`; None for an empty text."""
    if not text:
        return None, None
    file, line, column = text.rsplit(":", 2)
    return file, Place(int(line), int(column))


def _of_change(change: Change, plan: FilePlan, shown: str, level: Level) -> Finding:
    source = plan.scan.source
    edits = () if change.move is not None else change.edits
    fixes = tuple(
        Fix(source.place(edit.span.start), source.place(edit.span.end), edit.text) for edit in edits
    )
    why = "a wrong path in the cache" if change.mended else "not from the cache"
    return Finding(
        code=WRONG_PATH if change.mended else NOT_CACHED,
        level=level,
        message=f"{change.site.text} is {why}",
        hint=change.after.normalized,
        fixes=fixes,
        **_at(change.site, plan, shown),
    )


def _of_kept(kept: Kept, plan: FilePlan, shown: str, failing: Container[Status]) -> Finding | None:
    if kept.status is Status.CACHED:
        return None
    code = DOUBTFUL if kept.reason is None else kept.reason.value
    unsafe = is_unsafe(kept.reason)
    unclaimed = kept.reason is SkipReason.UNCLAIMED and Status.DOUBTFUL in failing
    fails = unsafe or unclaimed or kept.status in failing
    rest = f": {kept.detail}" if kept.detail else ""
    return Finding(
        code=code,
        level=Level.ERROR if fails else Level.NOTE,
        message=f"{kept.site.text}: {code}{rest}",
        hint=CODES[code].remedy,
        unsafe=unsafe,
        **_at(kept.site, plan, shown),
    )


def _at(site: ImageSite, plan: FilePlan, shown: str) -> dict[str, Any]:
    """Where a site stands; one that isn't written is at the object that brings it."""
    start, scalar = site.place, site.main.scalar
    end = site.document.place(scalar.end - (scalar.style in _QUOTES))
    return {
        "file": shown,
        "name": plan.file,
        "start": start,
        "end": end if scalar.start < scalar.end and end > start else start,
        "lines": tuple(sorted({start.line, *site.lines()})),
        "subject": site.text,
    }


_QUOTES = frozenset("'\"")


def _of_skip(skip: FileSkip, shown: str) -> Finding:
    start = Place(skip.line, skip.column or 1) if skip.line else None
    unsafe = is_unsafe(skip.reason)
    return Finding(
        code=skip.reason.value,
        level=Level.ERROR if unsafe else Level.NOTE,
        message=f"{skip.reason}: {skip.detail}",
        file=shown,
        name=skip.file,
        start=start,
        end=start,
        unsafe=unsafe,
    )


def _order(finding: Finding) -> tuple[Place, str]:
    return finding.start or Place(0, 0), finding.subject
