"""imageshift scan: the inventory of images."""

from pathlib import Path
from typing import Annotated

import typer

from imageshift.cli.options import FINDINGS, Common, Format, with_options
from imageshift.cli.output import put
from imageshift.cli.session import Session
from imageshift.rewrite import Change, Kept
from imageshift.sites import Origin

Paths = Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)]


@with_options(Common, formats=FINDINGS)
def scan(*, common: Common, paths: Paths) -> None:
    """List every image, where it is, and what becomes of it."""
    session = Session("scan", paths, common)
    for plan in session.follow(session.run.plans()):
        if common.format is Format.TEXT:
            for result in sorted(plan.results, key=lambda r: r.site.place):
                put(_line(result, session.shown(plan.file)))
    session.report(done="to rewrite")
    raise typer.Exit(session.exit_code())


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
