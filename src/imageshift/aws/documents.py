"""YAML and JSON read as plain data with places, CloudFormation's short tags made long.

`!Sub x` becomes `{"Fn::Sub": "x"}` and `!Ref x` `{"Ref": "x"}`, as the CloudFormation User
Guide defines them, so that both spellings are one.
"""

import json
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from imageshift.errors import SourceError

__all__ = ["PlacedDict", "read_documents"]


class PlacedDict(dict[str, Any]):
    """A mapping that knows where it begins (1-based)."""

    line = 1
    column = 1


def read_documents(text: str, *, is_json: bool) -> list[Any]:
    """The documents of a text; mappings of YAML are `PlacedDict`.

    Raises:
        SourceError: the text is no JSON or no YAML.
    """
    try:
        return [_read_json(text)] if is_json else _read_yaml(text)
    except RecursionError:
        raise SourceError("it is nested too deeply", line=1, column=1) from None


def _read_yaml(text: str) -> list[Any]:
    try:
        nodes = list(YAML(typ="safe", pure=True).compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise SourceError(f"no YAML: {error.problem}", line=line, column=column) from None
    except YAMLError as error:
        raise SourceError(f"no YAML: {error}", line=1, column=1) from None
    builder = _Builder()
    return [builder.plain(node) for node in nodes if node is not None]


def _read_json(text: str) -> Any:
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise SourceError(f"no JSON: {error.msg}", line=error.lineno, column=error.colno) from None


class _Builder:
    """Makes plain data of nodes; a node with several aliases becomes one object."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}

    def plain(self, node: Node) -> Any:
        if id(node) not in self._made:
            # An alias inside its own node finds nothing yet.
            self._made[id(node)] = None
            self._made[id(node)] = _with_tag(str(node.tag or ""), self._untagged(node))
        return self._made[id(node)]

    def _untagged(self, node: Node) -> Any:
        if isinstance(node, MappingNode):
            made = PlacedDict(self._pairs(node))
            made.line, made.column = node.start_mark.line + 1, node.start_mark.column + 1
            return made
        if isinstance(node, SequenceNode):
            return [self.plain(child) for child in node.value]
        return _scalar(node) if isinstance(node, ScalarNode) else None

    def _pairs(self, node: MappingNode) -> Iterator[tuple[str, Any]]:
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield str(key.value), self.plain(value)


def _with_tag(tag: str, value: Any) -> Any:
    if not tag.startswith("!") or tag.startswith("!!") or len(tag) == 1:
        return value
    name = tag[1:]
    long = name if name in {"Ref", "Condition"} else f"Fn::{name}"
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {long: value}


def _scalar(node: ScalarNode) -> Any:
    if str(node.tag) == "tag:yaml.org,2002:null":
        return None
    # Account ids must keep their leading zeros: every other plain scalar stays text.
    return str(node.value)
