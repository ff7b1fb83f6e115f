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
    """Warns about charts that couldn't be rendered, and overrides that don't fit their charts."""
    _warn_of_unread_charts(run, summary)
    charts = run.charts
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


def _warn_of_unread_charts(run: Run, summary: Summary) -> None:
    """Says once how many charts nobody read, and what to do."""
    number = summary.account.charts_unread = run.unread_charts()
    if number:
        remedy = _remedy(run)
        summary.advice.add(Code.CHARTS_UNREAD, None, counted(number, "release"), remedy)


def _remedy(run: Run) -> str:
    """What to do about charts that nobody read."""
    if run.charts_mode == "off":
        return "run without --charts off, or remove `mode: off` from the configuration"
    problems = [] if run.charts is None else run.charts.problems
    if not problems:
        return (
            "helm dependency build copies dependencies into charts, and helmfile template renders "
            "releases in templates"
        )
    hints = {problem.hint for problem in problems}
    return (hints.pop() if len(hints) == 1 else None) or _WHY


_WHY = (
    "`chart-unavailable` gives the reason for each; `charts: {sources: …}` can point to copies of "
    "them"
)


def warn_of_generators(run: Run, summary: Summary) -> None:
    """Warns about ApplicationSets whose files can't be determined."""
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
    """Warns about releases that keep their old charts, because only files of the charts change."""
    if run.index.charts and changed:
        from imageshift.charts.unrendered.late import late_releases  # noqa: PLC0415 not for hooks

        for late in late_releases(run.index, run.reach(), set(changed)):
            summary.advice.add(Code.CHART_VERSION, summary.where(late.file, late.place), late.chart)
