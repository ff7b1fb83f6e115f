"""Patches, in whatever form an owner writes them: files, texts, objects, lists of operations."""

from collections.abc import Iterator

from msgspec import Struct

from imageshift.entry import selects
from imageshift.errors import SourceError
from imageshift.inventory import FluxKustomization, Index
from imageshift.inventory.index import join
from imageshift.inventory.parsed import read_parsed
from imageshift.links.disk import read_text
from imageshift.links.model import Patch
from imageshift.sites import resource_of
from imageshift.source import (
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    parse_embedded,
)

__all__ = [
    "PatchedList",
    "alone",
    "patch_documents",
    "patch_text",
    "patched_lists",
    "read_patches",
    "targets",
]

_KEYS = ("patchesStrategicMerge", "patches", "patchesJson6902")


def read_patches(
    file: str, document: Document, owner: Mapping, *, files: bool = True
) -> Iterator[Patch]:
    """The patches of a kustomization, a Flux Kustomization, a post-renderer or an Argo CD source.

    They come in kustomize's order (E1, 4a to 4d). Without `files` the owner is an object that
    can't name any: Flux takes patches only where they stand.
    """
    folder = file.rpartition("/")[0]
    for key in _KEYS:
        for item in owner.items(key):
            path, node, target = _parts(key, item)
            if node is not None:
                yield Patch(file, document, node, target)
            elif path and files and (name := join(folder, path)) is not None:
                yield Patch(name, target=target)


def _parts(key: str, item: Node) -> tuple[str | None, Node | None, Mapping | None]:
    """The path of a patch's file, or the patch itself; and its target."""
    if isinstance(item, Scalar):
        return (None, item, None) if "\n" in item.value else (item.value, None, None)
    if not isinstance(item, Mapping):
        return None, None, None
    if key == "patchesStrategicMerge":
        return None, item, None
    node = item.get("patch")
    written = node is not None and not (isinstance(node, Scalar) and node.is_empty)
    return item.text("path"), node if written else None, item.mapping("target")


def patch_documents(index: Index, patch: Patch, word: str) -> Iterator[Document]:
    """The documents of a patch that has a word in it; its root is an object or a list.

    Raises:
        SourceError: it can't be read.
    """
    node, document = patch.node, patch.document
    if node is None or document is None:
        content = index.workspace.read(patch.file)
        if word.encode() in content:
            for chunk in read_parsed(patch.file, content).chunks:
                yield from chunk.documents()
    elif not isinstance(node, Scalar):
        if word in document.source.text[node.start : node.end]:
            yield document.below(node)
    elif word in node.value:
        yield from parse_embedded(document, node)


def patch_text(index: Index, patch: Patch) -> str:
    """The text of a patch as it is written; empty when its file can't be read."""
    node, document = patch.node, patch.document
    if node is None or document is None:
        return read_text(index, patch.file)
    return node.value if isinstance(node, Scalar) else document.source.text[node.start : node.end]


def targets(patch: Patch, kind: str, name: str) -> bool:
    """Whether a patch's target, if it has one, takes an object; kustomize matches whole names."""
    wanted = (("kind", kind), ("name", name))
    found = ((patch.target.text(key), text) for key, text in wanted) if patch.target else ()
    return all(not pattern or selects(pattern, text) for pattern, text in found)


class PatchedList(Struct, frozen=True):
    """A list of entries in a patch; `name` is that of the one object it is for, if it says so."""

    file: str
    document: Document
    items: Sequence
    name: str | None

    def reaches(self, flux: FluxKustomization) -> bool:
        """Whether the patch may be for an object."""
        return self.name in {None, flux.resource.name}


def patched_lists(index: Index) -> list[PatchedList]:
    """The lists that patches give to the Flux Kustomizations of the tree."""
    if not index.flux:
        return []
    known = index.kustomizations.values()
    patches = [p for k in known for p in read_patches(k.file, k.document, k.root)]
    for flux in index.flux:
        patches += read_patches(flux.file, flux.document, flux.spec, files=False)
    return [found for patch in patches for found in _read_lists(index, patch)]


def _read_lists(index: Index, patch: Patch) -> Iterator[PatchedList]:
    """The lists of entries in one patch, none when it can't be read."""
    try:
        for document in patch_documents(index, patch, "images"):
            name = None if patch.targeted else resource_of(document.mapping).name
            for items in _lists(document):
                yield PatchedList(patch.file, document, items, name or None)
    except SourceError:
        return


def _lists(document: Document) -> Iterator[Sequence]:
    if isinstance(document.root, Sequence):
        for operation in document.root.items:
            if isinstance(operation, Mapping):
                yield from _operation_list(operation)
        return
    resource = resource_of(document.mapping)
    spec = document.mapping.mapping("spec")
    if resource.kind == "Kustomization" and "fluxcd.io" in resource.group and spec is not None:
        items = spec.get("images")
        if isinstance(items, Sequence):
            yield items


def _operation_list(operation: Mapping) -> Iterator[Sequence]:
    pointer, value = operation.text("path") or "", operation.get("value")
    if pointer == "/spec/images" and isinstance(value, Sequence):
        yield value
    elif pointer.startswith("/spec/images/") and isinstance(value, Mapping):
        yield alone(value)


def alone(entry: Mapping) -> Sequence:
    """A list of one entry that stands in no list; in flow style it has no room for a second."""
    made = Sequence(entry.start, None, flow=True)
    made.items, made.end = [entry], entry.end
    return made
