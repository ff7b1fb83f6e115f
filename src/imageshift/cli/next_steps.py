"""What to do after a command, as commands that run as they are printed.

The order is the one in which nothing fails to pull: the rules exist, the cache is filled, the
change is proven, and only then it is merged.
"""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

from imageshift.cli.options import Common
from imageshift.reports.text import Step

__all__ = ["after_dry_run", "after_migration", "after_scan", "command_line"]

_OF_THE_OUTPUT = frozenset({"format", "output", "quiet", "verbose", "strict", "jobs"})


def command_line(
    command: str, paths: Iterable[Path], common: Common, *, without: Iterable[str] = ()
) -> str:
    """A command of imageshift with the paths and options of this run."""
    left_out = {*_OF_THE_OUTPUT, *without}
    options = [
        word
        for field in fields(Common)
        if field.name not in left_out
        for word in _words(field.name, getattr(common, field.name), field.default)
    ]
    named = [str(path) for path in paths]
    given = [] if named == ["."] else named
    return shlex.join(["imageshift", *command.split(), *given, *options])


def after_scan(paths: list[Path], common: Common) -> list[Step]:
    """What to do once it is known which images should move."""
    return [
        Step(_validate(paths, common), "the rules have to exist in ECR"),
        Step(command_line("migrate --diff", paths, common), "see the changes, write nothing"),
        Step(command_line("migrate", paths, common), "write them"),
    ]


def after_dry_run(paths: list[Path], common: Common) -> list[Step]:
    """What to do once the changes were shown."""
    return [Step(command_line("migrate", paths, common), "write the changes")]


def after_migration(paths: list[Path], common: Common) -> list[Step]:
    """What to do once the files are written."""
    online = ("offline",)
    return [
        Step("git diff", "look at the changes"),
        Step(_validate(paths, common), "the rules have to exist in ECR"),
        Step(command_line("warm --pull", paths, common, without=online), "fill the cache"),
        Step(command_line("verify", paths, common), "prove that only images differ, then merge"),
        Step(command_line("check", paths, common), "run it in CI from then on"),
    ]


def _validate(paths: list[Path], common: Common) -> str:
    """`rules validate` counts images only below the paths that it gets, `.` included."""
    line = command_line("rules validate", paths, common, without=("offline",))
    return line.replace("validate", "validate .", 1) if paths == [Path()] else line


def _words(name: str, value: Any, default: Any) -> Iterator[str]:
    """An option with its value as words, none where it has its default."""
    if value in (default, None, [], False):
        return
    option = f"--{name.replace('_', '-')}"
    for one in value if isinstance(value, list) else [value]:
        yield option
        if one is not True:
            yield str(one.value if isinstance(one, Enum) else one)
