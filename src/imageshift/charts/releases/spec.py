"""HelmRelease documents as plain data, with Flux's variables filled in (fact X6)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from imageshift.charts.plain import to_plain
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import read_documents
from imageshift.lazy import lazy_re
from imageshift.repo.workspace import Workspace
from imageshift.source import Mapping as MapNode
from imageshift.source import Root, Scalar, Sequence

__all__ = ["fill", "plain_objects", "to_filled"]

_VARIABLE = lazy_re(r"\$\{(\w+)(?::?[=-]([^{}]*))?\}")


def fill(text: str, variables: Mapping[str, str]) -> str:
    """A text with its variables filled in; one without value and default stays as it is.

    >>> fill("${HOST}/a:${TAG:=1}", {"HOST": "ghcr.io"})
    'ghcr.io/a:1'
    """

    def value(found: re.Match[str]) -> str:
        default: str | None = found[2]
        known = variables.get(found[1], default)
        return found[0] if known is None else known

    return _VARIABLE.sub(value, text) if "${" in text else text


def to_filled(node: Root, variables: Mapping[str, str]) -> Any:
    """A tree's data with variables filled in before scalars get their types, as Flux does it."""
    # Comprehensions would take two frames for each level in Python 3.11.
    if isinstance(node, MapNode):
        made = {}
        for key, value in node.pairs():
            made[key.value] = to_filled(value, variables)
        return made
    if isinstance(node, Sequence):
        items = []
        for item in node.items:
            items.append(to_filled(item, variables))  # noqa: PERF401 as above
        return items
    if isinstance(node, Scalar) and "${" in node.value:
        text = fill(node.value, variables)
        return to_plain(Scalar(node.start, node.end, None, text, node.style, node.tag))
    return to_plain(node)


def plain_objects(
    workspace: Workspace, file: str, variables: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """The objects of a file as plain data."""
    for document in read_documents(workspace, file):
        for root in objects(document.root):
            yield to_filled(root, variables)
