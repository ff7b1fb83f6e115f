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
    keys and items are allowed only where an edit adds text without taking any away.
    """
    spans = sorted((edit.span.start, edit.span.end) for edit in edits)
    chunks = list(split_documents(SourceText(after)))
    if len(chunks) != sum(1 for _ in split_documents(before)):
        return False
    # A template has no tree; its lines were found to be what they are without one.
    old: dict[int, Root] = {
        document.index: document.root for document in documents if document.root is not None
    }
    return all(_reads_alike(chunk, found, spans) for chunk, found in _by_chunk(chunks, old))


def _by_chunk(
    chunks: list[Chunk], roots: dict[int, Root]
) -> Iterator[tuple[Chunk, dict[int, Root]]]:
    """The chunks that hold any of the documents, each with those that it holds."""
    firsts = [chunk.index for chunk in chunks]
    found: dict[int, dict[int, Root]] = {}
    for index, root in roots.items():
        found.setdefault(bisect_right(firsts, index) - 1, {})[index] = root
    return ((chunks[number], held) for number, held in found.items())


def _reads_alike(chunk: Chunk, old: dict[int, Root], spans: Spans) -> bool:
    single = next(iter(old.values())) if len(old) == 1 else None
    if single is not None and reads_as(chunk.text, single, spans):
        return True
    adds = any(start == end for start, end in spans)
    try:
        new = {document.index: document.root for document in chunk.documents()}
    except SourceError:
        return False
    return all(
        index in new and _alike(root, new[index], spans, adds=adds) for index, root in old.items()
    )


def _alike(old: Node | None, new: Node | None, spans: Spans, *, adds: bool) -> bool:
    if isinstance(old, Scalar) and isinstance(new, Scalar):
        return old.value == new.value or holds_span(old, spans)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        ours = [node for pair in old.own for node in pair]
        theirs = [node for pair in new.own for node in pair]
        return _in_order(ours, theirs, spans, 2, adds=adds)
    if isinstance(old, Sequence) and isinstance(new, Sequence):
        return _in_order(old.items, new.items, spans, 1, adds=adds)
    return old is None and new is None


def _in_order(old: list[Node], new: list[Node], spans: Spans, step: int, *, adds: bool) -> bool:
    """Whether every old member stands in the new ones, in order; more only where text is added."""
    if len(old) != len(new) and not adds:
        return False
    at = 0
    for index in range(0, len(old), step):
        members = old[index : index + step]
        while at < len(new) and not _all_alike(members, new[at : at + step], spans, adds=adds):
            at += step
            if not adds:
                return False
        if at >= len(new):
            return False
        at += step
    return True


def _all_alike(old: list[Node], new: list[Node], spans: Spans, *, adds: bool) -> bool:
    pairs = zip(old, new, strict=True)
    return all(_alike(one, other, spans, adds=adds) for one, other in pairs)
