"""Values that a chart leaves empty, set to what it uses without them.

Many charts have an empty `registry`, or take a full name where they build one. Setting such a
value to what the chart takes by itself changes nothing in the rendering, and opens a leaf that
the trace can then mark: the rendering decides, not the name of the key.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from imageshift.charts.model import Field, RenderedImage, ValuePath, Values
from imageshift.charts.values import leaves, lookup
from imageshift.lazy import lazy_re

__all__ = ["Fill", "join_fills", "propose_fills"]

Fill = Mapping[ValuePath, str]
"""Texts by path: one guess about one image."""

_REGISTRY_KEY = lazy_re(r"regist|host$|hub$|domain", re.IGNORECASE)
_SHARED_KEY = lazy_re(r"regist", re.IGNORECASE)
_OTHER_KEY = lazy_re(r"secret|user|pass|policy|name$", re.IGNORECASE)
_REPOSITORY_KEY = lazy_re(r"reposit|^repo$|image|^name$", re.IGNORECASE)
_IMAGE_KEY = lazy_re("image", re.IGNORECASE)
_MOST = 24
_MOST_SHARED = 8


def propose_fills(images: Iterable[RenderedImage], values: Values) -> Iterator[Sequence[Fill]]:
    """Rounds of guesses for images that no leaf reaches from their first character on.

    The likeliest round is first: registries beside an image's own leaves, then those that many
    images may share, then whole names.
    """
    empty = _Empty.of(values)
    wanted = list(images)
    guesses = (
        [fill for image in wanted for fill in _beside(image, values, empty)][:_MOST],
        [fill for image in wanted for fill in _shared(image, empty)],
        [fill for image in wanted for fill in _whole(image, values, empty)][:_MOST],
    )
    for number, fills in enumerate(guesses):
        found = {tuple(sorted(fill.items(), key=str)): fill for fill in fills}
        yield list(found.values())[: _MOST_SHARED if number == 1 else _MOST]


def join_fills(fills: Iterable[Fill]) -> Fill:
    """As many of the guesses as go together, for one rendering that tries all of them."""
    joined: dict[ValuePath, str] = {}
    for fill in fills:
        if not fill.keys() & joined.keys():
            joined |= fill
    return joined


class _Empty(Struct, frozen=True):
    """The keys without a value, by the map they stand in."""

    keys: Mapping[ValuePath, Sequence[str]]

    @classmethod
    def of(cls, values: Values) -> "_Empty":
        found: dict[ValuePath, list[str]] = {}
        for path, value in leaves(values):
            if value in (None, "") and path and isinstance(path[-1], str):
                found.setdefault(path[:-1], []).append(path[-1])
        return cls(found)

    def registries(self, here: ValuePath) -> list[str]:
        return [key for key in self.keys.get(here, ()) if _REGISTRY_KEY.search(key)]

    def repositories(self, here: ValuePath) -> list[str]:
        return [key for key in self.keys.get(here, ()) if _REPOSITORY_KEY.search(key)]

    def shared(self) -> list[ValuePath]:
        """Registries of the whole chart: those under `global` first, then the least deep."""
        found = [
            (*here, key)
            for here, keys in self.keys.items()
            if not any(isinstance(part, int) for part in here)
            for key in keys
            if _SHARED_KEY.search(key) and not _OTHER_KEY.search(key)
        ]
        return sorted(found, key=lambda path: (path[0] != "global", len(path)))


def _beside(image: RenderedImage, values: Values, empty: _Empty) -> Iterator[Fill]:
    """The registry that the chart writes itself, in an empty or absent key beside a leaf."""
    for segment in sorted(image.segments, key=lambda item: item.start):
        literal = image.raw_name[: segment.start].rstrip("/")
        here = segment.leaf[:-1]
        keys = empty.registries(here)
        holder: Any = lookup(values, here)
        if not keys and isinstance(holder, Mapping) and "registry" not in holder:
            keys = ["registry"]
        for key in keys if literal else ():
            yield {(*here, key): literal}


def _shared(image: RenderedImage, empty: _Empty) -> Iterator[Fill]:
    """The registry that the chart writes itself, in an empty key that stands elsewhere."""
    start = min((segment.start for segment in image.segments), default=len(image.raw_name))
    literal = image.raw_name[:start].rpartition("/")[0]
    if literal and start:
        beside = {segment.leaf[:-1] for segment in image.segments}
        for path in empty.shared():
            if path[:-1] not in beside:
                yield {path: literal}


def _whole(image: RenderedImage, values: Values, empty: _Empty) -> Iterator[Fill]:
    """The name as a whole, in a leaf that has a part of it or over a map's empty keys."""
    if not image.segments:
        yield from _split_over(image, empty)
    ordered = sorted(image.segments, key=lambda item: item.start)
    for segment in {*ordered[:1], *ordered[-1:]}:
        for key in empty.repositories(segment.leaf[:-1]):
            yield {(*segment.leaf[:-1], key): image.raw_name}
        if segment.inner == (0, len(lookup(values, segment.leaf))):
            yield {segment.leaf: image.raw_name}


def _split_over(image: RenderedImage, empty: _Empty) -> Iterator[Fill]:
    """An image of which nothing stands in the values, over a map's empty keys."""
    registry, slash, rest = image.raw_name.partition("/")
    for here in empty.keys:
        registries, repositories = empty.registries(here), empty.repositories(here)
        image_map = bool(here) and "image" in str(here[-1]).lower()
        if registries and repositories and slash:
            yield {(*here, registries[0]): registry, (*here, repositories[0]): rest}
        elif repositories and (image_map or _IMAGE_KEY.search(repositories[0])):
            yield from ({(*here, repositories[0]): text} for text in _texts(image))


def _texts(image: RenderedImage) -> list[str]:
    """Its name; and all of it where only a patch would say the tag as well (K5)."""
    reached = image.field in (Field.CONTAINER, Field.VOLUME)
    return [image.raw_name] if reached else [image.raw_name, image.text]
