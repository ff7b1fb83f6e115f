"""The proof of a run, by real Helm and kustomize, in copies of its tree."""

from collections.abc import Callable, Mapping

from imageshift.errors import SourceError
from imageshift.run import Run
from imageshift.verify import Proof, Snapshot, Verdict, VerifyOptions, verify_trees, with_unread

__all__ = ["prove_base", "prove_run"]

_CANT_TELL = "a build isn't equal, but this run changes none of the files that it is built from"


def prove_base(run: Run, base: str, advance: Callable[[], None] = lambda: None) -> Proof:
    """The proof that the tree is that of a base, a folder or a Git revision, but for its images.

    `advance` is called after each verdict.

    Raises:
        ConfigError: the base doesn't exist.
        ToolError: Git, kustomize or Helm is needed and can't be run, or the disk is full.
    """
    root = run.workspace.root
    with Snapshot.of_base(base, root) as before, Snapshot.of_folder(root) as after:
        return _proof(run, before, after, advance)


def prove_run(run: Run, advance: Callable[[], None] = lambda: None) -> Proof:
    """The proof of what a run would write, which it then holds back where it isn't proven.

    What is held back stays, and what depends on it is decided again, until everything that is
    left to write is proven equal. `advance` is called after each verdict.

    Raises:
        ToolError: as `prove_base`.
    """
    with Snapshot.of_folder(run.workspace.root) as before:
        while True:
            planned = {plan.file: plan.after for plan in run.plans() if plan.before != plan.after}
            with Snapshot.of_folder(before.root) as after:
                for file, content in planned.items():
                    after.write(file, content)
                proof = _proof(run, before, after, advance)
            held = _unproven(proof, planned)
            if not held:
                return proof
            run.hold(held)


def _proof(run: Run, before: Snapshot, after: Snapshot, advance: Callable[[], None]) -> Proof:
    root = run.workspace.root
    options = VerifyOptions(
        rules_of=run.rules_of,
        is_asked=run.is_named,
        charts={key: root / path for key, path in run.config.charts.sources.items()},
        exclude=run.workspace.exclude,
        clusters=tuple(run.config.clusters),
        rewrite_jobs=run.config.jobs == "rewrite",
        fetch=run.options.render,
        jobs=run.options.jobs,
        offline=run.options.offline,
        advance=advance,
    )
    proof = verify_trees(before.root, after.root, options)
    return with_unread(proof, before.unread | after.unread)


def _unproven(proof: Proof, planned: Mapping[str, bytes]) -> dict[str, SourceError]:
    """The planned files that aren't proven, each with the reason."""
    held: dict[str, SourceError] = {}
    for verdict in proof.verdicts:
        if verdict.problem is None and verdict.is_equal:
            continue
        why = SourceError(_reason(verdict), reason="unproven")
        files = verdict.files.intersection(planned)
        if not files and not verdict.is_equal:
            files, why = frozenset(planned), SourceError(_CANT_TELL, reason="unproven")
        held |= dict.fromkeys(files - held.keys(), why)
    return held


def _reason(verdict: Verdict) -> str:
    name = f"{verdict.key.kind} {verdict.key.name}"
    if verdict.problem is not None:
        return f"{name} can't be compared: {verdict.problem.message}"
    return f"{name} would change in more than its images"
