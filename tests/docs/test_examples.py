"""Every example in README and docs runs, and prints what the page says."""

import doctest
import re
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from doc_pages import (
    EXAMPLES,
    ROOT,
    SESSION,
    Block,
    blocks,
    commands,
    make_scratch,
    pages,
    played,
)

SETUP = re.compile(r"^(python3? (scripts|benchmarks|tests/docs)/|pip install )")


def name(page: Path) -> str:
    """Return how a page is called in a test's id."""
    return str(page.relative_to(ROOT))


def with_language(*languages: str) -> list[Path]:
    """Return the pages that have a block in one of the languages."""
    return [
        page
        for page in pages()
        if any(block.language in languages for block in blocks(page.read_text(encoding="utf-8")))
    ]


def of(page: Path, *languages: str) -> list[Block]:
    """Return a page's blocks in one of the languages."""
    return [
        block for block in blocks(page.read_text(encoding="utf-8")) if block.language in languages
    ]


NEEDS = {
    "imageshift verify": pytest.mark.kustomize,
    "--charts auto": pytest.mark.helm,
    "examples/nats": pytest.mark.helm,
}


def sessions() -> list[ParameterSet]:
    """Return the pages with commands, marked for the tools that these need."""
    made = []
    for page in with_language("console"):
        session = SESSION.search(page.read_text(encoding="utf-8"))
        text = "".join(block.body for block in of(page, "console")) + (
            session[0] if session else ""
        )
        marks = [mark for words, mark in NEEDS.items() if words in text]
        made.append(pytest.param(page, id=name(page), marks=marks))
    return made


@pytest.mark.console
@pytest.mark.parametrize("page", sessions())
def test_commands_print_what_the_page_says(page: Path) -> None:
    """Every console block of a page, run in order on the example cluster, prints just that."""
    text = page.read_text(encoding="utf-8")

    assert played(text) == text


@pytest.mark.parametrize("page", with_language("python", "pycon"), ids=name)
def test_python_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python block of a page runs in order on the example cluster, prompts checked."""
    make_scratch(tmp_path / "cluster")
    monkeypatch.chdir(tmp_path / "cluster")
    names: dict[str, object] = {"__name__": "docs"}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)

    for number, block in enumerate(of(page, "python", "pycon")):
        if ">>>" in block.body:
            parsed = doctest.DocTestParser().get_doctest(
                block.body, names, name(page), None, number
            )
            runner.run(parsed, clear_globs=False)
            names.update(parsed.globs)
        else:
            exec(compile(block.body, name(page), "exec"), names)  # noqa: S102 - our own pages

    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("page", with_language("sh", "bash", "shell"), ids=name)
def test_shell_blocks_only_set_up(page: Path) -> None:
    """A block that no test runs holds set-up commands only, which CI itself runs."""
    lines = [line for block in of(page, "sh", "bash", "shell") for line in block.body.splitlines()]

    assert [line for line in lines if line.strip() and not SETUP.match(line)] == []


def test_blocks_are_told_apart() -> None:
    """The reader of the pages keeps language, title and continued commands."""
    text = '```console title="x"\n$ a \\\n  b\nout\n$ c\n```\n\n```python\n1\n```\n'

    found = list(blocks(text))

    assert [(block.language, block.title) for block in found] == [
        ("console", "x"),
        ("python", None),
    ]
    assert commands(found[0].body) == ["a \\\n  b", "c"]


def test_a_wrong_output_is_seen() -> None:
    """An output that differs from what the command prints changes the page."""
    right = "```console\n$ echo one; exit 3\none\n(exit code 3)\n```\n"

    assert played(right) == right
    assert played(right.replace("\none", "\ntwo")) == right


def test_a_page_chooses_its_session() -> None:
    """A page may name its folder and ask for an account, and `cd` lasts."""
    text = (
        "<!-- session: ., account -->\n\n```console\n$ ls\nexamples\n$ cd examples/nats\n"
        "$ ls\nREADME.md\napps\ncharts\nclusters\n"
        '$ test -n "$AWS_ENDPOINT_URL_ECR"\n$ git log --format=%s\nbefore\n```\n'
    )

    assert played(text) == text


def test_examples_stay_clean() -> None:
    """The examples in the checkout name no cache: nothing migrates them in place."""
    hosts = [path for path in EXAMPLES.rglob("*.yaml") if "docker-hub/" in path.read_text()]

    assert hosts == []
