"""What a run prints: results on standard output or in a file, narration on standard error.

Nothing that a file's name or text holds reaches a terminal as a command to it. Commands don't know
where their results go: `results_in` sends all that would be on standard output to a file.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from imageshift.ecr import Registry
from imageshift.errors import ConfigError, SourceError, without_users
from imageshift.reports.words import visible, visible_lines

__all__ = [
    "emit",
    "emit_data",
    "emit_report",
    "flush",
    "progress",
    "put",
    "put_diff",
    "put_styled",
    "results_in",
    "say",
    "say_doubtful_accounts",
    "say_lines",
    "shows_colours",
    "take_any_text",
    "writing",
]

_kept: list[BytesIO] = []


def take_any_text() -> None:
    """Lets no stream fail at a character that it can't spell, nor at a byte it can't read."""
    for stream, errors in (
        (sys.stdin, "surrogateescape"),
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=errors)


@contextmanager
def results_in(file: Path | None) -> Iterator[None]:
    """Sends results to a file, whole or not at all, or to standard output where there is none.

    The file is written also when the command ends with an exit code of its own.

    Raises:
        ConfigError: it can't be written.
    """
    if file is None:
        yield
        return
    from typer import Exit  # noqa: PLC0415 loaded by now

    kept = BytesIO()
    _kept.append(kept)
    try:
        yield
    except Exit:
        _write(file, kept.getvalue())
        raise
    else:
        _write(file, kept.getvalue())
    finally:
        _kept.remove(kept)


def shows_colours() -> bool:
    """Whether results go to a terminal."""
    return not _kept and sys.stdout is not None and sys.stdout.isatty()


def put(line: str) -> None:
    """Prints one line of a result."""
    _print(f"{visible(line)}\n")


def put_diff(diff: str) -> None:
    """Prints a diff: so that it can be applied, where no terminal shows it.

    Only the users and passwords of URLs in the lines between are left out.
    """
    content, stream = without_users(diff).encode("utf-8", "surrogateescape"), sys.stdout
    if _kept:
        _kept[-1].write(content)
        return
    if stream is None or stream.isatty() or not hasattr(stream, "buffer"):
        _print(visible_lines(diff))
        return
    with writing(stream):
        stream.flush()
        stream.buffer.write(content)


def put_styled(text: str) -> None:
    """Prints a text that is styled for the terminal, its own escapes included."""
    _print(text)


def emit(text: str, file: Path | None = None) -> None:
    """Prints a result of several lines, or writes it to a file of its own.

    Raises:
        ConfigError: it can't be written.
    """
    if file is None:
        _print(visible_lines(text))
    else:
        _write(file, without_users(text).encode(errors="backslashreplace"))


def emit_data(data: dict[str, Any]) -> None:
    """Prints a result as JSON in plain ASCII, which any name can be spelled in."""
    emit(json.dumps(data, indent=2) + "\n")


def emit_report(report: dict[str, Any], form: str, done: str = "") -> None:
    """Prints a whole report as JSON or as a page; `done` is the page's word for what moves."""
    if form == "json":
        emit_data(report)
        return
    from imageshift.reports.forge import forge_link  # noqa: PLC0415 where a page is asked for
    from imageshift.reports.page import render_page  # noqa: PLC0415 as above

    emit(render_page(report, done, forge_link(os.environ)))


def _write(file: Path, content: bytes) -> None:
    """Writes a file, whole or not at all."""
    from imageshift.repo.write import write_whole  # noqa: PLC0415 where a file is asked for

    try:
        if file.exists() and not file.is_file():  # a pipe or device has nothing to lose
            file.write_bytes(content)
        else:
            write_whole(Path(os.path.realpath(file)), content)
    except SourceError as error:
        raise ConfigError(f"{file}: {error}") from None
    except OSError as error:
        raise ConfigError(f"{file}: can't be written: {error.strerror}") from None


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
    if _kept:
        _kept[-1].write(text.encode(errors="backslashreplace"))
    elif sys.stdout is not None:
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
