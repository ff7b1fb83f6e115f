"""imageshift migrate: rewrites the references of a repository."""

from pathlib import Path
from typing import Annotated

import typer

from imageshift.cli.options import Common, Format, with_options
from imageshift.cli.session import Session
from imageshift.plan import FilePlan, apply_plans

Paths = Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)]


@with_options(Common)
def migrate(
    *,
    common: Common,
    paths: Paths,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print the diff, write nothing.")] = False,
) -> None:
    """Move every image of the paths onto the cache."""
    session = Session("migrate", paths, common)
    plans = session.run.plans()
    writes = not (dry_run or diff)
    if writes:
        plans = apply_plans(session.run.workspace, plans)
    for plan in session.follow(plans):
        if diff and common.format is Format.TEXT:
            print_diff(plan, session.shown(plan.file))
    next_steps = [] if diff else _next_steps(session, writes=writes)
    done = "rewritten" if writes else "to rewrite"
    session.report(done=done, next_steps=next_steps, changed_files=sorted(session.summary.changed))
    raise typer.Exit(session.exit_code())


def print_diff(plan: FilePlan, shown: str) -> None:
    """Prints the diff of one file to standard output."""
    typer.echo(plan.diff(shown), nl=False)


def _without_text(common: Common) -> Common:
    from dataclasses import replace  # noqa: PLC0415 this branch only

    return replace(common, quiet=True)


def _next_steps(session: Session, *, writes: bool) -> list[str]:
    if not session.summary.changed:
        return []
    if not writes:
        return ["run it without --dry-run to write the changes"]
    return [
        "look at the changes: git diff",
        "pull each image once before the roll-out: imageshift warm",
        "keep it so: imageshift check in CI or as a pre-commit hook",
    ]
