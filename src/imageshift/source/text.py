"""A file's text, places in it, and edits to it.

All offsets count characters of the decoded text, the byte order mark included.

>>> apply_edits("a: b # c", [Edit(Span(3, 4), "x")])
'a: x # c'
"""

from bisect import bisect_right
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable
from functools import cached_property

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re

__all__ = ["BOM", "Edit", "Place", "SourceText", "Span", "apply_edits"]

BOM = "\ufeff"

_LINE_BREAK = lazy_re(r"\r\n|\r|\n")


class Span(Struct, frozen=True, order=True):
    """A half-open range of characters."""

    start: int
    end: int


class Edit(Struct, frozen=True, order=True):
    """A span and the text that takes its place.

    `removes` says that it is meant to take keys or items out as a whole.
    """

    span: Span
    text: str
    removes: bool = False


class Place(Struct, frozen=True, order=True):
    """A 1-based line and column; columns count code points, without the byte order mark."""

    line: int
    column: int


class SourceText:
    """The decoded text of one file."""

    __slots__ = ("__dict__", "text")

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def decode(cls, content: bytes) -> "SourceText":
        """The text of a file's bytes.

        Raises:
            SourceError: the bytes are not UTF-8 (reason `not-utf8`).
        """
        # How YAML tells them (1.2.2, 5.2): by a byte order mark, or by the first character.
        if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in content[:2]:
            raise SourceError("the file is UTF-16 or UTF-32, not UTF-8", reason="not-utf8", line=1)
        try:
            return cls(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise SourceError(
                f"the file isn't UTF-8: {error.reason}", reason="not-utf8", line=line, column=1
            ) from None

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in _LINE_BREAK.finditer(self.text))]

    @property
    def newline(self) -> str:
        r"""The line end that the text uses first; `\n` when it has none."""
        found = _LINE_BREAK.search(self.text)
        return "\n" if found is None else found[0]

    def place(self, offset: int) -> Place:
        """Where a character stands."""
        line = bisect_right(self._line_starts, offset)
        column = offset - self._line_starts[line - 1] + 1
        if line == 1 and self.text.startswith(BOM):
            column = max(1, column - 1)
        return Place(line, column)

    def line_start(self, line: int) -> int:
        """The offset at which a 1-based line begins; beyond the last line, where that begins."""
        starts = self._line_starts
        return starts[min(line, len(starts)) - 1]

    def line(self, line: int) -> str:
        """The text of a 1-based line, without its end."""
        starts = self._line_starts
        end = starts[line] if line < len(starts) else len(self.text)
        return self.text[starts[line - 1] : end].rstrip("\r\n")

    def line_end(self, offset: int) -> int:
        """The offset of the line end at or behind `offset`, or of the end of the text."""
        found = _LINE_BREAK.search(self.text, offset)
        return len(self.text) if found is None else found.start()

    def __len__(self) -> int:
        return len(self.text)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    r"""The text with every edit made; equal edits count once.

    Raises:
        ValueError: two edits overlap.
    """
    parts: list[str] = []
    done = 0
    for edit in sorted(set(edits)):
        if edit.span.start < done:
            raise ValueError(f"the edit {edit} overlaps the one before it")
        parts += (text[done : edit.span.start], edit.text)
        done = edit.span.end
    return "".join((*parts, text[done:]))
