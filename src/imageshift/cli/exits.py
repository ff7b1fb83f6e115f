"""Exit codes, and the one place where errors become them (docs, "Exit codes and warnings")."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType

from imageshift.cli.output import flush, say, say_lines
from imageshift.errors import ConfigError, ImageshiftError, ToolError
from imageshift.interrupt import ENDING

__all__ = ["Exit", "ending_on_signals", "reporting_errors"]


_came: list[int] = []
"""The signals that have come to end the run."""


class Exit(IntEnum):
    """The exit code of a run; if several apply, the order is 130, 70, 2, 1, 3, 4, 0."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    UNSAFE = 3
    TOOL = 4
    BUG = 70
    INTERRUPTED = 130


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end a run as Ctrl-C does, with the programs that it has started.

    A signal that is ignored, as under nohup, stays so. Once the run is over, a signal
    no longer changes its exit code.
    """
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)
        _came.clear()


def _end(number: int, _frame: FrameType | None) -> None:
    _came.append(number)
    # No module is loaded by a signal. One that is only half loaded has started nothing yet.
    stop = getattr(sys.modules.get("imageshift.tool"), "stop_tools", None)
    if stop is not None:
        stop()
    raise KeyboardInterrupt


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Turns errors into messages and exit codes."""
    try:
        with _flushing():
            yield
    except ImageshiftError as error:
        _say_error(error)
        code = Exit.USAGE if isinstance(error, ConfigError) else Exit.UNSAFE
        raise SystemExit(Exit.TOOL if isinstance(error, ToolError) else code) from None
    except KeyboardInterrupt:
        raise _interrupted() from None
    except Exception as error:  # noqa: BLE001 whatever is left is a bug of ours
        if _came:
            # What a signal interrupts, a half-loaded module or C code, may fail in its own way.
            raise _interrupted() from None
        say_lines(f"imageshift: a bug, please report it: {type(error).__name__}: {error}")
        _say_where(error)
        raise SystemExit(Exit.BUG) from None


def _interrupted() -> SystemExit:
    say("interrupted: every file is complete")
    return SystemExit(Exit.INTERRUPTED)


@contextmanager
def _flushing() -> Iterator[None]:
    """Writes the result before any error is reported."""
    try:
        yield
    finally:
        flush()


def _say_error(error: ImageshiftError) -> None:
    say_lines(f"imageshift: {error}")
    if error.hint:
        say(f"  hint: {error.hint}")


def _say_where(error: Exception) -> None:
    import traceback  # noqa: PLC0415 for bugs only

    say_lines("".join(traceback.format_tb(error.__traceback__)[-3:]).rstrip())
