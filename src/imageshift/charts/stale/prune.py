"""Dead overrides taken out of their texts, with the maps and lists that hold nothing else."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct

from imageshift.cache import RuleSet
from imageshift.errors import SourceError
from imageshift.inventory import FileScan
from imageshift.rewrite import Change, removal
from imageshift.sites import Confidence, ImageSite, Part, Role, SiteKind, resource_of
from imageshift.source import Document, Edit, Node, Scalar, Sequence, remove_item, remove_key
from imageshift.source import Mapping as MapNode

__all__ = ["DeadNode", "pruned", "removals"]


class DeadNode(Struct, frozen=True):
    """A node to take out of a file: somewhere below `root`, which stays."""

    file: str
    document: Document
    root: MapNode
    node: Node


def removals(
    dead: Iterable[DeadNode], others: Mapping[str, Collection[Edit]]
) -> dict[str, tuple[Edit, ...]]:
    """The edits that take nodes out, by file; `others` are made too, and have precedence."""
    roots: dict[int, tuple[DeadNode, set[int]]] = {}
    for item in dead:
        roots.setdefault(id(item.root), (item, set()))[1].add(id(item.node))
    found: dict[str, tuple[Edit, ...]] = {}
    for item, nodes in roots.values():
        made = _Pruner(item.document, nodes).edits(item.root) or []
        text = item.document.file.source.text
        free = [edit for edit in made if not _is_touched(text, edit, others.get(item.file, ()))]
        found[item.file] = (*found.get(item.file, ()), *free)
    return found


def _is_touched(text: str, edit: Edit, others: Iterable[Edit]) -> bool:
    """Whether another edit changes or adds to what one takes out: the next run takes it out."""
    start, end = edit.span.start, edit.span.end
    for other in others:
        at = other.span
        if at.start == at.end == end and not _is_below(other.text, text[start:end]):
            continue
        if (start < at.end and at.start < end) or start < at.start == at.end <= end:
            return True
    return False


def _is_below(added: str, gone: str) -> bool:
    """Whether lines added behind others that go belong to them, by their indents."""
    inner, outer = (re.match(r"\s*[\r\n]( *)\S", text) for text in (added, gone))
    return inner is None or outer is None or len(inner[1]) > len(outer[1])


class _Pruner(Struct):
    """The edits for one document."""

    document: Document
    dead: Collection[int]

    def edits(self, node: Node) -> list[Edit] | None:
        """The edits below a node; None when nothing of it is left."""
        if id(node) in self.dead:
            return None
        if isinstance(node, MapNode):
            pairs = list(self._pairs(node))
            names: list[str | int] = [key.value for key, _ in pairs]
            return self._joined(node, [self.edits(value) for _, value in pairs], names)
        if isinstance(node, Sequence):
            items = [self.edits(item) for item in node.items]
            return self._joined(node, items, list(range(len(items))))
        return []

    @staticmethod
    def _pairs(node: MapNode) -> Iterator[tuple[Scalar, Node]]:
        for key, value in node.own:
            if isinstance(key, Scalar):
                yield key, value

    def _joined(
        self, node: MapNode | Sequence, parts: list[list[Edit] | None], names: list[str | int]
    ) -> list[Edit] | None:
        if parts and all(part is None for part in parts) and not node.anchor:
            return None
        made: list[Edit] = []
        for name, part in zip(names, parts, strict=True):
            made += self._removed(node, name) if part is None else part
        return made

    def _removed(self, node: MapNode | Sequence, name: str | int) -> list[Edit]:
        """The edit that takes out a part; none where its text has no room for that."""
        try:
            if isinstance(node, MapNode):
                return [remove_key(self.document, node, str(name))]
            return [remove_item(self.document, node, int(name))]
        except SourceError:
            return []


def pruned(
    edits: tuple[Edit, ...], scan: FileScan, dead: Iterable[DeadNode], rules: RuleSet
) -> Iterator[Change]:
    """The sites of a file that the edits take out, each as the change that they are together.

    Where the file's scan knows none, it is a value that looks like no image by itself.
    """
    known = [site for site in scan.sites if _is_in(edits, site)]
    for site in known or map(_site, dead):
        change = removal(site, (site.text,), edits, rules) if _is_in(edits, site) else None
        if change is not None:
            yield change


def _is_in(edits: Iterable[Edit], site: ImageSite) -> bool:
    offsets = [site.document.offset(part.scalar.start) for part in site.parts]
    return any(edit.span.start <= at < edit.span.end for edit in edits for at in offsets)


def _site(item: DeadNode) -> ImageSite:
    start = item.node.start
    text = item.node if isinstance(item.node, Scalar) else Scalar(start, start, None, "", "", None)
    return ImageSite(
        kind=SiteKind.VALUES,
        document=item.document,
        path=(),
        parts=(Part(Role.REFERENCE, text, ()),),
        resource=resource_of(item.root),
        confidence=Confidence.RENDERED,
    )
