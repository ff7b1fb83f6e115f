"""The table of floors is what the imports say."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once


def floors(page: Path) -> dict[str, int]:
    """Return the floor of each part that the table names."""
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {part: int(floor) for floor, parts in rows for part in re.findall(r"`(\w+)/?`", parts)}


def imports(package: Path) -> dict[str, set[str]]:
    """Return the parts that each part of the package imports from."""
    found: dict[str, set[str]] = {}
    for file in package.rglob("*.py"):
        part, *_ = file.relative_to(package).with_suffix("").parts
        if part != "__init__":
            found.setdefault(part, set()).update(parts_of(file) - {part})
    return found


def parts_of(file: Path) -> set[str]:
    """Return the parts of imageshift that a module imports from, at start-up or later."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = [n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)]
    names += [alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names]
    return {name.split(".")[1] for name in names if name.startswith("imageshift.")}


def test_each_part_imports_from_floors_below(repository: Path) -> None:
    """Every part stands in the table, one floor above the highest that it imports from."""
    table = floors(repository / "docs" / "architecture.md")
    found = imports(repository / "src" / "imageshift")

    assert set(table) == set(found)
    assert table == {
        part: 1 + max((table[below] for below in belows), default=-1)
        for part, belows in found.items()
    }


def test_folders_of_charts_import_from_those_above(repository: Path) -> None:
    """Every folder of charts/ stands in its table, below all that it imports from."""
    page = (repository / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("## Inside `charts/`")[2].partition("\n## ")[0]
    order = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    package = repository / "src" / "imageshift" / "charts"
    folders = [folder for folder in package.iterdir() if (folder / "__init__.py").exists()]

    assert sorted(order) == sorted(folder.name for folder in folders)
    for folder in folders:
        used = {name for file in folder.rglob("*.py") for name in folders_of(file)}
        assert used & set(order) <= set(order[: order.index(folder.name) + 1]), folder.name


def folders_of(file: Path) -> set[str]:
    """Return the folders of charts/ that a module imports from."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[2] for name in names if name.startswith("imageshift.charts.")}
