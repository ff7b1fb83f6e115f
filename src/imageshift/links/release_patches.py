"""What kustomize's patches set in the values of HelmReleases."""

from collections.abc import Iterator

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.links.model import Patch
from imageshift.links.patches import patch_documents
from imageshift.links.reach import Reach
from imageshift.sites import resource_of
from imageshift.sites.patches import pointer_steps
from imageshift.source import Document, Mapping, Scalar, Sequence

__all__ = ["VALUES", "ReleasePatch", "read_release_patches", "release_patches"]

VALUES = ("spec", "values")
"""Where a release has its values."""


class ReleasePatch(Struct, frozen=True):
    """What a patch of a release sets in its values: paths below `spec.values` to scalars.

    `release` is its name, None where the patch's target says which are meant.
    """

    file: str
    document: Document
    release: str | None
    values: dict[tuple[str, ...], Scalar]

    @property
    def key(self) -> tuple[str, int]:
        """What identifies it: its file and where its document begins there."""
        return self.file, self.document.offset(self.document.start)

    @property
    def offsets(self) -> set[tuple[str, int]]:
        """The values by their file and offset."""
        return {(self.file, self.document.offset(each.start)) for each in self.values.values()}


def release_patches(index: Index, reach: Reach) -> Iterator[tuple[ReleasePatch, list[str]]]:
    """The patches of releases' values, each with the files that are built with it."""
    for source, files in reach.patches():
        patches = list(read_release_patches(index, source))
        others = sorted(files()) if patches else []
        yield from ((patch, others) for patch in patches)


def read_release_patches(index: Index, source: Patch) -> Iterator[ReleasePatch]:
    """What one patch sets in values of releases; nothing if it can't be read."""
    try:
        documents = list(patch_documents(index, source, "values"))
    except SourceError:
        return
    for document in documents:
        values, release = _patch_values(document)
        if values:
            yield ReleasePatch(source.file, document, None if source.targeted else release, values)


_Values = dict[tuple[str, ...], Scalar]


def _patch_values(document: Document) -> tuple[_Values, str | None]:
    """What a patch sets below `spec.values`, and the name of the release it is for."""
    if isinstance(document.root, Sequence):
        return dict(_operation_values(document.root)), None
    root = document.mapping
    spec = root.mapping("spec")
    values = None if spec is None else spec.mapping("values")
    if values is None or root.text("kind") != "HelmRelease":
        return {}, None
    return dict(_scalars(values, ())), resource_of(root).name


def _operation_values(operations: Sequence) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    for operation in operations.items:
        if not isinstance(operation, Mapping) or operation.text("op") not in {"add", "replace"}:
            continue
        steps = tuple(pointer_steps(operation.text("path") or ""))
        value = operation.get("value")
        if steps[:2] != VALUES:
            continue
        if isinstance(value, Scalar):
            yield steps[2:], value
        elif isinstance(value, Mapping):
            yield from _scalars(value, steps[2:])


def _scalars(node: Mapping, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Scalar]]:
    for key, value in node.pairs():
        at = (*path, key.value)
        if isinstance(value, Scalar):
            yield at, value
        elif isinstance(value, Mapping):
            yield from _scalars(value, at)
