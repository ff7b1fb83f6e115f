"""Parameters that say what images are: Tekton's `image: $(params.NAME)`, and Helm's values.

Prefixes of images too, in the custom resources that are known to have such.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from imageshift.charts.model import ValuePath
from imageshift.data.custom_resources import CUSTOM_RESOURCES, FieldShape
from imageshift.sites import parameter_of

__all__ = ["is_prefix", "names_image", "set_values"]

_VALUES = ("default", "value")


def names_image(data: Mapping[str, Any], path: ValuePath) -> bool:
    """Whether the value at a path of an object is a parameter's that is all of an image's text."""
    match path:
        case (*above, "params", int(index), key) if key in _VALUES:
            holder: Any = data
            for part in (*above, "params", index):
                holder = holder[part]
            return holder.get("name") in set(_image_parameters(data))
    return False


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


def _image_parameters(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        text = node.get("image")
        name = parameter_of(text) if isinstance(text, str) else None
        if name is not None:
            yield name
        for value in node.values():
            yield from _image_parameters(value)
    elif isinstance(node, list):
        for item in node:
            yield from _image_parameters(item)
