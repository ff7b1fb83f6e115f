"""docs/facts.md has every fact that the code cites, and the tests that it names."""

import re
from pathlib import Path

PAGE = "docs/facts.md"
_NUMBER = re.compile(r"\b([KHXY]\d+[a-z]?|E[1-5](?:\.\d[a-h]?)?)\b")
_STATED = re.compile(
    r"^- \*\*(\w+)\*\*|^### (E\d)|^\| (E[\d.a-h]+) |\*\*(E[\d.]+)\*\*", re.MULTILINE
)
_FILE = re.compile(r"`((?:tests|scripts|src|benchmarks)/[\w/.]+)`")
_ITEM = re.compile(r"^- \*\*(\w+)\*\* (.*)$", re.MULTILINE)


def cited(folder: Path) -> set[str]:
    """Return the facts that the Python files of a folder cite."""
    texts = [path.read_text("utf-8") for path in folder.rglob("*.py")]
    return {number for text in texts for number in _NUMBER.findall(text)}


def stated(text: str) -> set[str]:
    """Return the facts that the page states: items, headings and rows of the tables."""
    items = _STATED.findall(text)
    return {number for found in items for number in found if number}


def test_cited_facts_are_stated(repository: Path) -> None:
    """A number in the source or in the tests stands for a sentence of the page."""
    text = (repository / PAGE).read_text("utf-8")

    numbers = cited(repository / "src") | cited(repository / "tests" / "effects")

    assert sorted(numbers - stated(text)) == []


def test_named_files_exist(repository: Path) -> None:
    """Every file of this repository that the page names is there."""
    named = _FILE.findall((repository / PAGE).read_text("utf-8"))

    assert named
    assert [name for name in named if not (repository / name).is_file()] == []


def test_probes_have_the_number(repository: Path) -> None:
    """A fact that a probe is said to show is named by that probe."""
    missing = [
        f"{number}: {name}"
        for number, text in _ITEM.findall((repository / PAGE).read_text("utf-8"))
        for name in _FILE.findall(text)
        if "effects" in name and not re.search(rf"\b{number}\b", (repository / name).read_text())
    ]

    assert missing == []


def test_every_row_has_a_probe(repository: Path) -> None:
    """Each step of a kustomization that can touch an image is shown by kustomize itself."""
    text = (repository / PAGE).read_text("utf-8")
    rows = set(re.findall(r"^\| (E1[\d.a-h]+) ", text, re.MULTILINE))
    probes = (repository / "tests/effects/test_kustomize_effects.py").read_text("utf-8")

    assert sorted(row for row in rows if f'"{row}"' not in probes) == ["E1.4e"]
