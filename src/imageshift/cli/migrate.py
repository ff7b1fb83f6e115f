"""imageshift migrate: rewrites the references of a repository."""

import os
from collections.abc import Iterable
from typing import Annotated, Any

from imageshift.cli.check import Platforms
from imageshift.cli.declare import option
from imageshift.cli.exits import Exit
from imageshift.cli.next_steps import after_dry_run, after_migration
from imageshift.cli.options import PAGES, Common, Format, Paths, command_line, with_options
from imageshift.cli.output import put_diff, say
from imageshift.cli.progress import progress, settle
from imageshift.cli.session import Session, refuse_format_of_diff, turn_to_write
from imageshift.config import KeepEntry
from imageshift.errors import SourceError
from imageshift.plan import FilePlan
from imageshift.repo.workspace import CONFIG_NAME
from imageshift.reports.text import Step
from imageshift.reports.words import counted


@with_options(Common, formats=PAGES)
def migrate(  # noqa: PLR0913 one a command-line option
    *,
    common: Common,
    paths: Paths,
    dry_run: Annotated[bool, option("--dry-run", help="Write nothing.")] = False,
    diff: Annotated[bool, option("--diff", help="Print the diff, write nothing.")] = False,
    prune: Annotated[
        bool, option("--prune", help="Remove overrides that no longer do anything.")
    ] = False,
    mend_stale: Annotated[
        bool,
        option(
            "--mend-stale",
            help="Change all stale overrides to their charts' own images.",
        ),
    ] = False,
    check_upstream: Annotated[
        bool,
        option("--check-upstream", help="Ask the upstreams whether the images exist."),
    ] = False,
    platform: Platforms = None,
    verify: Annotated[
        bool, option("--verify", help="Prove by rendering that only images differ.")
    ] = False,
    write_keep: Annotated[
        bool,
        option("--write-keep", help="Record in .imageshift.yaml what only rendering leaves alone."),
    ] = False,
) -> None:
    """Move every image in the paths onto the cache."""
    refuse_format_of_diff(common, diff=diff)
    writes = not (dry_run or diff)
    with turn_to_write(paths, common, writes=writes) as writer:
        more = {"prune": prune, "mend_stale": mend_stale}
        session = Session("migrate", paths, common, writer=writer, **more)
        proof = _proof(session) if verify else None
        settle(session.run, quiet=common.quiet)
        keeps, plans = _keeps(session), list[FilePlan]()
        for plan in session.follow(session.applied(session.run.plans())):
            plans += [plan] if check_upstream else []
            if diff:
                put_diff(plan.diff(session.shown(plan.file)), session.host)
        writes_keeps = write_keep and writes
        noted = _noted(session, keeps) if writes_keeps else Exit.DONE
    steps = [] if diff else _next_steps(session, [] if writes_keeps else keeps, writes=writes)
    asked = _asked(session, plans, platform or ()) if check_upstream else set[Exit]()
    _report(session, proof, steps, writes=writes)
    lacking = Exit.TOOL if Exit.TOOL in asked else Exit.DONE
    code = _exit_code(session, proof, findings=Exit.FINDINGS in asked) or lacking
    raise SystemExit(noted if noted and code in {Exit.DONE, Exit.TOOL} else code)


def _asked(session: Session, plans: Iterable[FilePlan], platforms: Iterable[str]) -> set[Exit]:
    from imageshift.cli.upstream import ask_upstreams  # noqa: PLC0415 asked for only

    return ask_upstreams(session, plans, platforms)


def _proof(session: Session) -> Any:
    """The proof of what is going to be written; what isn't proven is held back."""
    from imageshift.prove import prove_run  # noqa: PLC0415 renders, and asked for only

    with progress("verify", quiet=session.common.quiet):
        return prove_run(session.run)


def _keeps(session: Session) -> list[KeepEntry]:
    if session.run.charts is None:
        return []
    from imageshift.keeping import keeps_of  # noqa: PLC0415 only where charts were rendered

    return keeps_of(session.run)


def _noted(session: Session, keeps: list[KeepEntry]) -> Exit:
    """Notes what stays in the configuration; what it comes to."""
    if not keeps or session.writer is None:
        return Exit.DONE
    from imageshift.keeping import write_keeps  # noqa: PLC0415 as above

    try:
        path = write_keeps(session.run, keeps, session.writer)
    except SourceError as error:
        say(f"{CONFIG_NAME}: {error}, so `keep:` isn't written")
        return Exit.UNSAFE
    say(f"{os.path.relpath(path)}: {counted(len(keeps), 'image')} added under `keep:`")
    return Exit.DONE


def _report(session: Session, proof: Any, next_steps: list[Step], *, writes: bool) -> None:
    done = "rewritten" if writes else "to rewrite"
    more: dict[str, Any] = {"changed_files": sorted(session.summary.changed)}
    if proof is None:
        session.report(done=done, next_steps=next_steps, **more)
        return
    from imageshift.cli.verify import print_proof, proof_rows  # noqa: PLC0415 as above

    more |= proof_rows(proof, session.shown)
    session.report(done=done, next_steps=next_steps, **more)
    if session.common.format is Format.TEXT:
        print_proof(proof, session.common, session.shown)


def _exit_code(session: Session, proof: Any, *, findings: bool) -> Exit:
    if proof is None:
        return session.exit_code(findings=findings)
    code = session.exit_code(findings=findings or bool(session.run.held))
    return Exit.TOOL if code is Exit.DONE and proof.problems else code


def _next_steps(session: Session, keeps: list[KeepEntry], *, writes: bool) -> list[Step]:
    paths, common = session.paths, session.common
    own = {"--prune": session.run.options.prune, "--mend-stale": session.run.options.mend_stale}
    command = " ".join(("migrate", *(option for option, given in own.items() if given)))
    kept = []
    if keeps:
        why = f"record {counted(len(keeps), 'image')} that only rendering leaves alone"
        kept = [Step(command_line(f"{command} --write-keep", paths, common), why)]
    if not session.summary.changed:
        return kept
    if writes:
        return [*kept, *after_migration(paths, common)]
    return [*kept, *after_dry_run(command, paths, common)]
