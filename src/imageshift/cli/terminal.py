"""What the terminal is like: its width, and how it shows colours and links."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from imageshift.lazy import lazy_re
from imageshift.reports.lines import Page

__all__ = ["is_shown", "page_for", "width_of"]

_PLACE = lazy_re(r"(.*?)(?::\d+){0,2}:?", re.DOTALL)


def is_shown(stream: TextIO | None) -> bool:
    """Whether somebody sees a stream with its colours: a terminal, or who asks for them."""
    forced = os.environ.get("FORCE_COLOR")
    return stream is not None and (bool(forced) or stream.isatty())


def width_of(stream: TextIO | None, *, bare: bool = False) -> int | None:
    """How many columns a report may have: those of the terminal, or of `COLUMNS`; else any.

    What is `bare`, for other programs to read, breaks on a terminal only.
    """
    if stream is not None and stream.isatty():
        from shutil import get_terminal_size  # noqa: PLC0415 not for hooks

        return get_terminal_size().columns
    columns = "" if bare else os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else None


def page_for(stream: TextIO | None, host: str = "", *, bare: bool = False) -> Page:
    """An empty page for a stream; on a `bare` one, names are whole."""
    paint = _painter() if is_shown(stream) else None
    return Page(width_of(stream, bare=bare), host=host, paint=paint, is_whole=bare)


def _painter() -> Callable[[str, str], str]:
    """A function that gives a text in a style as this terminal takes it."""
    from io import StringIO  # noqa: PLC0415 for terminals only

    from rich.console import Console  # noqa: PLC0415 heavy, and only on a terminal
    from rich.style import Style  # noqa: PLC0415 as above
    from rich.text import Text  # noqa: PLC0415 as above

    console = Console(file=StringIO(), force_terminal=True, highlight=False, emoji=False)

    def paint(text: str, style: str) -> str:
        if not style:
            return text
        name = style.removeprefix("link").strip()
        chosen = Style.parse(name)
        if style.startswith("link"):
            chosen += Style(link=_address(text))
        with console.capture() as made:
            console.print(Text(text, style=chosen), end="", soft_wrap=True)
        return made.get()

    return paint


def _address(text: str) -> str:
    """The address of the file that a place refers to."""
    found = _PLACE.fullmatch(text)
    return Path(found[1] if found else text).absolute().as_uri()
