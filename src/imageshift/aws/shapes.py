"""Parsed data whose shape nobody has promised."""

from collections.abc import Mapping
from typing import Any

__all__ = ["mapping_of", "rows_of"]


def mapping_of(value: Any) -> Mapping[str, Any]:
    """The value when it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows_of(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list; none when the value is no list."""
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []
