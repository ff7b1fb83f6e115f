"""Parameters that say what images are: Tekton's and Argo Workflows' own, and Helm's values.

A task or template in another document may put one into an image, so they count by their names in
the whole tree. Prefixes of images too, in the custom resources that are known to have such.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from imageshift.charts.model import ValuePath
from imageshift.data.custom_resources import CUSTOM_RESOURCES, FieldShape
from imageshift.lazy import lazy_re
from imageshift.sites import parameter_of

__all__ = ["Known", "image_parameters", "is_prefix", "names_image", "set_values"]

_VALUES = ("default", "value")
_BRACES = lazy_re(r"\{\{\s*([\w.-]+)\s*\}\}")

Known = Callable[[], Collection[str]]
"""Gives the names of the parameters that become images."""


def names_image(data: Mapping[str, Any], path: ValuePath, known: Known) -> bool:
    """Whether the value at a path of an object is a parameter's that is all of an image's text.

    The object's own parameters count as well as those that are `known`.
    """
    names = _names_at(data, path)
    return bool(names) and not names.isdisjoint({*known(), *image_parameters([data])})


def _names_at(data: Mapping[str, Any], path: ValuePath) -> set[Any]:
    """The names of the parameters whose value stands at a path."""
    match path:
        case (*_, "params" | "parameters", int(_), key) if key in _VALUES:
            return {_at(data, path[:-1]).get("name")}
        case (*_, "withItems", int(_)):
            return set(_given(_at(data, path[:-2]), "item"))
        case (*_, "withItems", int(_), str(key)):
            return set(_given(_at(data, path[:-3]), f"item.{key}"))
    return set()


def _given(call: Mapping[str, Any], item: str) -> Iterator[Any]:
    """The names of the parameters to which a call gives an item."""
    for node in _mappings(call):
        if _inner(node.get("value")) == item:
            yield node.get("name")


def image_parameters(objects: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The names of the parameters that are all of an image's text, or are handed on to such."""
    found: set[str] = set()
    handed: set[tuple[str, str]] = set()
    for data in objects:
        for node in _mappings(data):
            used = _parameter(node.get("image"))
            found |= set() if used is None else {used}
            source = _parameter(node.get("value"))
            if source is not None and isinstance(node.get("name"), str):
                handed.add((source, node["name"]))
    while more := {source for source, target in handed if target in found} - found:
        found |= more
    return frozenset(found)


def _parameter(text: Any) -> str | None:
    """The name of the parameter that a text is as a whole."""
    if not isinstance(text, str):
        return None
    inner = _inner(text) or ""
    for head in ("inputs.parameters.", "workflow.parameters."):
        if inner.startswith(head):
            return inner.removeprefix(head)
    return parameter_of(text)


def _inner(text: Any) -> str | None:
    """What stands between the braces of a text that is one of Argo's templates."""
    found = _BRACES.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else found[1]


def _at(data: Any, path: ValuePath) -> Any:
    for part in path:
        data = data[part]
    return data


def _mappings(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
    for each in node.values() if isinstance(node, Mapping) else node:
        if isinstance(each, Mapping | list):
            yield from _mappings(each)


def is_prefix(data: Mapping[str, Any], path: ValuePath) -> bool:
    """Whether the value at a path of an object stands before the names of all its images."""
    kind, group = data.get("kind"), str(data.get("apiVersion")).rpartition("/")[0]
    steps = ".".join(map(str, path))
    return any(
        (row.kind, row.group, row.path) == (kind, group, steps)
        for row in CUSTOM_RESOURCES
        if row.shape is FieldShape.PREFIX
    )


def set_values(items: list[Any]) -> dict[str, dict[str, tuple[int, str]]]:
    """The texts that are set one by one, by the map and the key, each with its number.

    >>> set_values([{"name": "image.registry", "value": "quay.io"}])
    {'image': {'registry': (0, 'quay.io')}}
    """
    found: dict[str, dict[str, tuple[int, str]]] = {}
    for number, item in enumerate(items):
        name, value = (_text(item, key) for key in ("name", "value"))
        if name is not None and value is not None:
            block, _, key = name.rpartition(".")
            found.setdefault(block, {})[key] = number, value
    return found


def _text(item: Any, key: str) -> str | None:
    found = item.get(key) if isinstance(item, Mapping) else None
    return found if isinstance(found, str) else None
