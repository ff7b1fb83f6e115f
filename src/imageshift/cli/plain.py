"""A hook's plain command line, read without Typer, whose import takes longer than a check."""

import os
from collections.abc import Sequence
from pathlib import Path

from imageshift.cli.options import Common

__all__ = ["run_plain"]

# Other ways to give options than the command line.
_VARIABLES = ("_IMAGESHIFT_COMPLETE", "IMAGESHIFT_CHARTS")


def run_plain(arguments: Sequence[str]) -> bool:
    """Runs `check` on paths with no options but `--account` and `--region`.

    Returns False, with nothing done, for every other command line.
    """
    command, *words = arguments or [""]
    if command != "check" or any(name in os.environ for name in _VARIABLES):
        return False
    given = {"--account": "", "--region": ""}
    paths = list[Path]()
    rest = iter(words)
    for word in rest:
        if word in given:
            given[word] = next(rest, "")
        elif word.startswith("-"):
            return False
        else:
            paths.append(Path(word))
    if any(value.startswith("-") or (not value and name in words) for name, value in given.items()):
        return False
    from imageshift.cli.check import check  # noqa: PLC0415 this command only

    common = Common(account=given["--account"] or None, region=given["--region"] or None)
    check(common=common, paths=paths or [Path()])
    return True
