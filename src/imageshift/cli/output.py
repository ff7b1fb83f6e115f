"""What a run prints: results on standard output or in a file, narration on standard error.

Nothing that a file's name or text holds reaches a terminal as a command to it.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from imageshift.ecr import Registry
from imageshift.errors import ConfigError, SourceError, without_users
from imageshift.reports.words import visible, visible_lines

__all__ = [
    "emit",
    "emit_data",
    "flush",
    "progress",
    "put",
    "put_diff",
    "put_styled",
    "say",
    "say_doubtful_accounts",
    "say_lines",
    "take_any_text",
    "writing",
]


def take_any_text() -> None:
    """Lets no stream fail at a character that it can't spell, nor at a byte it can't read."""
    for stream, errors in (
        (sys.stdin, "surrogateescape"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=errors)


def put(line: str) -> None:
    """Prints one line of a result."""
    _print(f"{visible(line)}\n")


def put_diff(diff: str) -> None:
    """Prints a diff: so that it can be applied, where no terminal shows it.

    Only the users and passwords of URLs in the lines between are left out.
    """
    stream = sys.stdout
    if stream is None or stream.isatty() or not hasattr(stream, "buffer"):
        _print(visible_lines(diff))
        return
    with writing(stream):
        stream.flush()
        stream.buffer.write(without_users(diff).encode("utf-8", "surrogateescape"))


def put_styled(text: str) -> None:
    """Prints a text that is styled for the terminal, its own escapes included."""
    _print(text)


def emit(text: str, output: Path | None = None) -> None:
    """Writes a result to a file, whole or not at all, or to standard output.

    Raises:
        ConfigError: it can't be written.
    """
    if output is None:
        _print(visible_lines(text))
        return
    from imageshift.repo.write import write_whole  # noqa: PLC0415 for this option only

    content = without_users(text).encode(errors="backslashreplace")
    try:
        if output.exists() and not output.is_file():  # a pipe or device has nothing to lose
            output.write_bytes(content)
        else:
            write_whole(Path(os.path.realpath(output)), content)
    except SourceError as error:
        raise ConfigError(f"{output}: {error}") from None
    except OSError as error:
        raise ConfigError(f"{output}: can't be written: {error.strerror}") from None


def emit_data(data: dict[str, Any], output: Path | None = None) -> None:
    """Writes a result as JSON in plain ASCII, which any name can be spelled in.

    Raises:
        ConfigError: it can't be written.
    """
    emit(json.dumps(data, indent=2) + "\n", output)


def say(line: str) -> None:
    """Prints one line of narration."""
    say_lines(visible(line))


def say_doubtful_accounts(registries: Iterable[Registry]) -> None:
    """Says which registries can't exist, since their account hasn't twelve digits."""
    for registry in registries:
        if registry.has_doubtful_account:
            account = registry.account
            say(f"warning account-id: {account} doesn't have the twelve digits of an account id")


def say_lines(text: str) -> None:
    """Prints narration of several lines; where nobody can read it, it is dropped."""
    if sys.stderr is not None:
        with writing(sys.stderr, dropping=True):
            sys.stderr.write(f"{visible_lines(text)}\n")


@contextmanager
def progress(what: str, total: int | None, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A function to call after each of `total` steps; it draws on a terminal only."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 heavy, and only on a terminal
    from rich.progress import Progress  # noqa: PLC0415 as above

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def flush() -> None:
    """Writes what standard output still holds.

    Raises:
        ConfigError: it can't be written.
    """
    if sys.stdout is not None:
        with writing(sys.stdout):
            sys.stdout.flush()


def _print(text: str) -> None:
    if sys.stdout is not None:
        with writing(sys.stdout):
            sys.stdout.write(text)


@contextmanager
def writing(stream: TextIO | None, *, dropping: bool = False) -> Iterator[None]:
    """Writes to a stream; where its reader has gone away (`| head`), what follows goes nowhere.

    Raises:
        ConfigError: it can't be written, unless that is no matter (`dropping`).
    """
    try:
        yield
    except BrokenPipeError:
        _close(stream)
    except OSError as error:
        _close(stream)
        if not dropping:
            raise ConfigError(f"the result can't be written: {error.strerror}") from None


def _close(stream: TextIO | None) -> None:
    """Sends a stream that can't be written, and all that it still holds, to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    if stream is not None:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
