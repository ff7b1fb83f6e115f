"""Values that a chart leaves empty, set to what it uses without them.

Many charts have an empty `registry`, or take a full name where they build one. Setting such a
value to what the chart takes by itself changes nothing in the rendering, and opens a leaf that
the trace can then mark: the rendering decides, not the name of the key.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from imageshift.charts.model import RenderedImage, ValuePath, Values
from imageshift.charts.values import leaves, lookup

__all__ = ["Fill", "propose_fills"]

Fill = Mapping[ValuePath, str]
"""Texts by path: one guess about one image."""

_REGISTRY_KEY = re.compile(r"regist|host$|hub$|domain", re.IGNORECASE)
_REPOSITORY_KEY = re.compile(r"reposit|^repo$|image|^name$", re.IGNORECASE)
_IMAGE_KEY = re.compile("image", re.IGNORECASE)
_MOST = 24


def propose_fills(images: Iterable[RenderedImage], values: Values) -> Sequence[Fill]:
    """Guesses for images that no leaf reaches from their first character on, likeliest first."""
    found: dict[tuple[tuple[ValuePath, str], ...], None] = {}
    empty = _empty_by_map(values)
    for image in images:
        for fill in _guesses(image, values, empty):
            found.setdefault(tuple(sorted(fill.items(), key=str)), None)
    return [dict(items) for items in found][:_MOST]


def _empty_by_map(values: Values) -> dict[ValuePath, list[str]]:
    """The keys without a value, by the map they stand in."""
    found: dict[ValuePath, list[str]] = {}
    for path, value in leaves(values):
        if value in (None, "") and path and isinstance(path[-1], str):
            found.setdefault(path[:-1], []).append(path[-1])
    return found


def _guesses(
    image: RenderedImage, values: Values, empty: Mapping[ValuePath, list[str]]
) -> Iterator[Fill]:
    name = image.raw_name
    if image.segments:
        ordered = sorted(image.segments, key=lambda item: item.start)
        for segment in ordered:
            literal = name[: segment.start].rstrip("/")
            yield from _beside(segment.leaf, literal, values, empty)
        for segment in {ordered[0], ordered[-1]}:
            text = lookup(values, segment.leaf)
            if segment.inner == (0, len(text)):
                yield {segment.leaf: name}
    else:
        yield from _split_over(name, empty)


def _beside(
    leaf: ValuePath, literal: str, values: Values, empty: Mapping[ValuePath, list[str]]
) -> Iterator[Fill]:
    """The registry that the chart writes itself, in an empty or absent key beside the leaf."""
    if not literal:
        return
    here = leaf[:-1]
    keys = [key for key in empty.get(here, ()) if _REGISTRY_KEY.search(key)]
    holder: Any = lookup(values, here)
    if not keys and isinstance(holder, Mapping) and "registry" not in holder:
        keys = ["registry"]
    for key in keys:
        yield {(*here, key): literal}


def _split_over(name: str, empty: Mapping[ValuePath, list[str]]) -> Iterator[Fill]:
    """An image of which nothing stands in the values, over a map's empty keys."""
    registry, slash, rest = name.partition("/")
    for here, keys in empty.items():
        registries = [key for key in keys if _REGISTRY_KEY.search(key)]
        repositories = [key for key in keys if _REPOSITORY_KEY.search(key)]
        image_map = bool(here) and "image" in str(here[-1]).lower()
        if registries and repositories and slash:
            yield {(*here, registries[0]): registry, (*here, repositories[0]): rest}
        elif repositories and (image_map or _IMAGE_KEY.search(repositories[0])):
            yield {(*here, repositories[0]): name}
