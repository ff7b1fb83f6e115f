"""Images in annotations, which an injector or an operator puts into pods."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from imageshift.data.annotations import IMAGE_ANNOTATIONS
from imageshift.lazy import lazy_re
from imageshift.sites.definitions import IMAGE_KEY
from imageshift.sites.flags import is_spelled_out
from imageshift.sites.model import ImageSite, Path, Resource, SiteKind
from imageshift.sites.workloads import whole_site
from imageshift.source import Document, Mapping, Node, Scalar, Sequence

__all__ = ["find_annotation_images", "is_image_annotation"]

# Most objects have no such annotation, so their text is asked before their tree.
_NAMED = lazy_re(r"/[\w.-]*[iI]mage[\"']?[ \t]*:")
_EXACT = frozenset(row.name for row in IMAGE_ANNOTATIONS if "*" not in row.name)
_PATTERNS = tuple(row.name for row in IMAGE_ANNOTATIONS if "*" in row.name)
_DEEPEST = 40


def find_annotation_images(
    document: Document, root: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The images in the annotations of an object and of the pods in it.

    Those that an injector is known to read are exact; others that refer to an image and have a
    registry and a tag are doubtful.
    """
    text = document.source.text
    if _NAMED.search(text, document.start, document.end) is None:
        return
    for annotations, at in _annotations(root, path, depth=0):
        for key, value in annotations.pairs():
            if isinstance(value, Scalar) and IMAGE_KEY.search(key.value):
                yield from _image(document, resource, value, (*at, key.value))


def _annotations(node: Node, path: Path, *, depth: int) -> Iterator[tuple[Mapping, Path]]:
    if depth > _DEEPEST:
        return
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _annotations(item, (*path, index), depth=depth + 1)
    elif isinstance(node, Mapping):
        for key, value in node.pairs():
            at = (*path, key.value)
            if key.value.lower().endswith("annotations") and isinstance(value, Mapping):
                yield value, at
            else:
                yield from _annotations(value, at, depth=depth + 1)


def _image(
    document: Document, resource: Resource, value: Scalar, path: Path
) -> Iterator[ImageSite]:
    known = is_image_annotation(str(path[-1]))
    for site in whole_site(document, resource, value, path, SiteKind.FLAG):
        if known:
            yield site
        elif is_spelled_out(site.text):
            yield site.doubtful("not an annotation that imageshift knows")


def is_image_annotation(name: str) -> bool:
    """Whether an injector is known to take an image from an annotation of this name."""
    return name in _EXACT or any(fnmatchcase(name, pattern) for pattern in _PATTERNS)
