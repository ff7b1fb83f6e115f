"""The tables of the documentation hold what the program holds, no more and no less."""

import re
from pathlib import Path

import pytest
from doc_pages import blocks, pages

from imageshift.advice import Code
from imageshift.cache import ARTICLE_RULES
from imageshift.cli.exits import Exit
from imageshift.config import Config
from imageshift.config_file import load_config
from imageshift.sites import SkipReason


def first_cells(page: Path, heading: str) -> list[str]:
    """Return the first column of the first table under a heading."""
    section = page.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1]
    table = section.split("\n## ", 1)[0]
    return [cell.strip("` ") for cell in re.findall(r"^\| ([^|]+)\|", table, re.MULTILINE)][1:]


@pytest.mark.parametrize(
    ("heading", "values"),
    [
        pytest.param("Exit codes", [str(int(code)) for code in Exit], id="exit-codes"),
        pytest.param("Why an image or a file was skipped", list(SkipReason), id="reasons"),
        pytest.param("Warnings", list(Code), id="warnings"),
    ],
)
def test_lists_are_complete(repository: Path, heading: str, values: list[str]) -> None:
    """Exit codes, skip reasons and warnings stand in the page, each once, in the code's order."""
    page = repository / "docs" / "exit-codes.md"

    assert first_cells(page, heading) == [str(value) for value in values]


def test_built_in_rules(repository: Path) -> None:
    """The table of built-in rules is the rules that are built in."""
    text = (repository / "docs" / "rules.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", text, re.MULTILINE)

    assert rows == [(rule.upstream, rule.prefix) for rule in ARTICLE_RULES]


def configurations() -> list[str]:
    """Return every example of the configuration file in the documentation."""
    return [
        block.body
        for page in pages()
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.title == ".imageshift.yaml"
    ]


@pytest.mark.parametrize("text", configurations(), ids=lambda text: text.split(":", 1)[0])
def test_configurations_load(text: str, tmp_path: Path) -> None:
    """Every example of the configuration is accepted, and says something."""
    path = tmp_path / ".imageshift.yaml"
    path.write_text(text)

    assert load_config(path) != Config()


def test_every_key_is_described(repository: Path) -> None:
    """The configuration reference has a heading that names each key."""
    text = (repository / "docs" / "configuration.md").read_text(encoding="utf-8")

    headings = " ".join(re.findall(r"^## ([^{\n]+)", text, re.MULTILINE))

    missing = [key for key in Config.__struct_fields__ if key not in re.findall(r"\w+", headings)]
    assert missing == []
