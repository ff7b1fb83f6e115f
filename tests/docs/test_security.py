"""Every promise of SECURITY.md names tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)


def test_there_are_tests_to_look_at() -> None:
    """Sections with promises name many."""
    assert len(NAMED) > 50


def test_named_tests_exist() -> None:
    """A test that is renamed or removed takes its promise along."""
    missing = []
    for file, name in NAMED:
        tree = (
            ast.parse((ROOT / file).read_text()) if (ROOT / file).exists() else ast.Module([], [])
        )
        found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        if not found or (name and name not in found):
            missing.append(f"{file}::{name}")
    assert missing == []


def test_every_test_line_names_one() -> None:
    """No line of tests is empty."""
    lines = [line for line in TEXT.splitlines() if line.strip().startswith("Tests:")]
    assert all(re.search(r"`tests/", line) for line in lines)
