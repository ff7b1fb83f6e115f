"""Objects as YAML, and the diff of two of them, for people."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from imageshift.lazy import lazy_re
from imageshift.verify.model import Plain, object_name, spell_object

__all__ = ["diff_objects", "spell_value"]

_PLAIN = lazy_re(r"[A-Za-z_/][A-Za-z0-9_./@+ -]*(?::[A-Za-z0-9_./@+-]+)*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "~"}


def diff_objects(before: Plain | None, after: Plain | None) -> str:
    """The unified diff of an object; None stands for one that isn't there."""
    name = spell_object(object_name(before or after or {}))
    old, new = ([] if data is None else list(_lines(data, 0)) for data in (before, after))
    lines = difflib.unified_diff(old, new, f"before/{name}", f"after/{name}", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def spell_value(value: Any) -> str:
    """A value on one line."""
    return value if isinstance(value, str) else _scalar(value)


def _lines(node: Any, depth: int) -> Iterator[str]:
    blank = "  " * depth
    if isinstance(node, Mapping):
        for key in sorted(node, key=str):
            yield from _entry(f"{blank}{_scalar(key)}:", node[key], depth)
    elif isinstance(node, list):
        for item in node:
            yield from _item(item, depth)
    else:
        yield f"{blank}{_scalar(node)}"


def _entry(head: str, value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value:
        yield f"{head} |"
        yield from (f"{'  ' * (depth + 1)}{line}" for line in value.split("\n"))
    elif isinstance(value, Mapping | list) and value:
        yield head
        yield from _lines(value, depth + 1)
    else:
        yield f"{head} {_scalar(value)}"


def _item(item: Any, depth: int) -> Iterator[str]:
    blank = "  " * depth
    first, *rest = list(_lines(item, depth + 1)) or [f"{blank}  {_scalar(item)}"]
    yield f"{blank}- {first[2 * (depth + 1) :]}"
    yield from rest


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False, default=repr)
