"""The cases of tests/fixtures/charts_migrate: trees with releases, before and after.

The charts of tests/fixtures/charts lie in each tree as charts/NAME.
"""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import command_line
from command_line import HOST, REGISTRY, Outcome, run

__all__ = ["CASES", "HOST", "REGISTRY", "MigrateCase", "image_lines", "read_tree", "run"]

FIXTURES = Path(__file__).parent.parent / "fixtures"
FOLDER = FIXTURES / "charts_migrate"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


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


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, but for the charts that `copy` adds."""
    return command_line.read_tree(folder, leave_out=(".git", "charts"))


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
