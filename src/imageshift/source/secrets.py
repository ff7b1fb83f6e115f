"""Diffs for people: both sides of a change with the values of their Secrets hidden."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from msgspec import Struct, field

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.source.document import Chunk, split_documents
from imageshift.source.node import Mapping, Node, Scalar, Sequence, walk
from imageshift.source.text import SourceText

__all__ = ["ANOTHER", "COPY", "HIDDEN", "Known", "hidden_keys", "hide_secrets", "names_secret"]

HIDDEN = "(hidden: a Secret's value)"
"""What stands for a value, or for a line of one."""
ANOTHER = "(hidden: another value of a Secret)"
"""What stands for one that the file of before doesn't have."""

_DATA = {"data", "stringData", "binaryData"}
_OPEN = frozenset({"apiVersion", "kind", "metadata", "type", "immutable"})
COPY = "kubectl.kubernetes.io/last-applied-configuration"
"""The annotation in which kubectl keeps a copy of an object."""
_KINDS = ("Secret", "SecretGenerator")
_ALWAYS = {COPY, "secretGenerator"}
_NAMED = lazy_re(
    r"""^(?:[^\S\n]|[{\[,"'-])*+kind["']?\s*:\s*["']?Secret\b|["']kind["']\s*:\s*["']Secret\b""",
    re.MULTILINE,
)
_COMMENT = lazy_re(r"#[^\r\n]*")
_INK = lazy_re(r"[^\s](?:[^\r\n]*[^\s])?")


def hide_secrets(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """Both sides of a change, with as many lines, but for the values of Secrets in them.

    A value that both sides have is spelled alike, so that a diff shows which ones differ. What
    can't be parsed is hidden as a whole where it refers to a Secret.
    """
    if b"ecret" not in before and b"ecret" not in after:
        return before, after
    known = Known()
    return _hidden(before, known, HIDDEN), _hidden(after, known, ANOTHER)


def names_secret(text: str) -> bool:
    r"""Whether a text has a Secret in it, be it as YAML or as JSON.

    >>> names_secret("a: b\nkind: Secret\n"), names_secret("kind: SecretStore")
    (True, False)
    """
    return _NAMED.search(text) is not None


def hidden_keys(kind: object, keys: Collection[Any]) -> set[str]:
    """Those keys of an object or a part of one whose values are hidden.

    What calls itself a Secret and has no metadata is a reference to one.
    """
    if kind not in _KINDS:
        return _ALWAYS
    return {*keys} - _OPEN if "metadata" in keys else _DATA | _ALWAYS


class Known(Struct):
    """The values that were hidden already."""

    texts: set[str] = field(default_factory=set)

    def mark(self, text: str, fresh: str) -> str:
        """What stands for a value: `HIDDEN` where it is known, else `fresh`."""
        if fresh == HIDDEN:
            self.texts.add(text)
        return HIDDEN if text in self.texts else fresh


def _hidden(content: bytes, known: Known, fresh: str) -> bytes:
    source = SourceText.decode(content)
    made, here = list[str](), 0
    for start, end, is_value in _stretches(source):
        if start >= here:
            made.append(source.text[here:start])
            text, here = source.text[start:end], end
            if is_value:
                made.append(_INK.sub(lambda found: known.mark(found[0], fresh), text))
            else:
                made.append(_COMMENT.sub("# (hidden)", text))
    return "".join((*made, source.text[here:])).encode()


def _stretches(source: SourceText) -> list[tuple[int, int, bool]]:
    """What is hidden, in order: values as a whole, and of what is between them comments."""
    return sorted({found for chunk in split_documents(source) for found in _in_chunk(chunk)})


def _in_chunk(chunk: Chunk) -> Iterator[tuple[int, int, bool]]:
    if "ecret" not in chunk.text:
        return
    try:
        nodes = [node for document in chunk.documents() for node in walk(document.root)]
    except SourceError:
        if names_secret(chunk.text):
            yield chunk.start, chunk.end, True
        return
    for node in nodes:
        if isinstance(node, Scalar) and names_secret(node.value):
            yield node.start, node.end, True
        elif isinstance(node, Mapping):
            hidden = hidden_keys(node.text("kind"), node.keys())
            for key, value in node.own:
                if (key.value if isinstance(key, Scalar) else "") in hidden:
                    yield from _inside(value)


def _inside(node: Node) -> Iterator[tuple[int, int, bool]]:
    """The values in a node, and what is between them."""
    here = node.start
    for start, end in sorted(_values(node)):
        if start >= here:
            yield here, start, False
            here = end
        yield start, end, True
    yield here, max(node.end, here), False


def _values(node: Node) -> Iterator[tuple[int, int]]:
    """The places of the scalars in a node that are no keys."""
    waiting, seen = [node], set[int]()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, Scalar):
            yield found.start, found.end
        elif isinstance(found, Sequence):
            waiting += found.items
        elif isinstance(found, Mapping):
            waiting += [value for _, value in found.own]
