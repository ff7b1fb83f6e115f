"""What differs by itself: values that a chart generates anew in each rendering."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from msgspec import Struct

from imageshift.errors import InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.reference import has_host, name_length
from imageshift.verify.text import SIGNS, TextJudge

__all__ = ["Noise"]

_WORDS = lazy_re(rf"({SIGNS}+)")
_SEALED = lazy_re(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
"""A key or certificate: as random in its length as in its content, so it counts as one word."""


class Noise(Struct, frozen=True):
    """Judges values of after by two renderings of before, word by word.

    A word that both renderings have stays or moves. A word that they don't share may be any word,
    but no other image.
    """

    texts: TextJudge

    def explains(self, first: Any, second: Any, after: Any) -> bool:
        """Whether `after` differs from `first` by nothing else than `second` does, and by moves."""
        if first == second or type(first) is not type(after):
            return False
        one, again, other = map(_lines, (first, second, after))
        if len(one) != len(again):  # the number of lines is random too, so they have no places
            return self._all_together(*(" ".join(lines) for lines in (one, again, other)))
        return len(one) == len(other) and all(
            a == c or self._in_line(a, b, c) for a, b, c in zip(one, again, other, strict=True)
        )

    def _in_line(self, first: str, second: str, after: str) -> bool:
        words = [_WORDS.split(line) for line in (first, second, after)]
        if len({len(each) for each in words}) > 1:
            return first != second and self._all_together(first, second, after)
        return self._one_by_one(*words)

    def _one_by_one(self, one: list[str], again: list[str], other: list[str]) -> bool:
        before = ["", *(" ".join(pair) for pair in pairwise(["", *one]))]
        return all(
            self._is_moved(a, c, context) or (a != b and not self._is_another_image(a, c))
            for a, b, c, context in zip(one, again, other, before, strict=False)
        )

    def _all_together(self, first: str, second: str, after: str) -> bool:
        one, again, made = ({*_WORDS.findall(text)} for text in (first, second, after))
        targets = {self.texts.target(word) for word in one | again}
        is_kept = all(word in made or self.texts.target(word) in made for word in one & again)
        return is_kept and not any(map(self._names_image, made - one - again - targets))

    def _is_moved(self, before: str, after: str, context: str) -> bool:
        return self.texts.pairs(before, after, context) is not None

    def _is_another_image(self, before: str, after: str) -> bool:
        """Whether a word names an image; a name may have a random tag, but is the same name."""
        if not self._names_image(after):
            return False
        old, new = before[: name_length(before)], after[: name_length(after)]
        return old != new and not self.texts.is_moved(old, new)

    def _names_image(self, word: str) -> bool:
        if not has_host(word):
            return False
        try:
            self.texts.rules.parse(word)
        except InvalidReferenceError:
            return False
        return True


def _lines(value: Any) -> list[str]:
    """The lines of all keys and values in a value."""
    sealed = (_SEALED.sub(lambda found: f"sealed{hash(found[0])}", text) for text in _texts(value))
    return [line for text in sealed for line in text.split("\n")]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    else:
        yield str(value)
