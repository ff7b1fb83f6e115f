"""imageshift revert: the way back out of the cache."""

from pathlib import Path
from typing import Annotated

import typer

from imageshift.base import Base, base_plans
from imageshift.cli.options import Common, Format, with_options
from imageshift.cli.output import put_diff
from imageshift.cli.session import Session
from imageshift.errors import ConfigError
from imageshift.plan import apply_plans

Paths = Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)]


@with_options(Common)
def revert(
    *,
    common: Common,
    paths: Paths,
    base: Annotated[
        str | None, typer.Option("--base", help="Git revision or folder to go back to.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every cache reference.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print the diff, write nothing.")] = False,
) -> None:
    """Bring references back from the cache: those that differ from a base, or all."""
    if (base is None) != all_:
        raise ConfigError("revert needs --base REV|DIR or --all, and not both")
    session = Session("revert", paths, common, backward=True)
    plans = session.run.plans()
    if base is not None:
        found = Base.find(base, session.run.workspace)
        plans = base_plans(session.run, plans, found)
    if not (dry_run or diff):
        plans = apply_plans(session.run.workspace, plans)
    for plan in session.follow(plans):
        if diff and common.format is Format.TEXT:
            put_diff(plan.diff(session.shown(plan.file)))
    done = "to bring back" if dry_run or diff else "brought back"
    session.report(done=done, changed_files=sorted(session.summary.changed))
    raise typer.Exit(session.exit_code())
