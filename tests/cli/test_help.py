"""The help of every command: one line of summary, examples that run, suggestions."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from command_line import run
from imageshift.cli.app import build_app

pytestmark = pytest.mark.once


def commands(parent: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command below one, by the words that call it."""
    for name, child in parent.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(child, "commands"):
            yield from commands(child, words)
        else:
            yield words, child


ROOT: Any = typer.main.get_command(build_app([]))
COMMANDS = dict(commands(ROOT))


def examples(words: str) -> list[str]:
    """Return the examples of a command's help."""
    return [line.strip() for line in (COMMANDS[words].epilog or "").splitlines()[2:]]


@pytest.mark.parametrize("group", ["", "rules", "infra", "bots", "policy"])
def test_summaries_are_whole(group: str, tmp_path: Path) -> None:
    """A list of commands shows each summary on one line of 80 columns, as a sentence."""
    done = run(tmp_path, *filter(None, [group]), "--help")

    rows = done.stdout.partition("Commands:\n")[2].splitlines()
    assert rows
    assert [row for row in rows if not re.fullmatch(r"  \S+ +[A-Z].*[^.]\.", row)] == []
    assert max(map(len, rows)) <= 80


def test_options_are_in_groups(tmp_path: Path) -> None:
    """A command's own options come first, those that commands share in groups behind them."""
    lines = run(tmp_path, "migrate", "--help").stdout.splitlines()

    heads = [line for line in lines if re.fullmatch(r"\S.*:", line)]
    groups = ["The target registry and its rules:", "Files and output:"]
    assert heads == ["Arguments:", "Options:", *groups]
    own = lines[lines.index("Options:") : lines.index(groups[0])]
    assert any("--dry-run" in line for line in own)
    assert not any("--account" in line or "--output" in line for line in own)


@pytest.mark.parametrize("words", COMMANDS)
def test_two_examples_that_can_be_called(words: str) -> None:
    """Each command has two examples, which fit a line and which its own parser takes."""
    found = examples(words)

    assert len(found) >= 2
    assert max(map(len, found)) <= 76
    for example in found:
        called = next(part for part in example.split(" | ") if part.startswith("imageshift "))
        arguments = shlex.split(re.split(r" [<>] ", called)[0])[1:]
        assert " ".join(arguments).startswith(words)
        rest = arguments[len(words.split()) :]
        COMMANDS[words].make_context(words, rest)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chek", "No such command 'chek'. Did you mean 'check'?"),
        ("migrat", "Did you mean 'migrate'?"),
        ("rules vaildate", "Did you mean 'validate'?"),
        ("check --stict", "No such option: --stict (Possible options: --strict)"),
        ("infra terraform --secerts x", "--secret"),
        ("scan --charts on", "'on' is not one of 'auto', 'off', 'require'"),
    ],
)
def test_mistyped_words_get_suggestions(line: str, said: str, tmp_path: Path) -> None:
    """A command, an option or a value that doesn't exist names those that do; exit code 2."""
    done = run(tmp_path, *line.split())

    assert done.code == 2
    assert said in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    "words", ["verify", "warm", "explain", "init", "rules list", "rules validate"]
)
def test_strict_only_where_it_changes_something(words: str, tmp_path: Path) -> None:
    """Commands whose exit code no uncertain image changes don't have `--strict`."""
    done = run(tmp_path, *words.split(), "--strict")

    assert (done.code, "No such option: --strict" in done.stderr) == (2, True)
