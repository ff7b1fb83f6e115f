"""YAML and JSON texts as plain data, read as Helm's reader types scalars."""

import re
from typing import Any

from imageshift.charts.model import ChartError
from imageshift.errors import SourceError
from imageshift.source.tree import Mapping, Root, Scalar, Sequence, parse_events

__all__ = ["load_plain", "to_plain"]

_TRUE = {"true", "yes", "on"}
_FALSE = {"false", "no", "off"}
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d*)")


def load_plain(text: str | bytes, what: str) -> Any:
    """The data of the first document; `what` names the text in the message.

    Raises:
        ChartError: it is no YAML.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        documents = parse_events(text.removeprefix("\ufeff"))
    except SourceError as error:
        raise ChartError(f"{what}:{error.line or 1}:{error.column or 1}: {error}") from None
    return to_plain(documents[0][0]) if documents else None


def to_plain(node: Root) -> Any:
    """A tree's data."""
    if isinstance(node, Mapping):
        return {key.value: to_plain(value) for key, value in node.pairs()}
    if isinstance(node, Sequence):
        return [to_plain(item) for item in node.items]
    return _typed(node) if isinstance(node, Scalar) else None


def _typed(scalar: Scalar) -> Any:
    if scalar.is_string or scalar.style:
        return scalar.value
    word = scalar.value.lower()
    if word in {"", "~", "null"}:
        return None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    if _INTEGER.fullmatch(word):
        return int(word)
    try:
        return float(word)
    except ValueError:
        return scalar.value
