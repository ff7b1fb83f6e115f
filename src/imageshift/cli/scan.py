"""imageshift scan: the inventory of images."""

from typing import Annotated

import typer

from imageshift.cli.options import FINDINGS, Common, Format, Paths, with_options
from imageshift.cli.output import put
from imageshift.cli.session import Session
from imageshift.plan import FilePlan
from imageshift.reports.account import rows_of
from imageshift.rewrite import Change, Kept
from imageshift.sites import Origin, SkipReason


@with_options(Common, formats=FINDINGS)
def scan(
    *,
    common: Common,
    paths: Paths,
    accounting: Annotated[
        bool,
        typer.Option("--accounting", help="Print the account, and what nothing claims."),
    ] = False,
) -> None:
    """List every image, where it is, and what becomes of it."""
    session = Session("scan", paths, common)
    listed = common.format is Format.TEXT
    for plan in session.follow(session.run.plans()):
        for result, uses in _rows(plan, accounting=accounting) if listed else ():
            put(_line(result, session.shown(plan.file)) + (f" ({uses} uses)" if uses > 1 else ""))
    if listed and accounting:
        for line in session.summary.account.lines():
            put(line)
    session.report(done="to rewrite")
    raise typer.Exit(session.exit_code())


def _rows(plan: FilePlan, *, accounting: bool) -> list[tuple[Change | Kept, int]]:
    """The rows of a file in its order; for the account only what wasn't understood."""
    found = sorted(rows_of(plan.results), key=lambda row: row[0].site.place)
    if not accounting:
        return found
    return [row for row in found if row[0].reason is SkipReason.UNCLAIMED]


def _line(result: Change | Kept, shown: str) -> str:
    place = result.site.place
    text = f"{shown}:{place.line}:{place.column}: {result.status}: {result.site.text}"
    if result.site.origin is not Origin.WRITTEN:
        text += f" [{result.site.origin}]"
    if isinstance(result, Change):
        return f"{text} → {result.after.normalized}"
    reason = "" if result.reason is None else result.reason.value
    why = "" if reason == result.status.value else reason
    rest = ": ".join(part for part in (why, result.detail) if part)
    return f"{text} ({rest})" if rest else text
