"""What a tree was before: a Git revision or a folder, and the way back to it."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from imageshift.errors import ConfigError, ToolError
from imageshift.inventory import scan_file
from imageshift.plan import FilePlan
from imageshift.restore import Versions, restore
from imageshift.rewrite import Change, Forward, plan_site, reconcile
from imageshift.run import Run
from imageshift.sites import FinderContext
from imageshift.source import apply_edits
from imageshift.workspace import Workspace

__all__ = ["Base", "base_plans"]


@dataclass(frozen=True, slots=True)
class Base:
    """Where files of before come from: a folder, or a revision of the workspace's repository."""

    root: Path
    revision: str | None = None

    @classmethod
    def find(cls, text: str, workspace: Workspace) -> "Base":
        """The base that a folder or a revision names.

        Raises:
            ConfigError: it is neither.
        """
        folder = Path(text)
        if folder.is_dir():
            return cls(folder.resolve())
        done = _git(workspace.root, "rev-parse", "--verify", "--quiet", f"{text}^{{commit}}")
        if done.returncode:
            raise ConfigError(f"{text!r} is neither a folder nor a Git revision")
        return cls(workspace.root, done.stdout.decode().strip())

    def read(self, file: str) -> bytes | None:
        """The bytes that a file had, or None when it wasn't there."""
        if self.revision is None:
            path = self.root / file
            return path.read_bytes() if path.is_file() else None
        done = _git(self.root, "show", f"{self.revision}:./{file}")
        return None if done.returncode else done.stdout


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 the arguments are ours
            ["git", *arguments],  # noqa: S607 git as the user has it
            cwd=folder,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise ToolError(f"git can't be run: {error.strerror}") from None


def base_plans(run: Run, plans: Iterable[FilePlan], base: Base) -> Iterator[FilePlan]:
    """The plans that bring back what differs from the base, line by line.

    A line goes back to what it was when the two differ by references that the rules connect.
    Lines that changed in another way keep their change, and only their references go back.
    """
    for plan in plans:
        before = base.read(plan.file)
        if before is None or before == plan.before or not plan.scan.source.text:
            continue
        try:
            after = _restored(run, plan, before).encode()
        except UnicodeDecodeError:
            continue
        if after != plan.before:
            changes = [r for r in plan.results if isinstance(r, Change)]
            yield replace(plan, results=tuple(changes), after=after)


def _restored(run: Run, plan: FilePlan, before: bytes) -> str:
    rules = run.rules_of(plan.file)
    return restore(
        Versions(
            was=before.decode(),
            moved=_moved(plan.file, before, run.index.context(plan.file), Forward(rules)),
            now=plan.before.decode(),
            reverted=plan.after.decode(),
            host=rules.registry.host,
        )
    )


def _moved(file: str, content: bytes, context: FinderContext, mapper: Forward) -> str:
    """What the migration makes of a file by itself."""
    scan = scan_file(file, content, context)
    results = reconcile(plan_site(site, mapper) for site in scan.sites)
    edits = [edit for result in results if isinstance(result, Change) for edit in result.edits]
    return apply_edits(scan.source.text, edits) if edits else content.decode()
