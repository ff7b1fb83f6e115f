"""What to do after a command, as commands that run as they are printed.

The order is the one in which nothing fails to pull: the rules exist, the cache is filled, the
change is proven, and only then it is merged.
"""

from pathlib import Path

from imageshift.cli.options import Common, command_line
from imageshift.reports.text import Step

__all__ = ["after_dry_run", "after_migration", "after_scan"]


def after_scan(paths: list[Path], common: Common) -> list[Step]:
    """What to do once it is known which images should move."""
    return [
        Step(_validate(paths, common), "check that the rules exist in ECR"),
        Step(command_line("migrate --diff", paths, common), "see the changes, write nothing"),
        Step(command_line("migrate", paths, common), "write them"),
    ]


def after_dry_run(command: str, paths: list[Path], common: Common) -> list[Step]:
    """What to do once the changes were shown; `command` is the one that makes them."""
    return [Step(command_line(command, paths, common), "write the changes")]


def after_migration(paths: list[Path], common: Common) -> list[Step]:
    """What to do once the files are written."""
    online = ("offline",)
    return [
        Step("git diff", "look at the changes"),
        Step(_validate(paths, common), "check that the rules exist in ECR"),
        Step(command_line("warm --pull", paths, common, without=online), "fill the cache"),
        Step(command_line("verify", paths, common), "prove that only images differ, then merge"),
        Step(command_line("check", paths, common), "run it in CI from then on"),
    ]


def _validate(paths: list[Path], common: Common) -> str:
    """`rules validate` counts images only below the paths that it gets, `.` included."""
    line = command_line("rules validate", paths, common, without=("offline",))
    return line.replace("validate", "validate .", 1) if paths == [Path()] else line
