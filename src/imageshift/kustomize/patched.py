"""`images:` lists that patches give to Flux Kustomizations, whose builds then apply them."""

from collections.abc import Iterator
from dataclasses import dataclass

from imageshift.errors import SourceError
from imageshift.inventory import FluxKustomization, Index
from imageshift.kustomize.model import PatchSource
from imageshift.sites import resource_of
from imageshift.source import (
    Document,
    Mapping,
    Sequence,
    SourceText,
    parse_embedded,
    split_documents,
)

__all__ = ["PatchedList", "patch_documents", "patched_lists"]


@dataclass(frozen=True, slots=True)
class PatchedList:
    """A list of entries in a patch; `name` is that of the one object it is for, if it says so."""

    file: str
    document: Document
    items: Sequence
    name: str | None

    def reaches(self, flux: FluxKustomization) -> bool:
        """Whether the patch may be for an object."""
        return self.name in {None, flux.resource.name}


def patched_lists(index: Index, source: PatchSource) -> Iterator[PatchedList]:
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
