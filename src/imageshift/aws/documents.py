"""YAML and JSON read as plain data with places, CloudFormation's short tags made long.

`!Sub x` becomes `{"Fn::Sub": "x"}` and `!Ref x` `{"Ref": "x"}`, as the CloudFormation User
Guide defines them, so that both spellings are one.
"""

import json
from typing import Any

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.source import Mapping, Node, Scalar, Sequence, SourceText, split_documents

__all__ = ["PlacedDict", "read_documents"]

_LARGEST_YAML = 4 * 1024 * 1024
_TAG = lazy_re(r"(?:&\S+\s+)?!(?P<name>[A-Za-z][\w:]*)")


class PlacedDict(dict[str, Any]):
    """A mapping that knows where it begins (1-based)."""

    line = 1
    column = 1


def read_documents(text: str, *, is_json: bool) -> list[Any]:
    """The documents of a text; mappings of YAML are `PlacedDict`.

    Raises:
        SourceError: the text is no JSON or no YAML, is nested too deeply, or too large.
    """
    try:
        return [_read_json(text)] if is_json else _read_yaml(text)
    except RecursionError:
        raise SourceError("it is nested too deeply", line=1, column=1) from None


def _read_yaml(text: str) -> list[Any]:
    if len(text) > _LARGEST_YAML:
        limit = f"{_LARGEST_YAML >> 20} MiB"
        raise SourceError(f"more than {limit} of YAML", hint="save it as JSON", line=1, column=1)
    source = SourceText(text)
    documents = [one for chunk in split_documents(source) for one in chunk.documents()]
    builder = _Builder(source)
    return [builder.plain(one.root) for one in documents if one.root is not None]


def _read_json(text: str) -> Any:
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise SourceError(
            f"invalid JSON: {error.msg}", line=error.lineno, column=error.colno
        ) from None
    except ValueError:  # Python takes no more than 4,300 digits
        raise SourceError("invalid JSON: a number that is too long", line=1, column=1) from None


class _Builder:
    """Makes plain data of nodes; a node with several aliases becomes one object."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._made: dict[int, Any] = {}

    def plain(self, node: Node) -> Any:
        if not node.shared:
            return self._tagged(node)
        if id(node) not in self._made:
            self._made[id(node)] = self._tagged(node)
        return self._made[id(node)]

    def _tagged(self, node: Node) -> Any:
        tag = _TAG.match(self._source.text, node.start, node.end)
        value = self._untagged(node)
        return value if tag is None else {_long_name(tag["name"]): _argument(tag["name"], value)}

    def _untagged(self, node: Node) -> Any:
        if isinstance(node, Mapping):
            made = PlacedDict({key.value: self.plain(value) for key, value in node.pairs()})
            place = self._source.place(node.start)
            made.line, made.column = place.line, place.column
            return made
        if isinstance(node, Sequence):
            return [self.plain(child) for child in node.items]
        return _scalar(node) if isinstance(node, Scalar) else None


def _long_name(name: str) -> str:
    return name if name in {"Ref", "Condition"} else f"Fn::{name}"


def _argument(name: str, value: Any) -> Any:
    return value.split(".", 1) if name == "GetAtt" and isinstance(value, str) else value


def _scalar(node: Scalar) -> str | None:
    # Account ids must keep their leading zeros: every plain scalar but null stays text.
    is_null = node.is_empty and not node.style and node.tag is None
    return None if is_null else node.value
