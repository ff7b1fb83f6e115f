"""The cases of tests/fixtures/charts_migrate: trees with releases, before and after.

The charts of tests/fixtures/charts lie in each tree as charts/NAME.
"""

import contextlib
import json
import os
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from imageshift.cli import build_app

FIXTURES = Path(__file__).parent.parent / "fixtures"
FOLDER = FIXTURES / "charts_migrate"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
REGISTRY = ("--account", "123456789012", "--region", "eu-west-2")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command left."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """Return the JSON report."""
        made: dict[str, Any] = json.loads(self.stdout)
        return made


@dataclass(frozen=True, slots=True)
class MigrateCase:
    """One folder: before/, after/ (what changes), and case.toml with `exit` and `images`."""

    name: str

    @property
    def folder(self) -> Path:
        """Return where the case lies."""
        return FOLDER / self.name

    @property
    def facts(self) -> dict[str, Any]:
        """Return the content of case.toml."""
        return tomllib.loads((self.folder / "case.toml").read_text("utf-8"))

    @property
    def before(self) -> dict[str, bytes]:
        """Return the files as they are given."""
        return read_tree(self.folder / "before")

    @property
    def after(self) -> dict[str, bytes]:
        """Return the files as they must come out."""
        return self.before | read_tree(self.folder / "after")

    def copy(self, folder: Path) -> Path:
        """Return a fresh tree with the charts in it."""
        tree = folder / self.name
        shutil.copytree(self.folder / "before", tree)
        for chart in sorted((FIXTURES / "charts").glob("*/chart")):
            shutil.copytree(chart, tree / "charts" / chart.parent.name)
        (tree / ".git").mkdir()
        return tree

    def run(self, tree: Path, command: str, *more: str) -> Outcome:
        """Run a command over the case's paths."""
        paths = self.facts.get("paths", ["apps"])
        return run(tree, command, *paths, *REGISTRY, *more)


def run(folder: Path, *arguments: str) -> Outcome:
    """Run a command in a folder."""
    with contextlib.chdir(folder):
        done = CliRunner().invoke(build_app(list(arguments)), list(arguments))
    return Outcome(done.exit_code, done.stdout, done.stderr)


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, but for the charts that `copy` adds."""
    found: dict[str, bytes] = {}
    for parent, folders, names in os.walk(folder):
        inside = Path(parent).relative_to(folder)
        folders[:] = [name for name in folders if name not in {".git", "charts"}]
        found |= {(inside / name).as_posix(): Path(parent, name).read_bytes() for name in names}
    return found


def image_lines(report: dict[str, Any]) -> list[str]:
    """Return a report's images, one a line: place, origin, text, status, reason."""
    return [
        " ".join(
            [
                row["file"] if row["line"] is None else f"{row['file']}:{row['line']}",
                row["origin"],
                row["original"],
                row["status"],
            ]
            + ([row["reason"]] if row["reason"] not in {None, row["status"]} else [])
        )
        for row in report["images"]
    ]
