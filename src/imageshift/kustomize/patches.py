"""Patches of a kustomization, and the `images:` lists that they give to Flux Kustomizations."""

from collections.abc import Iterator

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.inventory import FluxKustomization, Index
from imageshift.inventory.index import join
from imageshift.kustomize.model import PatchSource
from imageshift.sites import resource_of
from imageshift.source import (
    Document,
    Mapping,
    Scalar,
    Sequence,
    SourceText,
    parse_embedded,
    split_documents,
)

__all__ = ["PatchedList", "patch_documents", "patched_lists", "read_patches"]


class PatchedList(Struct, frozen=True):
    """A list of entries in a patch; `name` is that of the one object it is for, if it says so."""

    file: str
    document: Document
    items: Sequence
    name: str | None

    def reaches(self, flux: FluxKustomization) -> bool:
        """Whether the patch may be for an object."""
        return self.name in {None, flux.resource.name}


def read_patches(file: str, document: Document, owner: Mapping) -> Iterator[PatchSource]:
    """The patches of a kustomization, in the order of kustomize."""
    folder = file.rpartition("/")[0]
    for key in ("patchesStrategicMerge", "patches", "patchesJson6902"):
        for item in owner.items(key):
            inline = item.get("patch") if isinstance(item, Mapping) else item
            path = item.text("path") if isinstance(item, Mapping) else None
            target = item.mapping("target") if isinstance(item, Mapping) else None
            if isinstance(item, Scalar) and "\n" not in item.value:
                inline, path = None, item.value
            if isinstance(inline, Scalar) and not inline.is_empty:
                yield PatchSource(file, document, inline, target=target)
            elif path is not None and (name := join(folder, path)) is not None:
                yield PatchSource(name, target=target)


def patched_lists(index: Index) -> Iterator[PatchedList]:
    """The lists that patches give to the Flux Kustomizations of the tree."""
    if not index.flux:
        return
    for found in index.kustomizations.values():
        for patch in read_patches(found.file, found.document, found.root):
            yield from _read_lists(index, patch)
    for flux in index.flux:
        for patch in read_patches(flux.file, flux.document, flux.spec):
            yield from _read_lists(index, patch) if patch.scalar is not None else ()


def _read_lists(index: Index, source: PatchSource) -> Iterator[PatchedList]:
    """The lists of entries in one patch, none when it can't be read."""
    try:
        for document in patch_documents(index, source, "images"):
            name = None if source.targeted else resource_of(document.mapping).name
            for items in _lists(document):
                yield PatchedList(source.file, document, items, name or None)
    except SourceError:
        return


def patch_documents(index: Index, source: PatchSource, word: str) -> Iterator[Document]:
    """The documents of a patch that has a word in it.

    Raises:
        SourceError: it can't be read.
    """
    if source.document is not None and source.scalar is not None:
        if word in source.scalar.value:
            yield from parse_embedded(source.document, source.scalar)
        return
    content = index.workspace.read(source.file)
    if word.encode() in content:
        for chunk in split_documents(SourceText.decode(content)):
            yield from chunk.documents()


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
        # One entry alone; as a list in flow style it has no room for a second.
        alone = Sequence(value.start, None, flow=True)
        alone.items, alone.end = [value], value.end
        yield alone
