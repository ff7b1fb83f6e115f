"""The pure Terraform functions that rules are written with.

Source: the Terraform language's documentation, "Functions".
"""

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from imageshift.aws.hcl_values import Unknown
from imageshift.lazy import lazy_re

__all__ = ["FUNCTIONS"]

_VERB = lazy_re(r"%(?:s|d|v|q|%)")


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which yields the first unknown of its arguments if there is one."""

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        unknown = next((value for value in arguments if isinstance(value, Unknown)), None)
        return function(*arguments) if unknown is None else unknown

    return call


def _unique(values: Iterable[Any]) -> list[Any]:
    return list({json.dumps(value, default=repr): value for value in values}.values())


def _try(*values: Any) -> Any:
    return next((value for value in values if not isinstance(value, Unknown)), values[-1])


def _coalesce(*values: Any) -> Any:
    return next(value for value in values if value is not None and value != "")


def _lookup(values: Mapping[str, Any], key: str, *default: Any) -> Any:
    return values.get(key, *default) if default else values[key]


def _merge(*maps: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for one in maps for key, value in (one or {}).items()}


def _concat(*lists: list[Any]) -> list[Any]:
    return [value for one in lists for value in one]


def _flatten(values: list[Any]) -> list[Any]:
    return [
        inner
        for value in values
        for inner in (_flatten(value) if isinstance(value, list) else [value])
    ]


def _format(text: str, *values: Any) -> str:
    rest = iter(values)
    return _VERB.sub(lambda found: "%" if found[0] == "%%" else str(next(rest)), text)


def _replace(text: str, old: str, new: str) -> Any:
    pattern = len(old) > 1 and old.startswith("/") and old.endswith("/")
    return Unknown("replace() with a pattern") if pattern else text.replace(old, new)


def _sort_unique(values: Iterable[Any]) -> list[Any]:
    return sorted(_unique(values), key=str)


_STRICT: dict[str, Callable[..., Any]] = {
    "coalesce": _coalesce,
    "concat": _concat,
    "contains": lambda values, value: value in values,
    "distinct": _unique,
    "element": lambda values, index: values[index % len(values)],
    "flatten": _flatten,
    "format": _format,
    "join": lambda between, values: between.join(values),
    "jsondecode": json.loads,
    "keys": sorted,
    "length": len,
    "lookup": _lookup,
    "lower": str.lower,
    "merge": _merge,
    "nonsensitive": lambda value: value,
    "replace": _replace,
    "split": lambda between, text: text.split(between),
    "startswith": str.startswith,
    "endswith": str.endswith,
    "tolist": list,
    "tomap": dict,
    "toset": _sort_unique,
    "tostring": str,
    "trim": str.strip,
    "trimprefix": str.removeprefix,
    "trimsuffix": str.removesuffix,
    "trimspace": str.strip,
    "upper": str.upper,
    "values": lambda values: [values[key] for key in sorted(values)],
    "zipmap": lambda keys, values: dict(zip(keys, values, strict=True)),
}

FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"try": _try, **{name: _strict(function) for name, function in _STRICT.items()}}
)
"""The functions by name. They may raise what Python raises on arguments that don't fit."""
