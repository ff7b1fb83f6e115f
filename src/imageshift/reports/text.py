"""The report for people: a table of what moves, what stays and why, and what to do next."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from imageshift.advice import Code, Notice, is_unsafe
from imageshift.reports.summary import Summary
from imageshift.reports.words import counted, visible
from imageshift.rewrite import Kept, Status
from imageshift.sites import SkipReason

__all__ = ["print_report"]

_LISTED = 12
_PLACES = 3


def print_report(
    console: Console,
    summary: Summary,
    *,
    done: str,
    next_steps: Iterable[str],
    verbose: bool,
    strict: bool,
) -> None:
    """Prints the whole report; `done` is the word for what happened to the images that move.

    What makes a `strict` run fail is listed in full.
    """
    if summary.upstreams:
        console.print(_upstreams(summary, done))
    whole = {str(reason) for reason in SkipReason if is_unsafe(reason)}
    whole |= {Status.DOUBTFUL.value, Status.NO_RULE.value} if strict else set()
    _print_stays(console, summary, whole=None if verbose else whole)
    _print_skips(console, summary, whole=None if verbose else whole)
    for warning in _told(summary.advice.warnings(), verbose=verbose):
        times = f" ({warning.count} times)" if warning.count > 1 else ""
        text = f"[yellow]warning[/] {warning.code}: {_plain(warning.message)}{times}"
        console.print(text, soft_wrap=True)
        for place in warning.places[: None if verbose else _PLACES]:
            _print_dim(console, place)
    for step in next_steps:
        console.print(f"[bold]next[/] {_plain(step)}")


def _told(warnings: Iterable[Notice], *, verbose: bool) -> Iterator[Notice]:
    """The warnings; of charts that weren't read one says how many, and only some are named."""
    named = 0
    for warning in warnings:
        named += warning.code is Code.CHART_UNAVAILABLE
        if verbose or warning.code is not Code.CHART_UNAVAILABLE or named <= _PLACES:
            yield warning


def _upstreams(summary: Summary, done: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("upstream")
    table.add_column("cached under")
    table.add_column(done, justify="right")
    for (upstream, prefix), count in sorted(summary.upstreams.items()):
        table.add_row(upstream, prefix, str(count))
    return table


def _print_stays(console: Console, summary: Summary, *, whole: Container[str] | None) -> None:
    stays = sorted(summary.stays, key=lambda item: (item[0], item[1].site.place))
    reasons = Counter(_why(kept) for _, kept in stays)
    for why, count in sorted(reasons.items()):
        console.print(f"[cyan]{why}[/] {counted(count, 'image')} left alone")
        lines = [_stay(summary, file, kept) for file, kept in stays if _why(kept) == why]
        number = _number(why, whole)
        for line in lines[:number]:
            _print_dim(console, line)
        if number is not None and count > number:
            _print_more(console, count - number)


def _print_skips(console: Console, summary: Summary, *, whole: Container[str] | None) -> None:
    # Warnings tell which files have other formats.
    reasons = {skip.reason for skip in summary.skips} - {SkipReason.OTHER_FORMAT}
    for reason in sorted(reasons):
        skips = [skip for skip in summary.skips if skip.reason is reason]
        files = counted(len({skip.file for skip in skips}), "file")
        console.print(f"[cyan]{reason}[/] {files} not looked into")
        number = _number(reason.value, whole)
        for skip in skips[:number]:
            place = f":{skip.line}:{skip.column or 1}" if skip.line else ""
            _print_dim(console, f"{summary.shown(skip.file)}{place}: {skip.detail}")
        if number is not None and len(skips) > number:
            _print_more(console, len(skips) - number)


def _number(why: str, whole: Container[str] | None) -> int | None:
    """How many places of a reason are listed: all of those that make the run fail."""
    return None if whole is None or why in whole else _LISTED


def _stay(summary: Summary, file: str, kept: Kept) -> str:
    detail = f": {kept.detail}" if kept.detail else ""
    return f"{summary.where(file, kept.site.place)}: {kept.site.text}{detail}"


def _print_dim(console: Console, text: str) -> None:
    console.print(f"  {visible(text)}", style="dim", soft_wrap=True, markup=False)


def _print_more(console: Console, number: int) -> None:
    console.print(f"  … and {number} more (--verbose lists all)", style="dim")


def _why(kept: Kept) -> str:
    return kept.reason.value if kept.reason is not None else Status(kept.status).value


def _plain(text: str) -> str:
    return escape(visible(text))
