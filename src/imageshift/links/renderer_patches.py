"""Patches that give HelmReleases their post-renderers.

A kustomization or a cluster's Flux Kustomization replaces the list of every release that such a
patch is for: what the release has itself is lost there.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.links.model import Patch
from imageshift.links.patches import alone, patch_documents, targets
from imageshift.links.reach import Reach
from imageshift.source import Document, Mapping, Scalar, Sequence

__all__ = ["RendererPatch", "renderer_patches"]

_POINTER = "/spec/postRenderers"


class RendererPatch(Struct, frozen=True):
    """A patch of releases: its root as a HelmRelease, and the files that are built with it."""

    patch: Patch
    document: Document
    root: Mapping
    files: frozenset[str]

    def reaches(self, file: str, name: str) -> bool:
        """Whether it is for a release of a name in a file."""
        own = (self.root.mapping("metadata") or Mapping(0, None, flow=False)).text("name")
        fits = targets(self.patch, "HelmRelease", name) if self.patch.targeted else own == name
        return fits and file in self.files


def renderer_patches(index: Index, reach: Reach) -> list[RendererPatch]:
    """The patches of the tree, each once, with the files of all that is built with it."""
    found: dict[tuple[str, int], RendererPatch] = {}
    for each in _each(index, reach):
        key = each.patch.file, each.document.offset(each.root.start)
        other = found.get(key, each)
        found[key] = replace(other, files=other.files | each.files)
    return list(found.values())


def _each(index: Index, reach: Reach) -> Iterator[RendererPatch]:
    if index.has_renderer_patches or index.renderer_files:
        for patch, files in reach.patches():
            for document, root in _read(index, patch):
                yield RendererPatch(patch, document, root, files())


def _read(index: Index, patch: Patch) -> Iterator[tuple[Document, Mapping]]:
    try:
        documents = list(patch_documents(index, patch, "postRenderers"))
    except SourceError:
        return
    for document in documents:
        yield from ((document, root) for root in _releases(document))


def _releases(document: Document) -> Iterator[Mapping]:
    root = document.root
    if isinstance(root, Mapping) and root.text("kind") == "HelmRelease":
        spec = root.mapping("spec")
        if spec is not None and spec.get("postRenderers") is not None:
            yield root
    for operation in root.items if isinstance(root, Sequence) else ():
        pointer = operation.text("path") if isinstance(operation, Mapping) else None
        value = operation.get("value") if isinstance(operation, Mapping) else None
        if pointer == _POINTER and isinstance(value, Sequence):
            yield _as_release(value)
        elif (pointer or "").startswith(f"{_POINTER}/") and isinstance(value, Mapping):
            yield _as_release(alone(value))


def _as_release(renderers: Sequence) -> Mapping:
    """What an operation sets, as a patch that merges would write it."""
    spec = _mapping(renderers.start, renderers.end, "postRenderers", renderers)
    root = _mapping(renderers.start, renderers.end, "spec", spec)
    root.own.append((_key("kind"), _key("HelmRelease")))
    return root


def _mapping(start: int, end: int, key: str, value: Mapping | Sequence) -> Mapping:
    made = Mapping(start, None, flow=False)
    made.own, made.end = [(_key(key), value)], end
    return made


def _key(text: str) -> Scalar:
    return Scalar(0, 0, None, text, "", None)
