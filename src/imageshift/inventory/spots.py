"""Places in a file's text: which of them sites have taken, and which scalar holds a character."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec import Struct

from imageshift.sites import ImageSite
from imageshift.sites.model import Path
from imageshift.source import Document, Mapping, Node, Scalar, Sequence, Span

__all__ = ["Holder", "Scalars", "Taken"]


class Taken:
    """Which stretches of a file belong to sites."""

    def __init__(self, sites: Iterable[ImageSite]) -> None:
        spans: list[Span] = []
        self._loose: set[str] = set()
        for site in sites:
            spans += self._spans_of(site)
        merged = list(_merged(spans))
        self._starts = [span.start for span in merged]
        self._ends = [span.end for span in merged]

    def _spans_of(self, site: ImageSite) -> Iterator[Span]:
        """A site's texts in the file; one that can't be followed there counts by its text."""
        for part in site.parts:
            start = site.document.offset(part.scalar.start)
            end = site.document.offset(part.scalar.end)
            if start < end:
                yield Span(start, end)
            elif part.scalar.start < part.scalar.end:
                self._loose |= {site.text, site.name_text}

    def has(self, span: Span, text: str) -> bool:
        """Whether a stretch, which reads as a text, belongs to one of them."""
        at = bisect_right(self._starts, span.end - 1) - 1
        return (at >= 0 and self._ends[at] > span.start) or text in self._loose


def _merged(spans: list[Span]) -> Iterator[Span]:
    """The stretches in order, those that touch as one."""
    start = end = -1
    for span in sorted(spans):
        if span.start > end:
            if end >= 0:
                yield Span(start, end)
            start, end = span.start, span.end
        end = max(end, span.end)
    if end >= 0:
        yield Span(start, end)


class Holder(Struct, frozen=True):
    """A scalar with the path of keys and indexes to it."""

    scalar: Scalar
    path: Path


class Scalars:
    """The scalars of a document, found by their characters; one that aliases repeat is one."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @cached_property
    def _found(self) -> list[Holder]:
        return sorted(_scalars(self._document.root), key=lambda holder: holder.scalar.start)

    @cached_property
    def _starts(self) -> list[int]:
        return [self._document.offset(holder.scalar.start) for holder in self._found]

    def at(self, offset: int) -> Holder | None:
        """The scalar that has a character of the file."""
        number = bisect_right(self._starts, offset) - 1
        holder = self._found[number] if number >= 0 else None
        if holder is None:
            return None
        # The end of a text in a text stands nowhere, its last character does.
        last = max(holder.scalar.start, holder.scalar.end - 1)
        return holder if offset <= self._document.offset(last) else None


def _scalars(root: Node | None) -> Iterator[Holder]:
    """Every scalar that is a value, by the first path to it."""
    seen: set[int] = set()
    waiting: list[tuple[Node | None, Path]] = [(root, ())]
    while waiting:
        node, path = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            yield Holder(node, path)
        elif isinstance(node, Sequence):
            waiting += ((item, (*path, number)) for number, item in enumerate(node.items))
        elif isinstance(node, Mapping):
            named = ((key, value) for key, value in node.own if isinstance(key, Scalar))
            waiting += ((value, (*path, key.value)) for key, value in named)
