"""The cases of tests/fixtures/verify: a tree before, what differs after, and the verdicts."""

import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import command_line
from command_line import HOST, REGISTRY, Outcome

__all__ = ["CASES", "HOST", "Case", "Outcome", "run"]

FOLDER = Path(__file__).parent.parent / "fixtures" / "verify"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/case.toml"))
_HASHED = re.compile(r"(ConfigMap/web/app-values)-[a-z0-9]{10}")


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of tests/fixtures/verify; after/ has only the files that differ.

    case.toml has `exit`, and the lists `renders`, `differences`, `problems`, all complete, and
    what the text report must (`says`) and mustn't (`hides`) have. `helm` marks charts;
    `unchanged` lists images that stay in `renders` too.
    """

    name: str

    @property
    def facts(self) -> dict[str, Any]:
        """Return the content of case.toml."""
        return tomllib.loads((FOLDER / self.name / "case.toml").read_text("utf-8"))

    def trees(self, folder: Path) -> tuple[Path, Path]:
        """Return copies of both trees below a folder."""
        source = FOLDER / self.name
        before = Path(shutil.copytree(source / "before", folder / "before"))
        after = Path(shutil.copytree(source / "before", folder / "after"))
        if (source / "after").is_dir():
            shutil.copytree(source / "after", after, dirs_exist_ok=True)
        return before, after


def run(folder: Path, *arguments: str, command: str = "verify", path: str = ".") -> Outcome:
    """Run a command on a folder as its own root, or on a path in it."""
    words = (command, str(folder / path), "--root", str(folder), *REGISTRY, *arguments)
    return command_line.run(Path.cwd(), *words)


def render_lines(report: dict[str, Any], *, unchanged: bool = False) -> list[str]:
    """Return the rows of a report that show something, one a line."""
    return [
        f"{row['kind']} {'/'.join(filter(None, (row['namespace'], row['name'])))} "
        f"{'equal' if row['equal'] else 'different'}: "
        + ", ".join(_image(image) for image in _shown(row["images"], unchanged=unchanged))
        for row in report["renders"]
    ]


def _shown(images: Sequence[dict[str, Any]], *, unchanged: bool) -> list[dict[str, Any]]:
    return [
        image
        for image in images
        if image["before"] != image["after"] or (unchanged and "bitnami" in image["before"])
    ]


def _image(image: dict[str, Any]) -> str:
    return f"{image['before']} -> {image['after']}{'' if image['ok'] else ' (wrong)'}"


def difference_lines(report: dict[str, Any]) -> list[str]:
    """Return the other differences of a report, one a line."""
    return sorted(
        _HASHED.sub(r"\1-NEW", f"{item['class']} {item['object']} {item['path']}")
        for row in report["renders"]
        for item in row["other_differences"]
    )
