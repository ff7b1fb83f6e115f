"""imageshift explain: why an image is or isn't rewritten."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from imageshift.cli.declare import argument
from imageshift.cli.exits import Exit
from imageshift.cli.options import Common, with_options
from imageshift.cli.output import new_page, put, put_legend, put_page, say
from imageshift.cli.session import Session
from imageshift.errors import ConfigError
from imageshift.explain import Explainer, Explanation, matches
from imageshift.plan import FilePlan
from imageshift.repo.workspace import find_root
from imageshift.rewrite import Change, Kept
from imageshift.run import Run


@with_options(Common, without=("format", "strict"))
def explain(
    *,
    common: Common,
    what: Annotated[
        str, argument(metavar="FILE[:LINE]|IMAGE", help="A location in a file, or an image.")
    ],
    paths: Annotated[
        list[Path] | None, argument(help="Where to look for an image.", show_default=False)
    ] = None,
) -> None:
    """Say why an image is or isn't rewritten, and what builds it."""
    file, line = _place(what)
    found = 0
    # A file is explained as a part of all that builds it, not as all that a run may write.
    start = Path() if file is None else find_root([file], common.root)
    session = Session("explain", paths or [start], common)
    explainer = Explainer(session.run)
    for plan in session.follow(_plans(session.run, file)):
        rules = session.run.rules_of(plan.file)
        asked = [r for r in plan.results if file is not None or matches(r, what, rules)]
        for result in _nearest(asked, line):
            found += 1
            _print(explainer.explain(plan, result), session.shown(plan.file), session.host)
        for skip in plan.skips if file is not None and not asked else ():
            found += 1
            put(f"{session.shown(plan.file)}: {skip.reason}: {skip.detail}")
    put_legend()
    if not found:
        say(f"no image found for {what}")
        raise SystemExit(Exit.FINDINGS)


def _plans(run: Run, file: Path | None) -> Iterator[FilePlan]:
    if file is None:
        yield from run.plans()
        return
    name = run.workspace.relative(file)
    if name in run.index.files:
        yield from run.planner.plans([name])
    elif (plan := run.planner.other(name)) is not None:
        yield plan


def _nearest(results: list[Change | Kept], line: int | None) -> list[Change | Kept]:
    """The results on a line, or on the nearest one that has any; all without a line."""
    if line is None or not results:
        return results
    away = {id(r): min(abs(own - line) for own in r.site.lines()) for r in results}
    least = min(away.values())
    return [result for result in results if away[id(result)] == least]


_SUFFIXES = (".yaml", ".yml", ".json")


def _place(what: str) -> tuple[Path | None, int | None]:
    located = re.fullmatch(r"(.+?)(?::(\d+))?(?::\d+)?", what)
    if located is None:
        return None, None
    path = Path(located[1])
    if not path.is_file():
        if located[1].endswith(_SUFFIXES):
            raise ConfigError(f"{located[1]}: no such file")
        return None, None
    return path, int(located[2]) if located[2] else None


def _print(explanation: Explanation, shown: str, host: str) -> None:
    page = new_page(host)
    page.line((f"{shown}:{explanation.line}:{explanation.column}", "link bold"))
    for text in explanation.lines:
        page.line((page.short(text), ""), indent=2)
    put_page(page)
