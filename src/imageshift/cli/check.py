"""imageshift check: says what should move, for CI and for pre-commit."""

from pathlib import Path
from typing import Annotated

import typer

from imageshift.cli.options import Common, Format, with_options
from imageshift.cli.output import put, say
from imageshift.cli.session import Session
from imageshift.data.other_formats import VARIABLES, format_of_file
from imageshift.errors import ConfigError
from imageshift.repo.workspace import is_ours
from imageshift.rewrite import Change

Paths = Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)]


@with_options(Common)
def check(*, common: Common, paths: Paths) -> None:
    """Exit 1 when an image of the paths should move. Writes nothing."""
    named_only = all(path.is_file() for path in paths)
    if named_only:
        _refuse_unread(paths)
    session = Session("check", paths, common, named_only=named_only)
    for plan in session.follow(session.run.plans()):
        # Images that share one text by its anchor share its finding too.
        found = {(result.site.place, result.site.text): result for result in plan.changes}
        for _, change in sorted(found.items()) if common.format is Format.TEXT else ():
            if not session.is_rotten(change, plan.file):
                _print_finding(change, session.shown(plan.file))
    if common.format is Format.TEXT:
        session.put_rot()
    findings = bool(session.summary.upstreams or session.rot)
    if common.format is Format.JSON:
        session.report(done="to rewrite")
    elif not common.quiet:
        _say_rest(session)
    raise typer.Exit(session.exit_code(findings=findings))


def _refuse_unread(paths: list[Path]) -> None:
    """Refuses files that are all of formats which are never read: checking them means nothing."""
    formats = {path: format_of_file(str(path)) or "binary" for path in paths}
    read = any(is_ours(path.name) or formats[path] == VARIABLES for path in paths)
    if paths and not read:
        raise ConfigError(
            f"other-format: {', '.join(sorted(set(formats.values())))} files are never read",
            hint="imageshift reads *.yaml, *.yml, *.json and Kustomization files",
        )


def _print_finding(change: Change, shown: str) -> None:
    place = change.site.place
    why = "a wrong path in the cache" if change.mended else "not from the cache"
    put(f"{shown}:{place.line}:{place.column}: {change.site.text} is {why}")
    put(f"  hint: {change.after.normalized}")


def _say_rest(session: Session) -> None:
    named = {session.shown(name) for name in session.run.names}
    for skip in session.summary.skips:
        if skip.format and session.shown(skip.file) not in named:
            continue  # the account counts them
        place = f":{skip.line}:{skip.column or 1}" if skip.line else ""
        say(f"{session.shown(skip.file)}{place}: {skip.reason}: {skip.detail}")
    session.say_charts()
    session.say_emptied()
    session.say_hidden()
    if session.summary.account.unclaimed:
        session.say_account()
    if session.summary.upstreams:
        say("imageshift migrate rewrites them")
