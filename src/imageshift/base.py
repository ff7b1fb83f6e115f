"""What a tree was before: a Git revision or a folder, and the way back to it."""

import difflib
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from imageshift.errors import ConfigError, ToolError
from imageshift.plan import FilePlan
from imageshift.rewrite import Change
from imageshift.run import Run
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
        if before is None or before == plan.before:
            continue
        host = run.rules_of(plan.file).registry.host
        after = _restored(before.decode(), plan, host).encode()
        if after != plan.before:
            changes = [r for r in plan.results if isinstance(r, Change)]
            yield replace(plan, results=tuple(changes), after=after)


def _restored(old: str, plan: FilePlan, host: str) -> str:
    """The text of now with every line of the base back that only the migration has changed."""
    now = plan.before.decode().splitlines(keepends=True)
    reverted = plan.after.decode().splitlines(keepends=True)
    was = old.splitlines(keepends=True)
    made: list[str] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            made += now[c:d]
        elif kind == "insert":
            added = [] if _is_inserted(now[c:d], host) else now[c:d]
            made += [line for line in added if not _is_ours(line, host)]
        else:
            made += _hunk(was[a:b], now[c:d], reverted, c, host)
    return "".join(made)


def _hunk(
    was: list[str], now: list[str], reverted: list[str], start: int, host: str
) -> Iterable[str]:
    if len(was) == len(now):
        back = reverted[start : start + len(now)]
        for old, new, by_rules in zip(was, now, back, strict=True):
            yield _line(old, new, by_rules, host)
    elif any(host in line for line in now) and not any(host in line for line in was):
        yield from was
    else:
        yield from now


def _line(old: str, new: str, by_rules: str, host: str) -> str:
    if host in old or (host not in new and not _is_ours(new, host)):
        return new
    added = _middle(old, new)
    # A tag or digest inside what differs means that somebody has moved it on since.
    moved_on = ":" in added.rpartition("/")[2] or "@" in added
    return by_rules if moved_on and host in added else old


def _middle(old: str, new: str) -> str:
    """What stands in `new` between the beginning and the end that it shares with `old`."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-end - 1] == new[-end - 1]:
        end += 1
    return new[start : len(new) - end]


# What stands around a name of the cache where values or post-renderers were added.
_AROUND = re.compile(
    r"\s*(?:- )?(?:[\w./\"'-]+:(?: \|-)?"
    r"|(?:name|newName|newTag|digest|registry|repository|tag|image|op|path|group|version|kind): .+)"
    r"\s*"
)


def _is_inserted(lines: list[str], host: str) -> bool:
    """Whether lines are a block that the migration adds: names of the cache, and their keys."""
    others = [line for line in lines if host not in line]
    return len(others) < len(lines) and all(_AROUND.fullmatch(line) for line in others)


def _is_ours(line: str, host: str) -> bool:
    return host in line or line.strip() in {"provider: aws", "images:"}
