"""What a run prints: results on standard output or in a file, narration on standard error.

Nothing that a file's name or text holds reaches a terminal as a command to it. Commands don't know
where their results go: `results_in` sends all that would be on standard output to a file.
"""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

from imageshift.cli.progress import hide_progress
from imageshift.cli.terminal import is_shown, page_for, width_of
from imageshift.ecr import Registry
from imageshift.errors import ConfigError, SourceError, without_users
from imageshift.reports.lines import Page
from imageshift.reports.words import visible, visible_lines

__all__ = [
    "emit",
    "emit_data",
    "emit_report",
    "flush",
    "new_page",
    "put",
    "put_diff",
    "put_legend",
    "put_page",
    "put_text",
    "results_in",
    "say",
    "say_doubtful_accounts",
    "say_lines",
    "shows_colours",
    "take_any_text",
    "writing",
]

_kept: list[BytesIO] = []
_shortened: set[str] = set()


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

    kept = BytesIO()
    _kept.append(kept)
    try:
        yield
    except SystemExit:
        _write(file, kept.getvalue())
        raise
    else:
        _write(file, kept.getvalue())
    finally:
        _kept.remove(kept)


def shows_colours() -> bool:
    """Whether results are shown with colours, as on a terminal."""
    return not _kept and is_shown(sys.stdout)


def new_page(host: str = "", *, bare: bool = False) -> Page:
    """An empty page for results; `host` is the registry that it writes as `…`.

    A `bare` one is for other programs to read, unless it goes to a terminal.
    """
    return Page() if _kept else page_for(sys.stdout, host, bare=bare)


def put_page(page: Page) -> None:
    """Prints a page, which is fit for the terminal."""
    if page.is_short:
        _shortened.add(page.host)
    _print(page.text())


def put_text(text: str, host: str = "") -> None:
    """Prints a text for people, whose lines break between words; `host` is shortened to `…`."""
    page = new_page(host)
    for line in text.splitlines():
        words = line.lstrip(" ")
        page.line((page.short(words), ""), indent=len(line) - len(words))
    put_page(page)
    put_legend()


def put_legend() -> None:
    """Explains `…`, if anything printed contains it."""
    for host in sorted(_shortened):
        page = new_page()
        page.line((f"… stands for {host}", "dim"))
        put_page(page)
    _shortened.clear()


def put(line: str) -> None:
    """Prints one line of a result; on a terminal it breaks between words."""
    if shows_colours():
        page = new_page()
        page.line((line, ""))
        put_page(page)
    else:
        _print(f"{visible(line)}\n")


def put_diff(diff: str, host: str = "") -> None:
    """Prints a diff: so that it can be applied, where no terminal shows it.

    Only the users and passwords of URLs in the lines between are left out. On a terminal, the
    registry `host` is shortened where a line doesn't fit.
    """
    content, stream = without_users(diff).encode("utf-8", "surrogateescape"), sys.stdout
    if _kept:
        _kept[-1].write(content)
        return
    if stream is None or is_shown(stream) or not hasattr(stream, "buffer"):
        _print(_shown_diff(diff, host))
        return
    hide_progress()
    with writing(stream):
        stream.flush()
        stream.buffer.write(content)


def _shown_diff(diff: str, host: str) -> str:
    """A diff for a terminal: coloured, and harmless."""
    text = visible_lines(diff)
    if not is_shown(sys.stdout):
        return text
    page = page_for(sys.stdout, host)
    lines = text.split("\n")[:-1]
    fits = page.width is None or max(map(len, lines), default=0) <= page.width
    for line in lines:
        page.verbatim(line if fits else page.short(line), _style_of(line))
    if page.is_short:
        _shortened.add(host)
    return page.text()


def _style_of(line: str) -> str:
    """The style of a line of a diff."""
    if line.startswith(("---", "+++")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")


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
    """Prints narration of several lines; where nobody can read it, it is dropped.

    On a terminal a line breaks between words.
    """
    if sys.stderr is None:
        return
    hide_progress()
    text = visible_lines(text)
    with writing(sys.stderr, dropping=True):
        if is_shown(sys.stderr):
            page = Page(width_of(sys.stderr))
            for line in text.split("\n"):
                page.line((line, ""))
            text = page.text().removesuffix("\n")
        sys.stderr.write(f"{text}\n")


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
        hide_progress()
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
