r"""Lines for people: fitted to where they are read, with the colours and links that it has.

A line breaks between words only, so that a reference stays in one piece to be copied. Without a
width, as in a pipe, nothing breaks and nothing is shortened.

>>> page = Page(40, host="123456789012.dkr.ecr.eu-west-2.amazonaws.com")
>>> page.row("apps/web.yaml:3:4", page.short(f"nginx:1 → {page.host}/docker-hub/library/nginx:1"))
>>> print(page.text(), end="")
apps/web.yaml:3:4
  nginx:1 → …/docker-hub/library/nginx:1
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from posixpath import dirname

from imageshift.lazy import lazy_re
from imageshift.reports.words import visible

__all__ = ["Page", "Piece", "folders_of"]

Piece = tuple[str, str]
"""A text and its style, in the words of rich; `link` before a style makes it a link to a file."""

_DIGEST = lazy_re(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")
_LEAST = 40


class Page:
    """Lines in the making. `host` is the registry that `short` writes as `…`; `is_short` if it did.

    Whoever leaves something out that a verbose page has sets `is_folded`.
    `paint` gives a text of one style as the terminal takes it; without it, styles are dropped.
    `is_whole` says that names aren't shortened at all.
    """

    def __init__(
        self,
        width: int | None = None,
        *,
        host: str = "",
        paint: Callable[..., str] | None = None,
        is_whole: bool = False,
    ) -> None:
        self.width = None if width is None else max(width, _LEAST)
        self.host = host
        self.is_short = False
        self.is_folded = False
        self._paint = paint
        self._is_whole = is_whole
        self._lines: list[str] = []
        self._has_gap = False

    def text(self) -> str:
        """All lines, each with its end."""
        return "".join(f"{line}\n" for line in self._lines)

    def short(self, text: str) -> str:
        """A text that names images, as short as it can be and still be clear."""
        if self.width is None or self._is_whole:
            return text
        if self.host and f"{self.host}/" in text:
            text = text.replace(f"{self.host}/", "…/")
            self.is_short = True
        return _DIGEST.sub(r"\1…", text)

    def line(self, *pieces: Piece, indent: int = 0) -> None:
        """Adds a line; what doesn't fit continues below it, two columns further in."""
        words = [
            (word, style)
            for text, style in pieces
            for word in re.split(r"(?<= )(?! )", visible(text))
            if word
        ]
        for line in self._wrapped(words, indent):
            self._add(line)

    def gap(self) -> None:
        """Adds an empty line, if anything is above and below it."""
        self._has_gap = bool(self._lines)

    def verbatim(self, text: str, style: str = "") -> None:
        """Adds a harmless line that never breaks, such as one to copy."""
        self._add([(text, style)])

    def row(self, place: str, text: str, *, indent: int = 0, style: str = "") -> None:
        """Adds a line on a place of a file, which has a line of its own where both don't fit."""
        whole = indent + len(place) + 2 + len(text)
        if text and self.width is not None and whole > self.width:
            self.line((place, "link bold"), indent=indent)
            self.line((text, style), indent=indent + 2)
        else:
            end = f": {text}" if text else ""
            self.line((place, "link bold"), (end, style), indent=indent)

    def table(self, rows: Sequence[Sequence[str]], numbers: Iterable[int] = ()) -> None:
        """Adds a table, its first row the heads; the columns `numbers` stand right."""
        right = set(numbers)
        shown = [[visible(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
        for count, row in enumerate(shown):
            cells = [
                cell.rjust(width) if at in right else cell.ljust(width)
                for at, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            self._add([("  ".join(cells).rstrip(), "" if count else "bold")])

    def _add(self, line: Iterable[Piece]) -> None:
        if self._has_gap:
            self._lines.append("")
            self._has_gap = False
        if self._paint is None:
            self._lines.append("".join(text for text, _ in line))
        else:
            self._lines.append("".join(self._paint(*piece) for piece in _joined(line)))

    def _wrapped(self, words: Iterable[Piece], indent: int) -> Iterator[list[Piece]]:
        line: list[Piece] = [(" " * indent, "")] if indent else []
        used = indent
        for word, style in words:
            fits = self.width is None or used + len(word.rstrip()) <= self.width
            if not fits and used > indent:
                yield _trimmed(line)
                line, used = [(" " * (indent + 2), "")], indent + 2
            line.append((word, style))
            used += len(word)
        yield _trimmed(line)


def folders_of(files: Iterable[str], most: int) -> Counter[str]:
    """How many of the files lie in which folder: at most some, each as deep as that allows."""
    deepest = [dirname(file) or "." for file in files]
    for depth in range(max((name.count("/") for name in deepest), default=0), -1, -1):
        found = Counter("/".join(name.split("/")[: depth + 1]) for name in deepest)
        if len(found) <= most or not depth:
            return found
    return Counter()


def _trimmed(line: list[Piece]) -> list[Piece]:
    text, style = line[-1] if line else ("", "")
    return [*line[:-1], (text.rstrip(), style)]


def _joined(line: Iterable[Piece]) -> Iterator[Piece]:
    """The pieces, those of one style that follow each other as one."""
    text, last = "", ""
    for piece, style in line:
        if style != last and text:
            yield text, last
            text = ""
        text, last = text + piece, style
    if text:
        yield text, last
