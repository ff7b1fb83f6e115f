"""Changes of a release's own values."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ValuePath, Values
from imageshift.charts.values import lookup, place, with_changes
from imageshift.reference import name_length

__all__ = ["ValueEdit", "apply_edits", "pins_version", "plan_edits"]


class ValueEdit(Struct, frozen=True):
    """One change of a release's own values: `path` gets `value`.

    `old` is what stands there now, in the release (`written`) or by default, or None. Where
    the path enters a list that the release doesn't write, the value is the list as a whole.
    """

    path: ValuePath
    value: Any
    old: Any
    written: bool


def plan_edits(
    texts: Mapping[ValuePath, Any], own: Values, merged: Values
) -> tuple[ValueEdit, ...]:
    """The edits that put `texts` at their paths into a release's own values.

    `merged` are those with the chart's defaults below; lists that the release doesn't write
    itself are set as a whole.
    """
    found: dict[ValuePath, ValueEdit] = {}
    for path, text in sorted(texts.items(), key=str):
        whole = _list_start(path, own)
        if whole is None:
            written = lookup(own, path) is not None
            found[path] = ValueEdit(path, text, lookup(merged, path), written)
        else:
            inside = {key: value for key, value in texts.items() if key[: len(whole)] == whole}
            value = lookup(place(merged, inside), whole)
            found[whole] = ValueEdit(whole, value, lookup(merged, whole), written=False)
    return tuple(found.values())


def _list_start(path: ValuePath, own: Values) -> ValuePath | None:
    """The path of the outermost list on the way that the release doesn't write."""
    for index, part in enumerate(path):
        if isinstance(part, int) and not isinstance(lookup(own, path[:index]), list):
            return path[:index]
    return None


def apply_edits(own: Values, edits: Iterable[ValueEdit]) -> dict[str, Any]:
    """A release's values with the edits in them."""
    return with_changes(own, {edit.path: edit.value for edit in edits})


def pins_version(value: Any) -> bool:
    """Whether a value, or one inside it, has a tag or digest."""
    if isinstance(value, Mapping | list):
        return any(map(pins_version, value.values() if isinstance(value, Mapping) else value))
    return isinstance(value, str) and len(value) > name_length(value)
