"""Marks: short words put before value leaves, found again in what Helm renders (H6).

A mark only adds characters, so a rendering with the marks taken out must be the plain one:
that proves that the leaves are copied, not looked at, and shows where each one arrives.
Some charts put values into a Secret, so marks are also looked for in what is base64 of a text.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ValuePath, Values
from imageshift.charts.values import leaves, lookup
from imageshift.lazy import lazy_re

__all__ = [
    "Candidate",
    "collides",
    "decoded",
    "find_candidates",
    "find_named",
    "has_marks",
    "mark",
    "read_marks",
    "replace_marked",
    "splice",
    "strip",
]

_MARK = lazy_re(r"isq([0-9a-f]+)z")
# What base64 makes of a mark's first letters: it depends on how many bytes stand before them.
_HIDDEN_MARK = lazy_re(r"aXNx|lzc|pc3")
_ENCODED = lazy_re(r"[A-Za-z0-9+/]{16,}={0,2}")
_TOKEN = lazy_re(r"(?=[^\n]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._/:@-]*")
_REFERENCE = lazy_re(
    r"(?<![\w./:@-])(?:[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+(?::\d+)?)/[a-z0-9][\w./:@-]*[\w]"
)
_IMAGE_WORD = lazy_re(r"image|repositor|regist|^repo$|docker", re.IGNORECASE)
_OTHER_KEY = lazy_re(
    r"(?:policy|secrets?|tag|digest|sha|sha256|version|enabled|name_?space|class|command|suffix|preset|type)$",
    re.IGNORECASE,
)
_IMAGE_LINE = lazy_re(r"^[ \t-]*image:[ \t]*[\"']?([^\s\"'{}#]+)", re.MULTILINE)


class Candidate(Struct, frozen=True):
    """A part of a string leaf, `start` to `end`, that may spell some of an image."""

    leaf: ValuePath
    start: int
    end: int

    @property
    def says_image(self) -> bool:
        """Whether one of the leaf's last two keys has the word in it."""
        keys = [part for part in self.leaf if isinstance(part, str)]
        return any("image" in key.lower() for key in keys[-2:])


def find_candidates(values: Values) -> list[Candidate]:
    """The leaves that look as if they spell images, by their keys or by their text."""
    found: list[Candidate] = []
    for path, value in leaves(values):
        if isinstance(value, str) and value:
            found += [Candidate(path, start, end) for start, end in _spans(path, value)]
    return found


def find_named(values: Values, names: Iterable[str]) -> list[Candidate]:
    """The leaves whose whole text is a part of one of the names, whatever their keys are."""
    wanted = tuple(names)
    return [
        Candidate(path, 0, len(value))
        for path, value in leaves(values)
        if isinstance(value, str)
        and _TOKEN.fullmatch(value)
        and not (path and _OTHER_KEY.search(str(path[-1])))
        and any(_is_part(value, name) for name in wanted)
    ]


def _is_part(value: str, name: str) -> bool:
    # A tag or digest may follow, so the value's name is looked up alone.
    bare = value.partition("@")[0]
    return f"/{bare.strip('/')}/" in f"/{name}/" or bare.startswith(f"{name}:")


def _spans(path: ValuePath, value: str) -> list[tuple[int, int]]:
    keys = [str(part) for part in path if isinstance(part, str)]
    image_key = _has_image_word(path)
    if _OTHER_KEY.search(keys[-1] if keys else ""):
        return []
    template = value.find("{{")
    if template >= 0 and "\n" not in value:
        head = value[:template]
        plain = not head or _TOKEN.fullmatch(head)
        return [(0, template)] if image_key and plain else []
    if _TOKEN.fullmatch(value):
        return [(0, len(value))] if image_key or _REFERENCE.fullmatch(value) else []
    spans = {found.span() for found in _REFERENCE.finditer(value) if "://" not in found[0]}
    for found in _IMAGE_LINE.finditer(value):
        start = found.start(1)
        spans.add((start, start + len(found[1].rstrip(":"))))
    # Of two that begin together the shorter one counts.
    return sorted(dict(sorted(spans, reverse=True)).items())


def _has_image_word(path: ValuePath) -> bool:
    keys = [part for part in path if isinstance(part, str)]
    return keys[-1:] == ["hub"] or any(_IMAGE_WORD.search(key) for key in keys[-2:])


def mark(candidates: Mapping[int, Candidate], values: Values) -> dict[ValuePath, str]:
    """The leaves' texts with the mark of its number before each candidate."""
    by_leaf: dict[ValuePath, dict[tuple[int, int], str]] = {}
    for number, item in candidates.items():
        text = lookup(values, item.leaf)
        old = text[item.start : item.end]
        by_leaf.setdefault(item.leaf, {})[item.start, item.end] = f"isq{number:x}z{old}"
    return {leaf: splice(lookup(values, leaf), parts) for leaf, parts in by_leaf.items()}


def splice(text: str, parts: Mapping[tuple[int, int], str]) -> str:
    """The text with each span replaced."""
    for (start, end), new in sorted(parts.items(), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def strip(text: str) -> str:
    """The text without marks."""
    return _changed(text, lambda plain: _MARK.sub("", plain))


def decoded(word: str) -> str | None:
    """The text that a word is base64 of; None where it is none, or of something else."""
    try:
        return base64.b64decode(word, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _changed(text: str, change: Callable[[str], str]) -> str:
    """The text with what has marks changed, also in what is base64."""

    def recode(found: re.Match[str]) -> str:
        inner = decoded(found[0])
        if inner is None or not has_marks(inner):
            return found[0]
        return base64.b64encode(change(inner).encode()).decode()

    if _HIDDEN_MARK.search(text) is not None:
        text = _ENCODED.sub(recode, text)
    return change(text) if "isq" in text else text


def read_marks(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without marks, and where in it each mark stood: (position, number)."""
    found: list[tuple[int, int]] = []
    plain: list[str] = []
    end = length = 0
    for hit in _MARK.finditer(text):
        plain.append(text[end : hit.start()])
        length += hit.start() - end
        found.append((length, int(hit[1], 16)))
        end = hit.end()
    plain.append(text[end:])
    return "".join(plain), found


def replace_marked(text: str, new: Mapping[int, tuple[str, str]]) -> str:
    """A marked text with old leaf texts (first) changed to new ones (second) behind their marks.

    Marks without an entry, or whose old text doesn't follow, are taken out.
    """
    return _changed(text, lambda plain: _replaced(plain, new))


def _replaced(text: str, new: Mapping[int, tuple[str, str]]) -> str:
    out: list[str] = []
    end = 0
    for hit in _MARK.finditer(text):
        if hit.start() < end:
            continue
        out.append(text[end : hit.start()])
        end = hit.end()
        old, changed = new.get(int(hit[1], 16), ("", ""))
        if text.startswith(old, end):
            out.append(changed)
            end += len(old)
    out.append(text[end:])
    return "".join(out)


def has_marks(text: str) -> bool:
    """Whether a mark stands in the text."""
    return "isq" in text and _MARK.search(text) is not None


def collides(values: Any) -> bool:
    """Whether a value holds what looks like a mark already."""
    return any(isinstance(value, str) and has_marks(value) for _, value in leaves(values))
