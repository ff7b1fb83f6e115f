"""imageshift migrate: rewrites the references of a repository."""

from typing import Annotated, Any

import typer

from imageshift.cli.exits import Exit
from imageshift.cli.options import Common, Format, Paths, with_options
from imageshift.cli.output import progress, put_diff
from imageshift.cli.session import Session, turn_to_write


@with_options(Common)
def migrate(  # noqa: PLR0913 one a command-line option
    *,
    common: Common,
    paths: Paths,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print the diff, write nothing.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Take out overrides that do nothing any more.")
    ] = False,
    mend_stale: Annotated[
        bool,
        typer.Option(
            "--mend-stale",
            help="Take all stale overrides to their charts' own images.",
        ),
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Prove by rendering that only images differ.")
    ] = False,
) -> None:
    """Move every image of the paths onto the cache."""
    writes = not (dry_run or diff)
    with turn_to_write(paths, common, writes=writes) as writer:
        more = {"prune": prune, "mend_stale": mend_stale}
        session = Session("migrate", paths, common, writer=writer, **more)
        proof = _proof(session) if verify else None
        for plan in session.follow(session.applied(session.run.plans())):
            if diff and common.format is Format.TEXT:
                put_diff(plan.diff(session.shown(plan.file)))
    _report(session, proof, writes=writes, diff=diff)
    raise typer.Exit(_exit_code(session, proof))


def _proof(session: Session) -> Any:
    """The proof of what is going to be written; what isn't proven is held back."""
    from imageshift.prove import prove_run  # noqa: PLC0415 renders, and asked for only

    with progress("renders", None, quiet=session.common.quiet) as advance:
        return prove_run(session.run, advance)


def _report(session: Session, proof: Any, *, writes: bool, diff: bool) -> None:
    next_steps = [] if diff else _next_steps(session, writes=writes)
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


def _exit_code(session: Session, proof: Any) -> Exit:
    if proof is None:
        return session.exit_code()
    code = session.exit_code(findings=bool(session.run.held))
    return Exit.TOOL if code is Exit.DONE and proof.problems else code


def _next_steps(session: Session, *, writes: bool) -> list[str]:
    if not session.summary.changed:
        return []
    if not writes:
        return ["run it without --dry-run to write the changes"]
    return [
        "look at the changes: git diff",
        "pull each image once before the roll-out: imageshift warm",
        "keep it that way: run imageshift check in CI or as a pre-commit hook",
    ]
