r"""Words for people: counted nouns, and texts of others that are safe to show.

>>> counted(1, "file"), counted(2, "file")
('1 file', '2 files')
>>> visible("a\x1b[31m.yaml\n")
'a\\x1b[31m.yaml\\n'
"""

import re

from imageshift.errors import without_users
from imageshift.lazy import lazy_re

__all__ = ["counted", "visible", "visible_lines"]

# Letters and marks for Python that nobody sees: fillers, joiners, and selectors of variants.
_UNSEEN = lazy_re(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ANY = lazy_re(r"[^ -~]")
_INSIDE_LINES = lazy_re(r"(?!\n|\t|\r\n)[^ -~]")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def visible(text: str) -> str:
    """A text as one line, with escapes for whatever a terminal would obey or couldn't show.

    Users and passwords of URLs are left out.
    """
    text = without_users(text)
    return text if text.isascii() and text.isprintable() else _ANY.sub(_escaped, text)


def visible_lines(text: str) -> str:
    """A text of several lines, with escapes for the same, but for line ends and tabs."""
    return _INSIDE_LINES.sub(_escaped, without_users(text))


def _escaped(found: re.Match[str]) -> str:
    """A character, or its escape: controls, formats, unknown ones, bytes that are not UTF-8."""
    letter = found[0]
    seen = letter.isprintable() and _UNSEEN.match(letter) is None
    return letter if seen else letter.encode("unicode_escape").decode()
