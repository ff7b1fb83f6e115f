r"""Words for people: counted nouns, and texts of others that are safe to show.

>>> counted(1, "file"), counted(2, "file")
('1 file', '2 files')
>>> visible("a\x1b[31m.yaml\n")
'a\\x1b[31m.yaml\\n'
"""

import re

from imageshift.errors import without_users

__all__ = ["counted", "visible", "visible_lines"]

# Controls, line ends that aren't ASCII, changes of direction, and bytes that are no UTF-8.
_HIDDEN = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_ANY = re.compile(_HIDDEN)
_INSIDE_LINES = re.compile(rf"(?!\n|\t|\r\n){_HIDDEN}")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def visible(text: str) -> str:
    """A text as one line, with escapes for whatever a terminal would obey or couldn't show.

    Users and passwords of URLs are left out.
    """
    text = without_users(text)
    return text if text.isprintable() else _ANY.sub(_escaped, text)


def visible_lines(text: str) -> str:
    """A text of several lines, with escapes for the same, but for line ends and tabs."""
    return _INSIDE_LINES.sub(_escaped, without_users(text))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
