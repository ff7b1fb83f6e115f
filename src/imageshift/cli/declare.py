"""Arguments and options of commands, declared without the library that reads command lines.

Typer's import takes longer than checking a file, and a pre-commit hook's plain command line does
without it (`imageshift.cli.plain`).
"""

from typing import Any

from msgspec import Struct

__all__ = ["Declared", "argument", "option"]


class Declared(Struct, frozen=True):
    """What `Annotated` says of a parameter; `more` is what `typer.Option` or `Argument` takes."""

    is_option: bool
    names: tuple[str, ...]
    more: dict[str, Any]


def option(*names: str, **more: Any) -> Declared:
    """An option with its names; `more` is what `typer.Option` takes."""
    return Declared(True, names, more)


def argument(**more: Any) -> Declared:
    """An argument; `more` is what `typer.Argument` takes."""
    return Declared(False, (), more)
