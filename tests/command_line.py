"""The command line in this process, from a folder, with the registry that all tests share."""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from imageshift.cli.app import build_app

__all__ = ["ACCOUNT", "HOST", "REGISTRY", "Outcome", "read_tree", "run", "write_tree"]

ACCOUNT = "123456789012"
HOST = f"{ACCOUNT}.dkr.ecr.eu-west-2.amazonaws.com"
REGISTRY = ("--account", ACCOUNT, "--region", "eu-west-2")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left: its exit code and both streams."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """Return the JSON report on standard output."""
        made: dict[str, Any] = json.loads(self.stdout)
        return made


def run(folder: Path, *arguments: str, stdin: str | None = None) -> Outcome:
    """Run a command in a folder."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(build_app(list(arguments)), list(arguments), input=stdin)
    return Outcome(done.exit_code, done.stdout, done.stderr)


def write_tree(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def read_tree(folder: Path, leave_out: Sequence[str] = (".git",)) -> dict[str, bytes]:
    """Return the bytes of every file below a folder, by its name."""
    found = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in leave_out]
        for name in names:
            path = Path(parent, name)
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
