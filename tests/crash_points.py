"""Runs of the command line in forked children, with something that happens at the n-th step.

A step is a call by which a run opens, writes, flushes, names or removes a file.
"""

import io
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from command_line import REGISTRY
from imageshift import cli
from imageshift.repo import exchange

__all__ = ["Died", "Point", "run_forked", "steps_of"]

_STEPS = (
    *("open", "write", "fsync", "ftruncate", "rename", "replace", "link", "unlink"),
    *("mkdir", "rmdir", "chmod", "chown", "utime", "pread"),
)
# What a run loads late is loaded before the fork, so that a child costs little.
_LATE = (
    "cli.migrate",
    "cli.revert",
    "solve.decisions",
    "links.reach",
    "links.render",
    "reports.text",
)
for late in _LATE:
    import_module(f"imageshift.{late}")
import_module("platformdirs.unix")
vars(exchange)["_renameat2"]()
import_module("rich.table")

Died = tuple[int, str]
"""A child's exit code, negative for a signal, and what it wrote to standard error.

With `--verbose` that is the report too.
"""


class Point:
    """Counts the steps of a run, and does something before one of them."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self.number = number
        self.act = act
        self.seen: list[str] = []

    def install(self) -> None:
        """Let every step of this process come by here."""
        for name in _STEPS:
            setattr(os, name, self._counted(name, getattr(os, name)))
        found = vars(exchange)["_renameat2"]()
        counted = None if found is None else self._counted("exchange", found)
        vars(exchange)["_renameat2"] = lambda: counted

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            self.seen.append(name)
            if len(self.seen) == self.number:
                self.act()
            # A kill takes nothing from what was written: only a loss of power would.
            return None if name == "fsync" else real(*arguments, **options)

        return step


def run_forked(
    folder: Path,
    *arguments: str,
    point: Point | None = None,
    first: Callable[[], None] = lambda: None,
) -> Died:
    """Run a command in a child, which does something `first`."""
    with tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            os.dup2(stderr.fileno(), 2)
            try:
                first()
                code = _main(folder, arguments, point)
            except BaseException as error:  # noqa: BLE001 the child must not go on with the tests
                where = "".join(traceback.format_exception(error))
                os.write(2, f"traceback {where}".encode())
                code = 99
            os._exit(code)
        status = os.waitpid(child, 0)[1]
        stderr.seek(0)
        return os.waitstatus_to_exitcode(status), stderr.read().decode()


def _main(folder: Path, arguments: tuple[str, ...], point: Point | None) -> int:
    sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0, closefd=False), write_through=True)
    sys.stdout = sys.stderr if "--verbose" in arguments else io.StringIO()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.chdir(folder)
    quiet = () if "--verbose" in arguments else ("--quiet",)
    sys.argv = ["imageshift", *arguments, *REGISTRY, "--charts", "off", *quiet]
    if point is not None:
        point.install()
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException as error:  # noqa: BLE001 a traceback is a failure of the test
        print("traceback", repr(error), file=sys.stderr)  # noqa: T201 the child's own stream
        return 99
    return 0


def steps_of(folder: Path, *arguments: str) -> int:
    """Return how many steps a run makes."""
    read, write = os.pipe()
    point = Point(0, lambda: None)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        code = _main(folder, arguments, point)
        io.FileIO(write, "w").write(" ".join(point.seen).encode())
        os._exit(code)
    os.close(write)
    with io.FileIO(read) as pipe:
        names = pipe.readall()
    os.waitpid(child, 0)
    return len(names.split())
