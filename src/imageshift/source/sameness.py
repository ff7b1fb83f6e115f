"""Whether an edited text still reads as the same trees, but for the scalars that were edited."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from imageshift.errors import SourceError
from imageshift.source.document import Chunk, Document, split_documents
from imageshift.source.text import Edit, SourceText
from imageshift.source.tree import (
    Mapping,
    Node,
    Root,
    Scalar,
    Sequence,
    Spans,
    holds_span,
    reads_as,
)

__all__ = ["same_but_for"]


def same_but_for(
    before: SourceText, documents: Iterable[Document], after: str, edits: Iterable[Edit]
) -> bool:
    """Whether a text with edits reads as the same trees, but for the scalars that were edited.

    `documents` are those of the text before that the edits touch; the others aren't read. New
    keys and items are allowed only where an edit adds text without taking any away, and those
    that an edit is meant to remove must be gone.
    """
    edits = list(edits)
    spans = sorted((edit.span.start, edit.span.end) for edit in edits)
    gone = [(edit.span.start, edit.span.end) for edit in edits if edit.removes]
    chunks = list(split_documents(SourceText(after)))
    if len(chunks) != sum(1 for _ in split_documents(before)):
        return False
    # A template has no tree; its lines were found to be what they are without one.
    old: dict[int, Root] = {
        document.index: document.root for document in documents if document.root is not None
    }
    judge = _Judge(spans, gone)
    return all(judge.reads_alike(chunk, found) for chunk, found in _by_chunk(chunks, old))


def _by_chunk(
    chunks: list[Chunk], roots: dict[int, Root]
) -> Iterator[tuple[Chunk, dict[int, Root]]]:
    """The chunks that hold any of the documents, each with those that it holds."""
    firsts = [chunk.index for chunk in chunks]
    found: dict[int, dict[int, Root]] = {}
    for index, root in roots.items():
        found.setdefault(bisect_right(firsts, index) - 1, {})[index] = root
    return ((chunks[number], held) for number, held in found.items())


class _Judge:
    """Compares trees, knowing the spans of all edits and those that are taken away."""

    def __init__(self, spans: Spans, gone: Spans) -> None:
        self._spans = spans
        self._gone = gone
        self._adds = any(start == end for start, end in spans)

    def reads_alike(self, chunk: Chunk, old: dict[int, Root]) -> bool:
        """Whether the documents of a chunk are the same but for the edits."""
        single = next(iter(old.values())) if len(old) == 1 else None
        if single is not None and reads_as(chunk.text, single, self._spans):
            return True
        try:
            new = {document.index: document.root for document in chunk.documents()}
        except SourceError:
            return False
        return all(index in new and self._alike(root, new[index]) for index, root in old.items())

    def _alike(self, old: Node | None, new: Node | None) -> bool:
        if isinstance(old, Scalar) and isinstance(new, Scalar):
            return old.value == new.value or holds_span(old, self._spans)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            ours = [node for pair in old.own if self._stays(pair[0]) for node in pair]
            theirs = [node for pair in new.own for node in pair]
            return self._in_order(ours, theirs, 2)
        if isinstance(old, Sequence) and isinstance(new, Sequence):
            items = [item for item in old.items if self._stays(item)]
            return self._in_order(items, new.items, 1)
        return old is None and new is None

    def _stays(self, node: Node) -> bool:
        return not any(start <= node.start < end for start, end in self._gone)

    def _in_order(self, old: list[Node], new: list[Node], step: int) -> bool:
        """Whether every old member stands in the new ones, in order; more where text is added."""
        if len(old) != len(new) and not self._adds:
            return False
        at = 0
        for index in range(0, len(old), step):
            members = old[index : index + step]
            while at < len(new) and not self._all_alike(members, new[at : at + step]):
                at += step
                if not self._adds:
                    return False
            if at >= len(new):
                return False
            at += step
        return True

    def _all_alike(self, old: list[Node], new: list[Node]) -> bool:
        pairs = zip(old, new, strict=True)
        return all(self._alike(one, other) for one, other in pairs)
