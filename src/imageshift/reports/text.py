"""The report for people: a table of what moves, what stays and why, warnings, and next steps.

It is grouped so that a screen holds it: what makes a run fail is listed in full, and so is all
else in a verbose report.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from msgspec import Struct

from imageshift.advice import Notice, is_unsafe
from imageshift.reports.codes import CODES
from imageshift.reports.lines import Page, folders_of
from imageshift.reports.summary import Summary
from imageshift.reports.words import counted, visible
from imageshift.rewrite import Kept, Status
from imageshift.sites import SkipReason

__all__ = ["LISTED", "Row", "Step", "print_next", "print_report", "print_rows"]

LISTED = 20
"""How many images a report lists one by one; of more, it says which folders they are in."""

_PLACES = 3
_MESSAGES = 3
_FEW = 4
_ROWS = 8

_FAILING_STRICTLY = {Status.DOUBTFUL.value, Status.NO_RULE.value, SkipReason.UNCLAIMED.value}

Row = tuple[str, str, str]
"""A place of a file as `path:line:column`, what there is to say about it, and its style."""


class Step(Struct, frozen=True):
    """Something to do next: a shell command, and what it is for."""

    command: str
    why: str


def print_report(
    page: Page, summary: Summary, *, done: str, verbose: bool, strict: bool, is_listed: bool = False
) -> None:
    """Prints the whole report; `done` is the word for what happened to the images that move.

    What makes a `strict` run fail is listed in full. `is_listed` says that every image has had a
    line of its own.
    """
    if summary.upstreams:
        moved = sorted(summary.upstreams.items())
        rows = [(upstream, prefix, str(count)) for (upstream, prefix), count in moved]
        page.gap()
        page.table([("upstream", "cached under", done), *rows], numbers=(2,))
    if summary.post_rendered:
        number = counted(summary.post_rendered, "image")
        page.line((f"{number} by post-renderers, since no value of their charts reaches them", ""))
    failing = {str(reason) for reason in SkipReason if is_unsafe(reason)}
    failing |= _FAILING_STRICTLY if strict else set()

    def is_whole(why: str) -> bool:
        return verbose or why in failing

    page.gap()
    if not is_listed:
        _print_stays(page, summary, is_whole)
    _print_skips(page, summary, is_whole)
    _print_warnings(page, summary, verbose=verbose)
    if page.is_folded:
        page.gap()
        page.line(("--verbose lists every image and place", "dim"))


def print_rows(page: Page, rows: Sequence[Row], folders: Counter[tuple[str, Status]]) -> None:
    """Prints images one by one where they are few, else how many are in which folder."""
    for place, text, style in rows if len(rows) <= LISTED else ():
        page.row(place, page.short(text), style=style)
    if len(rows) > LISTED:
        _print_folders(page, folders)
        page.is_folded = True


def print_next(page: Page, steps: Sequence[Step]) -> None:
    """Prints what to do next, each line as the shell takes it."""
    if not steps:
        return
    page.line()
    page.line(("next", "bold"))
    longest = max(len(step.command) for step in steps)
    fits = page.width is None or 4 + longest + max(len(s.why) for s in steps) + 2 <= page.width
    for step in steps:
        if fits:
            rest = " " * (longest - len(step.command))
            page.line((step.command, "green"), (f"{rest}  # {step.why}", "dim"), indent=2)
        else:
            page.line((f"# {step.why}", "dim"), indent=2)
            page.verbatim(visible(f"  {step.command}"), "green")


def _print_folders(page: Page, folders: Counter[tuple[str, Status]]) -> None:
    """A table of the folders, each with how many of its images are in which state."""
    names = folders_of((f"{folder or '.'}/x" for folder, _ in folders.elements()), _ROWS)
    states = [state for state in Status if any(found is state for _, found in folders)]
    rows = []
    for name in sorted(names):
        here = [
            sum(n for (folder, found), n in folders.items() if found is s and _below(folder, name))
            for s in states
        ]
        rows.append((name, *(str(number or "") for number in here)))
    page.table([("folder", *states), *rows], numbers=range(1, len(states) + 1))


def _below(folder: str, name: str) -> bool:
    return f"{folder or '.'}/".startswith(f"{name}/")


def _print_stays(page: Page, summary: Summary, is_whole: Callable[[str], bool]) -> None:
    stays = sorted(summary.stays, key=lambda item: (item[0], item[1].site.place))
    found = defaultdict[str, list[tuple[str, Kept]]](list)
    for file, kept in stays:
        found[_why(kept)].append((file, kept))
    for why, some in sorted(found.items()):
        page.line((why, "cyan"), (f" {counted(len(some), 'image')} left alone", ""))
        rows = [
            (summary.where(file, kept.site.place), page.short(kept.site.text), kept.detail or "")
            for file, kept in some
        ]
        _print_group(page, rows, whole=is_whole(why))


def _print_skips(page: Page, summary: Summary, is_whole: Callable[[str], bool]) -> None:
    # Warnings tell which files have other formats.
    reasons = {skip.reason for skip in summary.skips} - {SkipReason.OTHER_FORMAT}
    for reason in sorted(reasons):
        skips = [skip for skip in summary.skips if skip.reason is reason]
        files = counted(len({skip.file for skip in skips}), "file")
        page.line((reason, "cyan"), (f" {files} skipped", ""))
        rows = []
        for skip in skips:
            place = f":{skip.line}:{skip.column or 1}" if skip.line else ""
            rows.append((f"{summary.shown(skip.file)}{place}", "", skip.detail))
        _print_group(page, rows, whole=is_whole(reason.value))


def _print_group(page: Page, rows: Sequence[tuple[str, str, str]], *, whole: bool) -> None:
    """The places of one reason: what they share is printed once, and many are counted by folder."""
    details = {detail for _, _, detail in rows}
    shared = len(rows) > 1 and len(details) == 1
    if shared and any(details):
        page.line((page.short(rows[0][2]), ""), indent=2)
    if not whole and len(rows) > _PLACES:
        _print_places(page, [place for place, _, _ in rows])
        return
    for place, text, detail in rows:
        rest = ": ".join(filter(None, (text, "" if shared else page.short(detail))))
        page.row(place, rest, indent=2, style="dim")


def _print_places(page: Page, places: Sequence[str]) -> None:
    """The folders of many places, on one line."""
    page.is_folded = True
    found = sorted(folders_of(places, _FEW).items())
    named = ", ".join(f"{name} ({count})" for name, count in found[:_FEW])
    more = len(found) - _FEW
    rest = f" and {counted(more, 'other folder')}" if more > 0 else ""
    page.line((f"in {named}{rest}", "dim"), indent=2)


def _print_warnings(page: Page, summary: Summary, *, verbose: bool) -> None:
    page.gap()
    found = defaultdict[str, list[Notice]](list)
    for warning in summary.advice.warnings():
        found[warning.code].append(warning)
    for code, notices in found.items():
        if len(notices) > _MESSAGES and not verbose:
            _print_many(page, code, notices)
            continue
        for notice in notices:
            _print_notice(page, notice, verbose=verbose)


def _print_notice(page: Page, notice: Notice, *, verbose: bool) -> None:
    times = f" ({counted(notice.count, 'time')})" if notice.count > 1 else ""
    _print_head(page, notice.code, f"{page.short(notice.message)}{times}")
    if verbose or len(notice.places) <= _PLACES:
        for place in notice.places:
            page.line((place, "link dim"), indent=2)
    else:
        page.is_folded = True


def _print_many(page: Page, code: str, notices: Sequence[Notice]) -> None:
    """Many warnings of one code: what it means, what to do, and the first of them."""
    page.is_folded = True
    text = CODES[code]
    number = sum(notice.count for notice in notices)
    means = text.means.removesuffix(".")
    if not means[1:2].isupper():  # as in ECR
        means = means[0].lower() + means[1:]
    _print_head(page, code, f"{means} ({counted(number, 'time')})")
    page.line((f"hint: {text.remedy}", ""), indent=2)
    page.line((f"first: {page.short(notices[0].message)}", ""), indent=2)


def _print_head(page: Page, code: str, text: str) -> None:
    page.line(("warning", "yellow"), (f" {code}: {text}", ""))


def _why(kept: Kept) -> str:
    return kept.reason.value if kept.reason is not None else Status(kept.status).value
