"""Warnings of a whole run, which no single file gives reason for."""

from collections.abc import Collection, Iterable

from imageshift.advice import Code
from imageshift.inventory.application_sets import Hidden
from imageshift.reports.summary import Summary
from imageshift.reports.words import counted
from imageshift.rot import Rot
from imageshift.run import Run

__all__ = ["warn_of_charts", "warn_of_generators", "warn_of_late_charts"]

_NAMED = 3


def warn_of_charts(run: Run, summary: Summary, rots: Iterable[Rot]) -> None:
    """Warns of charts that couldn't be rendered, and of overrides that don't fit their charts."""
    charts = run.charts
    unread = _unread_releases(run)
    if unread and summary.back_from is None:
        summary.advice.add(Code.CHARTS_UNREAD, None, counted(unread, "release"))
    for problem in () if charts is None else charts.problems:
        hint = f" ({problem.hint})" if problem.hint else ""
        message = f"{problem.message}{hint}; its values are read as text"
        summary.advice.add(
            Code.CHART_UNAVAILABLE, summary.where(problem.file, problem.place), message=message
        )
    for note in () if charts is None else charts.notes:
        if note.code:
            summary.advice.add(
                Code(note.code), summary.where(note.file, note.place), message=note.message
            )
    for rot in rots:
        message = f"{rot.message}; {rot.hint}"
        summary.advice.add(Code(rot.code), summary.where(rot.file, rot.place), message=message)


def _unread_releases(run: Run) -> int:
    """How many HelmReleases of the paths have charts that a run over folders doesn't look at."""
    if run.charts_mode != "off" or run.options.named_only or not run.index.all_releases:
        return 0
    from imageshift.charts.late import unread_releases  # noqa: PLC0415 not for hooks

    return sum(map(run.is_written, unread_releases(run.index, run.reach())))


def warn_of_generators(run: Run, summary: Summary) -> None:
    """Warns of ApplicationSets of which it isn't known which files they mean."""
    found: dict[str, list[Hidden]] = {}
    for hidden in run.index.hidden:
        if run.is_written(hidden.file):
            found.setdefault(hidden.why, []).append(hidden)
    for why, some in found.items():
        paths = list(dict.fromkeys(hidden.scalar.value for hidden in some))
        more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
        named = f"{', '.join(paths[:_NAMED])}{more}"
        for hidden in some:
            summary.advice.add(
                Code.GENERATOR_UNKNOWN, summary.where(hidden.file, hidden.place), named, why
            )


def warn_of_late_charts(run: Run, summary: Summary, changed: Collection[str]) -> None:
    """Warns of releases that go on with their old charts, of which only files change."""
    if run.index.charts and changed:
        from imageshift.charts.late import late_releases  # noqa: PLC0415 not for hooks

        for late in late_releases(run.index, run.reach(), set(changed)):
            summary.advice.add(Code.CHART_VERSION, summary.where(late.file, late.place), late.chart)
