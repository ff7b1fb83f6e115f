"""YAML and JSON texts as plain data, read as Helm's reader types scalars."""

from typing import Any

from imageshift.charts.model import ChartError
from imageshift.charts.values import check_depth
from imageshift.errors import SourceError
from imageshift.source import to_plain
from imageshift.source.tree import parse_events

__all__ = ["load_plain", "to_plain"]


def load_plain(text: str | bytes, what: str) -> Any:
    """The data of the first document; `what` names the text in the message.

    Raises:
        ChartError: it is no YAML, or nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    try:
        documents = parse_events(text.removeprefix("\ufeff"))
    except SourceError as error:
        raise ChartError(f"{what}:{error.line or 1}:{error.column or 1}: {error}") from None
    found = to_plain(documents[0][0]) if documents else None
    try:
        check_depth(found)
    except ChartError as error:
        raise ChartError(f"{what}: {error}") from None
    return found
