"""Exit codes, and the one place where errors become them (docs, "Exit codes and warnings")."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from imageshift.errors import ConfigError, ImageshiftError, InvalidReferenceError, ToolError

__all__ = ["Exit", "reporting_errors", "say"]


class Exit(IntEnum):
    """What a run comes to; when several apply the order is 130, 70, 2, 1, 3, 4, 0."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    UNSAFE = 3
    TOOL = 4
    BUG = 70
    INTERRUPTED = 130


def say(text: str) -> None:
    """Prints narration, which goes to standard error."""
    print(text, file=sys.stderr)  # noqa: T201 the narration of the command line


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Turns errors into messages and exit codes."""
    try:
        yield
    except (ConfigError, InvalidReferenceError, ToolError) as error:
        _say_error(error)
        code = Exit.USAGE if isinstance(error, ConfigError) else Exit.UNSAFE
        raise typer.Exit(Exit.TOOL if isinstance(error, ToolError) else code) from None
    except ImageshiftError as error:
        _say_error(error)
        raise typer.Exit(Exit.UNSAFE) from None
    except KeyboardInterrupt:
        say("interrupted: every file is whole")
        raise typer.Exit(Exit.INTERRUPTED) from None
    except BrokenPipeError:
        raise typer.Exit(Exit.DONE) from None
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:  # noqa: BLE001 whatever is left is a bug of ours
        say(f"imageshift: a bug, please report it: {type(error).__name__}: {error}")
        _say_where(error)
        raise typer.Exit(Exit.BUG) from None


def _say_error(error: ImageshiftError) -> None:
    say(f"imageshift: {error}")
    if error.hint:
        say(f"  hint: {error.hint}")


def _say_where(error: Exception) -> None:
    import traceback  # noqa: PLC0415 for bugs only

    say("".join(traceback.format_tb(error.__traceback__)[-3:]).rstrip())
