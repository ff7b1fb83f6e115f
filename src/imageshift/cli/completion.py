"""Completion by the shell: which command a line is about, and scripts for a shell that is named."""

import os
from collections.abc import Sequence

__all__ = ["name_shell", "words"]

_OPTIONS = ("--show-completion", "--install-completion")
# Typer's own switch from guessing the shell, by the process above, to taking its name.
_NAMED = "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"


def words(arguments: Sequence[str]) -> list[str]:
    """The words that say which command is meant: those of the line that a shell completes."""
    if "_IMAGESHIFT_COMPLETE" not in os.environ:
        return list(arguments)
    line = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS", "")
    return line.split()[1:]


def name_shell(arguments: Sequence[str]) -> None:
    """Lets the options of completion take a shell's name, where one is given."""
    first, *rest = arguments or [""]
    option, equals, _ = first.partition("=")
    if option in _OPTIONS and (rest or equals):
        os.environ[_NAMED] = "1"
