"""The pages that the examples make: an inventory, and the proof of a migration with a mistake."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "docs"))

from doc_pages import environment, make_scratch  # noqa: E402 only now on the path

__all__ = ["write_pages"]

MISTAKE = ("infrastructure/monitoring/prometheus.yaml", "prometheus:v3.3.0", "prometheus:v3.4.0")


def write_pages(folder: Path) -> dict[str, Path]:
    """Write the pages into a folder, and return them by name."""
    tree = folder / "cluster"
    make_scratch(tree)
    pages = {name: folder / f"{name}.html" for name in ("scan", "verify", "done")}
    _imageshift(tree, "scan", ".", "--format", "html", "--output", str(pages["scan"]))
    _imageshift(tree, "migrate", "--quiet")
    _imageshift(tree, "scan", ".", "--format", "html", "--output", str(pages["done"]))
    name, before, after = MISTAKE
    text = (tree / name).read_text("utf-8")
    (tree / name).write_text(text.replace(before, after), encoding="utf-8")
    _imageshift(tree, "verify", "--offline", "--format", "html", "--output", str(pages["verify"]))
    return pages


def _imageshift(tree: Path, *arguments: str) -> None:
    program = Path(sys.executable).with_name("imageshift")
    subprocess.run(
        [program, *arguments], cwd=tree, env=environment(), check=False, capture_output=True
    )
