"""The cases of tests/fixtures/migrate: a tree before, the tree after, and what must be said."""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import REGISTRY, Outcome, read_tree, run

__all__ = ["CASES", "Case", "image_lines", "skip_lines", "targets", "warning_lines"]

FOLDER = Path(__file__).parent.parent / "fixtures" / "migrate"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/case.toml"))


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of tests/fixtures/migrate.

    case.toml has `arguments` (besides the registry; `registry = false` leaves that out),
    `paths`, `exit`, `reversible`, and the lists `images`, `skipped`, `warnings`, which must be
    the report's own, all of them.
    """

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
        """Return the files as they must come out; those missing in after/ stay as they are."""
        changed = read_tree(self.folder / "after") if (self.folder / "after").is_dir() else {}
        return self.before | changed

    def copy(self, folder: Path) -> Path:
        """Return a fresh copy of before/ below a folder."""
        return Path(shutil.copytree(self.folder / "before", folder / self.name))

    def run(self, folder: Path, command: str, *more: str) -> Outcome:
        """Run a command with the case's own arguments and paths."""
        facts = self.facts
        registry = REGISTRY if facts.get("registry", True) else ()
        charts = () if command == "map" else ("--charts", "off")
        paths = facts.get("paths", ["."])
        return run(folder, command, *paths, *registry, *charts, *facts.get("arguments", []), *more)


def image_lines(report: dict[str, Any]) -> list[str]:
    """Return a report's images, one a line: place, status, confidence, reason."""
    return [
        " ".join(
            [f"{row['file']}:{row['line']}", row["status"], row["confidence"]]
            + ([row["reason"]] if row["reason"] not in {None, row["status"]} else [])
        )
        for row in report["images"]
    ]


def skip_lines(report: dict[str, Any]) -> list[str]:
    """Return what a report says it didn't look into, one a line: place, reason."""
    return [
        f"{row['file']}{'' if row['line'] is None else ':' + str(row['line'])} {row['reason']}"
        for row in report["skipped"]
    ]


QUIET = {"first-pull-route", "digest-first-pull", "mutable-tag", "charts-unread"}
"""Warnings that nearly every case would have; they have tests of their own."""


def warning_lines(report: dict[str, Any]) -> list[str]:
    """Return a report's warnings, one a line: code, places."""
    return [
        " ".join([row["code"], *(place.rpartition(":")[0] for place in row["places"])])
        for row in report["warnings"]
        if row["code"] not in QUIET
    ]


def targets(report: dict[str, Any]) -> list[str]:
    """Return where the images of a report go, one a line."""
    return [f"{row['file']} {row['target']}" for row in report["images"] if row["target"]]
