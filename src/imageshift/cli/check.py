"""imageshift check: says what should move, for CI and for pre-commit."""

from pathlib import Path
from typing import Annotated, Any

from msgspec import to_builtins

from imageshift.advice import Code
from imageshift.cli.declare import option
from imageshift.cli.exits import Exit
from imageshift.cli.options import FINDINGS, Common, Format, Paths, command_line, with_options
from imageshift.cli.output import emit, say
from imageshift.cli.session import Session
from imageshift.errors import ConfigError
from imageshift.plan import FilePlan
from imageshift.repo.workspace import is_ours
from imageshift.reports.findings import Finding, Level
from imageshift.reports.words import counted
from imageshift.rewrite import Status
from imageshift.sites.keeps import kept_by_config
from imageshift.sites.other_formats import VARIABLES, format_of_file

Platforms = Annotated[
    list[str] | None,
    option("--platform", help="OS/ARCH[/VARIANT] that images must be built for; repeatable."),
]


@with_options(Common, formats=FINDINGS)
def check(  # noqa: PLR0913 one a command-line option
    *,
    common: Common,
    paths: Paths,
    changed: Annotated[
        str | None,
        option("--changed", metavar="REV", help="Only findings on lines that changed since REV."),
    ] = None,
    baseline: Annotated[
        Path | None, option("--baseline", help="Leave out the findings listed in this file.")
    ] = None,
    write_baseline: Annotated[
        bool,
        option("--write-baseline", help="Write today's findings to the baseline; exit 0."),
    ] = False,
    upstream: Annotated[
        bool, option("--upstream", help="Ask the upstreams whether the images exist.")
    ] = False,
    platform: Platforms = None,
) -> None:
    """Fail if an image should come from the cache but doesn't.

    Writes nothing but a baseline, and exits with 1 if it finds such an image.
    """
    _refuse(changed, baseline, write=write_baseline)
    named_only = all(path.is_file() for path in paths)
    if named_only:
        _refuse_unread(paths)
    session = Session("check", paths, common, named_only=named_only)
    kept, plans = 0, list[FilePlan]()
    for plan in session.follow(session.run.plans()):
        kept += sum(kept_by_config(result.site) for result in plan.results)
        plans += [plan] if upstream else []
    asked = set[Exit]()
    if upstream:
        from imageshift.cli.upstream import ask_upstreams  # noqa: PLC0415 asked for only

        asked = ask_upstreams(session, plans, platform or ())
    if baseline is not None and write_baseline:
        _write_baseline(session, baseline)
        return
    if changed is not None:
        _keep_changed(session, changed)
    if baseline is not None:
        _leave_out(session, baseline)
    _report(session, kept, **_sifted(session) if changed or baseline else {})
    lacking = Exit.TOOL if Exit.TOOL in asked else Exit.DONE
    raise SystemExit(_exit_code(session) or lacking)


def _refuse_unread(paths: list[Path]) -> None:
    """Refuses files that are all of formats which are never read: checking them means nothing."""
    formats = {path: format_of_file(str(path)) or "binary" for path in paths}
    read = any(is_ours(path.name) or formats[path] == VARIABLES for path in paths)
    if paths and not read:
        raise ConfigError(
            f"other-format: {', '.join(sorted(set(formats.values())))} files are never read",
            hint="imageshift reads *.yaml, *.yml, *.json and Kustomization files",
        )


def _refuse(changed: str | None, baseline: Path | None, *, write: bool) -> None:
    if write and baseline is None:
        raise ConfigError("--write-baseline needs --baseline FILE, the file to write")
    if write and changed is not None:
        raise ConfigError(
            "--write-baseline can't be used with --changed", hint="a baseline lists every finding"
        )


def _write_baseline(session: Session, file: Path) -> None:
    from imageshift.reports.baseline import Baseline, baseline_text  # noqa: PLC0415 asked for only

    before = Baseline.read(file) if file.exists() else Baseline({})
    others = before.of(lambda name: not session.run.is_written(name))
    text, findings = baseline_text(session.findings, others)
    emit(text, file)
    say(f"{file}: {findings}; later runs leave them out")


def _keep_changed(session: Session, revision: str) -> None:
    from imageshift.reports.since import changed_since  # noqa: PLC0415 asked for only

    session.sift(changed_since(session.all_findings(), revision, session.run.workspace))


def _leave_out(session: Session, file: Path) -> None:
    from imageshift.reports.baseline import Baseline  # noqa: PLC0415 asked for only

    listed = Baseline.read(file).of(session.run.is_written)
    complete = not session.is_sifted
    left, known, gone = listed.split(session.all_findings())
    session.sift(left)
    if known and not session.common.quiet:
        say(f"{file}: {counted(known, 'known finding')} left out")
    if gone and complete and not session.common.quiet:
        say(f"{file}: {counted(gone, 'listed finding')} {'is' if gone == 1 else 'are'} gone")
        say("  hint: --write-baseline removes them")


def _sifted(session: Session) -> dict[str, Any]:
    """What the JSON report adds where not all of its rows count."""
    errors = [finding for finding in session.findings if finding.level is Level.ERROR]
    return {"findings": [_row(finding) for finding in errors]}


def _row(finding: Finding) -> dict[str, Any]:
    row = {
        "code": str(finding.code),
        "file": finding.file,
        "line": finding.start.line if finding.start else None,
        "column": finding.start.column if finding.start else None,
        "message": finding.message,
        "hint": finding.hint,
    }
    made: dict[str, Any] = to_builtins(row)
    return made


def _report(session: Session, kept: int, **more: Any) -> None:
    if session.common.format is Format.TEXT:
        session.put_errors()
    else:
        session.report(done="to rewrite", **more)
    if session.common.quiet:
        session.say_lacking_charts()
    elif session.common.format is not Format.JSON:
        _say_rest(session, kept)


def _say_rest(session: Session, kept: int) -> None:
    if session.common.format is Format.TEXT:
        session.say_skips()
    session.say_charts()
    session.say_emptied()
    session.say_hidden()
    if session.summary.account.unclaimed:
        session.say_account()
    if kept:
        say(f"`keep:` leaves {counted(kept, 'image')} as they are")
    _say_not_enforced(session)
    for notice in session.summary.advice.warnings():
        if notice.code == Code.CHARTS_UNREAD:
            say(f"{notice.code}: {notice.message}")
    failing = any(
        finding.level is Level.ERROR and not finding.unsafe for finding in session.findings
    )
    if failing and session.summary.upstreams:
        say("to rewrite them:")
        say(f"  {command_line('migrate', session.paths, session.common)}")


def _say_not_enforced(session: Session) -> None:
    """Says how many images stay on other registries, or may, without a failure."""
    counts, strict = session.summary.counts, session.common.strict
    kinds = {"without a rule": Status.NO_RULE, "doubtful": Status.DOUBTFUL}
    told = [f"{counts[status]} {words}" for words, status in kinds.items() if counts[status]]
    if told and not strict:
        say(f"not enforced: {' and '.join(told)}; --strict fails for them")


def _exit_code(session: Session) -> Exit:
    errors = [finding for finding in session.findings if finding.level is Level.ERROR]
    if errors:
        return Exit.UNSAFE if all(finding.unsafe for finding in errors) else Exit.FINDINGS
    return session.exit_code_of_charts()
