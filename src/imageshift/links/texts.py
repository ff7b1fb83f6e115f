"""The image texts that kustomize's images transformer sees in a file or patch (fact K5).

This is the transformer's own walk, not the finders': it decides what an entry matches, whether or
not the text is an image that imageshift would rewrite.
"""

from collections.abc import Iterator

from msgspec import Struct

from imageshift.inventory import Index, is_definition
from imageshift.inventory.parsed import read_parsed
from imageshift.lazy import lazy_re
from imageshift.links.model import Patch
from imageshift.links.patches import patch_documents
from imageshift.sites import ImageSite, Role
from imageshift.sites.model import below
from imageshift.source import (
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    walk,
)

__all__ = ["ImageText", "file_texts", "is_transformed", "patch_texts"]

_LISTS = ("containers", "initContainers")
_POD_PATHS = {
    ("spec",): False,
    ("spec", "template", "spec"): False,
    ("spec", "jobTemplate", "spec", "template", "spec"): True,
}
"""Where pods have volumes, and whether only newer versions of kustomize look there (K5)."""

_IMAGE = lazy_re(
    r"/(?:containers|initContainers)/[^/]+/image$"
    r"|^/spec/(?:template/spec/)?volumes/[^/]+/image/reference$"
)
_NEWER = lazy_re(r"^/spec/jobTemplate/spec/template/spec/volumes/[^/]+/image/reference$")
Fields = frozenset[tuple[str, ...]]
"""Paths of image fields beyond Kubernetes' own."""

_CONTAINER = lazy_re(r"/(?:containers|initContainers)/[^/]+$")
_LIST = lazy_re(r"/(?:containers|initContainers)$")


class ImageText(Struct, frozen=True):
    """A text that entries may match; `tested` when a JSON 6902 `test` compares with it.

    `newer` says that only newer versions of kustomize look there.
    """

    document: Document
    scalar: Scalar
    kind: str
    name: str
    tested: bool = False
    newer: bool = False


def file_texts(file: str, content: bytes, fields: Fields = frozenset()) -> Iterator[ImageText]:
    """The texts of a file of objects or of a patch file.

    `fields` are the paths of further image fields, as `configurations` name them.

    Raises:
        SourceError: a document of it can't be read.
    """
    if not fields and b"image" not in content:
        return
    for chunk in read_parsed(file, content).chunks:
        if fields or _may_hold_texts(chunk.text):
            for document in chunk.documents():
                yield from _document_texts(document, fields)


def _may_hold_texts(text: str) -> bool:
    # Definitions are the bulk of many bases, and the transformer leaves them alone.
    return (
        "image" in text and ("ontainers" in text or "volumes" in text) and not is_definition(text)
    )


def patch_texts(index: Index, patch: Patch, fields: Fields = frozenset()) -> Iterator[ImageText]:
    """The texts of a patch.

    Raises:
        SourceError: it can't be read.
    """
    for document in patch_documents(index, patch, "" if fields else "image"):
        yield from _document_texts(document, fields)


def is_transformed(site: ImageSite) -> bool:
    """Whether the transformer reaches a site, judged by its path (fact K5)."""
    if site.part(Role.REFERENCE) is None:
        return False
    spelled = "/" + "/".join(map(str, site.path)) if site.pointer is None else site.pointer
    return _IMAGE.search(spelled) is not None


def _document_texts(document: Document, fields: Fields) -> Iterator[ImageText]:
    root = document.root
    if isinstance(root, Sequence):
        for operation in root.items:
            if isinstance(operation, Mapping):
                yield from _operation_texts(document, operation)
    elif isinstance(root, Mapping):
        yield from _object_texts(document, root, fields)


def _object_texts(document: Document, root: Mapping, fields: Fields) -> Iterator[ImageText]:
    kind = root.text("kind") or ""
    if kind == "CustomResourceDefinition":
        return
    if kind.endswith("List") and root.items("items"):
        for item in root.items("items"):
            if isinstance(item, Mapping):
                yield from _object_texts(document, item, fields)
        return
    metadata = root.mapping("metadata")
    name = "" if metadata is None else metadata.text("name") or ""
    found = {scalar.start: (scalar, newer) for scalar, newer in _volume_images(root)}
    for scalar in (*_container_images(root), *_field_images(root, fields)):
        found[scalar.start] = scalar, False
    for scalar, newer in found.values():
        yield ImageText(document, scalar, kind, name, newer=newer)


def _container_images(root: Node) -> Iterator[Scalar]:
    for node in walk(root):
        if isinstance(node, Mapping):
            for key, value in node.pairs():
                if key.value in _LISTS and isinstance(value, Sequence):
                    yield from _list_images(value)


def _list_images(containers: Sequence) -> Iterator[Scalar]:
    for item in containers.items:
        image = item.get("image") if isinstance(item, Mapping) else None
        if isinstance(image, Scalar) and not image.is_empty:
            yield image


def _volume_images(root: Mapping) -> Iterator[tuple[Scalar, bool]]:
    for path, newer in _POD_PATHS.items():
        for volume in below(root, *path).items("volumes"):
            image = volume.mapping("image") if isinstance(volume, Mapping) else None
            reference = None if image is None else image.get("reference")
            if isinstance(reference, Scalar) and not reference.is_empty:
                yield reference, newer


def _field_images(root: Mapping, fields: Fields) -> Iterator[Scalar]:
    for path in fields:
        nodes: list[Node] = [root]
        for step in path:
            below = [node.get(step) for node in nodes if isinstance(node, Mapping)]
            nodes = [
                item
                for node in below
                if node is not None
                for item in (node.items if isinstance(node, Sequence) else [node])
            ]
        yield from (node for node in nodes if isinstance(node, Scalar) and not node.is_empty)


def _operation_texts(document: Document, operation: Mapping) -> Iterator[ImageText]:
    pointer, value = operation.text("path") or "", operation.get("value")
    tested = operation.text("op") == "test"
    if value is None:
        return
    for scalar in _value_images(pointer, value):
        newer = _NEWER.search(pointer) is not None
        yield ImageText(document, scalar, "", "", tested, newer)


def _value_images(pointer: str, value: Node) -> Iterator[Scalar]:
    if isinstance(value, Scalar):
        if (_IMAGE.search(pointer) or _NEWER.search(pointer)) and not value.is_empty:
            yield value
    elif isinstance(value, Sequence) and _LIST.search(pointer):
        yield from _list_images(value)
    else:
        if isinstance(value, Mapping) and _CONTAINER.search(pointer):
            image = value.get("image")
            if isinstance(image, Scalar) and not image.is_empty:
                yield image
        yield from _container_images(value)
