"""What the configuration could say at a place, for messages about what it does say."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from msgspec import inspect

from imageshift.config import Config
from imageshift.lazy import lazy_re

__all__ = ["hint_at"]

_STEP = lazy_re(r"[^.\[\]]+|\[[^\[\]]*\]")


def hint_at(key_path: str, wrong: str) -> str | None:
    """A sentence with the keys or values that a place takes; None where any text will do.

    >>> hint_at("", "regin").split(",")[0]
    'did you mean region? The keys are account'
    >>> hint_at("charts.mode", "of")
    'did you mean off? It takes auto, off, require'
    """
    found = list(_types_at(_types(inspect.type_info(Config)), _STEP.findall(key_path)))
    keys = [field.encode_name for one in found for field in getattr(one, "fields", ())]
    values = [str(value) for one in found for value in getattr(one, "values", ())]
    if any(isinstance(one, inspect.BoolType) for one in found):
        values += ["true", "false"]
    if keys and not values:
        return _near(wrong, keys, f"the keys are {', '.join(keys)}")
    if not values:
        return None
    more = " or a list" if any(isinstance(one, inspect.ListType) for one in found) else ""
    more += " or a mapping" if any(isinstance(one, inspect.DictType) for one in found) else ""
    return _near(wrong, values, f"it takes {', '.join(values)}{more}")


def _near(wrong: str, words: list[str], sentence: str) -> str:
    near = get_close_matches(wrong, words, n=1)
    return f"did you mean {near[0]}? {sentence[0].upper()}{sentence[1:]}" if near else sentence


def _types(one: Any) -> list[Any]:
    """The types that a value may have, without metadata."""
    if isinstance(one, inspect.UnionType):
        return [inner for each in one.types for inner in _types(each)]
    return _types(one.type) if isinstance(one, inspect.Metadata) else [one]


def _types_at(types: Iterable[Any], steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield from types
        return
    first, *rest = steps
    for one in types:
        for inner in _inner(one, first):
            yield from _types_at(_types(inner), rest)


def _inner(one: Any, step: str) -> Iterator[Any]:
    if isinstance(one, inspect.StructType):
        yield from (field.type for field in one.fields if field.encode_name == step)
    elif isinstance(one, inspect.ListType) and step.startswith("["):
        yield one.item_type
    elif isinstance(one, inspect.DictType):
        yield one.value_type
