"""From the words of a command line to the command that they mean."""

import sys
from collections.abc import Sequence

from imageshift.cli.completion import name_shell, words
from imageshift.cli.exits import ending_on_signals, reporting_errors
from imageshift.cli.output import take_any_text, writing
from imageshift.cli.plain import run_plain

__all__ = ["start"]


def start(arguments: Sequence[str]) -> None:
    """Runs a command, and ends the process with its exit code where that isn't 0."""
    take_any_text()
    with ending_on_signals(), reporting_errors(), writing(sys.stdout):
        if not run_plain(arguments):
            from imageshift.cli.app import build_app  # noqa: PLC0415 Typer takes long to load

            name_shell(arguments)
            build_app(words(arguments))()
