"""The data of a tree, typed as Helm's and Argo CD's readers type scalars."""

from math import isfinite
from typing import Any

from imageshift.lazy import lazy_re
from imageshift.source.node import Mapping, Root, Scalar, Sequence

__all__ = ["to_plain"]

_TRUE = {"true", "yes", "on"}
_FALSE = {"false", "no", "off"}
_INTEGER = lazy_re(r"[-+]?(0|[1-9][0-9]*)")
_FRACTION = lazy_re(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)(e[-+]?[0-9]+)?")
_MOST_DIGITS = 21
_LOWEST, _HIGHEST = -(1 << 63), (1 << 64) - 1


def to_plain(node: Root) -> Any:
    """A tree's data."""
    # Comprehensions would take two frames for each level in Python 3.11.
    if isinstance(node, Mapping):
        made = {}
        for key, value in node.pairs():
            made[key.value] = to_plain(value)
        return made
    if isinstance(node, Sequence):
        items = []
        for item in node.items:
            items.append(to_plain(item))  # noqa: PERF401 as above
        return items
    return _typed(node) if isinstance(node, Scalar) else None


def _typed(scalar: Scalar) -> Any:
    if scalar.is_string or scalar.style:
        return scalar.value
    word = scalar.value.lower()
    if word in {"", "~", "null"}:
        return None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    return _number(word, scalar.value)


def _number(word: str, text: str) -> Any:
    """A number as Go reads it: a whole one that fits 64 bits, else a fraction, else the text."""
    if _INTEGER.fullmatch(word) and len(word) <= _MOST_DIGITS and _LOWEST <= int(word) <= _HIGHEST:
        return int(word)
    if _FRACTION.fullmatch(word) and isfinite(found := float(word)):
        return found
    return text
