"""Looking for words in a text, before anything slower looks at it."""

from collections.abc import Iterable
from typing import AnyStr

__all__ = ["has_any"]


def has_any(text: AnyStr, words: Iterable[AnyStr]) -> bool:
    """Whether any of the words stands in a text.

    Several such searches are many times as fast as one with a pattern of them all.
    """
    for word in words:  # noqa: SIM110 a generator takes twice as long
        if word in text:
            return True
    return False
