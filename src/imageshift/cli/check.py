"""imageshift check: says what should move, for CI and for pre-commit."""

import typer

from imageshift.cli.options import Common, Format, Paths, with_options
from imageshift.cli.output import put, say
from imageshift.cli.session import Session
from imageshift.rewrite import Change


@with_options(Common)
def check(*, common: Common, paths: Paths) -> None:
    """Fail when an image should come from the cache.

    Writes nothing, and exits with 1 when it finds one.
    """
    named_only = all(path.is_file() for path in paths)
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


def _print_finding(change: Change, shown: str) -> None:
    place = change.site.place
    why = "a wrong path in the cache" if change.mended else "not from the cache"
    put(f"{shown}:{place.line}:{place.column}: {change.site.text} is {why}")
    put(f"  hint: {change.after.normalized}")


def _say_rest(session: Session) -> None:
    for skip in session.summary.skips:
        place = f":{skip.line}:{skip.column or 1}" if skip.line else ""
        say(f"{session.shown(skip.file)}{place}: {skip.reason}: {skip.detail}")
    session.say_charts()
    session.say_emptied()
    session.say_hidden()
    if session.summary.upstreams:
        say("imageshift migrate rewrites them")
