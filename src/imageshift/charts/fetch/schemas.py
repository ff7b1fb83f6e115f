"""Values schemas: whether Helm can check one without reading anything else (H8e)."""

import json
from typing import Any

from imageshift.lazy import lazy_re

__all__ = ["is_self_contained"]

_REFERENCES = {"$ref", "$dynamicRef", "$recursiveRef"}
# Those that Helm's library carries; it would fetch any other.
_DRAFT = lazy_re(
    r"https?://json-schema\.org/(draft-0[467]/|draft/2019-09/|draft/2020-12/|)schema#?"
)


def is_self_contained(schema: bytes) -> bool:
    """Whether no part of a schema refers to another document, which Helm would fetch."""
    try:
        json.loads(schema.decode("utf-8", "replace"), object_pairs_hook=_check)
    except (ValueError, RecursionError):
        return False
    return True


def _check(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object by its keys, as they are once escapes are read."""
    for key, value in pairs:
        if not isinstance(value, str):
            continue
        outside = key in _REFERENCES and not value.startswith("#")
        if outside or (key == "$schema" and _DRAFT.fullmatch(value) is None):
            raise ValueError(value)
