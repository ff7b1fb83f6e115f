"""Values trees: merging as Helm and Flux do, looking up, setting, and walking their leaves."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ChartError, ValuePath, Values
from imageshift.lazy import lazy_re

__all__ = [
    "ValuesFrom",
    "check_depth",
    "leaves",
    "lookup",
    "merge",
    "merge_release",
    "parse_target",
    "place",
    "set_target_path",
    "with_changes",
]

_DEEPEST = 100

_TARGET_PART = lazy_re(r"((?:\\.|[^.\[\\])+)|\[(\d{1,5})\]|(\.)")
_WORDS = {"true": True, "false": False, "null": None}


def merge(below: Values, above: Values) -> dict[str, Any]:
    """`above` over `below`: maps key by key, all else replaced; null stays, for Helm to delete."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def check_depth(values: Any) -> None:
    """Refuse values that are nested more deeply than any real ones are.

    Raises:
        ChartError: they are.
    """
    level = [values]
    for _ in range(_DEEPEST + 1):
        maps = [child for node in level if isinstance(node, Mapping) for child in node.values()]
        level = maps + [child for node in level if isinstance(node, list) for child in node]
        if not level:
            return
    raise ChartError(f"the values are nested deeper than {_DEEPEST} levels")


def lookup(values: Any, path: ValuePath) -> Any:
    """What stands at a path, or None."""
    for part in path:
        if isinstance(values, Mapping):
            values = values.get(part)
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            return None
    return values


def leaves(values: Any, path: ValuePath = ()) -> Iterator[tuple[ValuePath, Any]]:
    """Every scalar with its path; also empty maps and lists don't appear."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from leaves(value, (*path, key))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from leaves(value, (*path, index))
    else:
        yield path, values


def place(base: Values, changes: Mapping[ValuePath, Any]) -> dict[str, Any]:
    """The overlay that puts each value of `changes` at its path.

    Helm replaces lists as a whole, so one that a path enters is copied from `base`.
    """
    overlay: dict[str, Any] = {}
    for path, value in changes.items():
        _put(overlay, base, path, value)
    return overlay


def with_changes(values: Values, changes: Mapping[ValuePath, Any]) -> dict[str, Any]:
    """The values with each value of `changes` at its path."""
    return merge(values, place(values, changes))


def _put(overlay: Any, base: Any, path: ValuePath, value: Any) -> None:
    part, rest = path[0], path[1:]
    if not rest:
        overlay[part] = value
        return
    below = _child(base, part)
    if _child(overlay, part) is None:
        overlay[part] = _copy(below) if isinstance(below, list) else {}
    _put(overlay[part], below, rest, value)


def _child(values: Any, part: str | int) -> Any:
    return lookup(values, (part,))


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


class ValuesFrom(Struct, frozen=True, kw_only=True):
    """One resolved item of spec.valuesFrom: a values tree, or a text for a target path."""

    values: Values | None = None
    target_path: str | None = None
    text: str = ""


def merge_release(parts: Iterable[ValuesFrom], values: Values) -> dict[str, Any]:
    """A release's own values: valuesFrom in order, then spec.values over them (X1).

    Raises:
        ChartError: a target path can't be read, or they are nested too deeply.
    """
    merged: dict[str, Any] = {}
    for part in parts:
        if part.target_path is None:
            merged = merge(merged, part.values or {})
        else:
            merged = set_target_path(merged, part.target_path, part.text)
    merged = merge(merged, values)
    check_depth(merged)
    return merged


def set_target_path(values: Values, target_path: str, text: str) -> dict[str, Any]:
    """The values with `text` at a target path, typed as `helm --set` types it.

    Text in quotes is a string, as in Flux.

    >>> set_target_path({}, "image.tag", "'1'")
    {'image': {'tag': '1'}}

    Raises:
        ChartError: the path can't be read.
    """
    path = parse_target(target_path)
    copied: dict[str, Any] = _copy(values)
    node: Any = copied
    for part, following in pairwise(path):
        child = _child(node, part)
        if not isinstance(child, list if isinstance(following, int) else dict):
            child = [] if isinstance(following, int) else {}
            _store(node, part, child)
        node = child
    _store(node, path[-1], _typed(text))
    return copied


def _store(node: Any, part: str | int, value: Any) -> None:
    if isinstance(node, list) and isinstance(part, int):
        node.extend([None] * (part + 1 - len(node)))
    node[part] = value


def parse_target(text: str) -> ValuePath:
    """The path that a `targetPath`, or a name of `helm --set`, means.

    Raises:
        ChartError: it can't be read.
    """
    path: list[str | int] = []
    position = 0
    while position < len(text):
        found = _TARGET_PART.match(text, position)
        if found is None:
            raise ChartError(f"targetPath {text[:80]!r} can't be read at character {position + 1}")
        key, index, _ = found.groups()
        if key is not None:
            path.append(re.sub(r"\\(.)", r"\1", key))
        elif index is not None:
            path.append(int(index))
        position = found.end()
    if not path or not isinstance(path[0], str):
        raise ChartError(f"targetPath {text[:80]!r} names no value")
    return tuple(path)


def _typed(text: str) -> Any:
    text = text.removesuffix("\n")
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in _WORDS:
        return _WORDS[text]
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,18})", text) and -(1 << 63) <= int(text) < 1 << 63:
        return int(text)
    return text
