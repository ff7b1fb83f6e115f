"""Images in patches: JSON 6902 operations, and inline strings that hold either sort."""

import re
from collections.abc import Callable, Iterator

from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Path,
    Resource,
    Role,
    SiteKind,
    scalar_part,
)
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.sites.workloads import find_pod_images, whole_site
from imageshift.source import Document, Mapping, Node, Scalar, Sequence, parse_embedded

__all__ = ["find_json_patch_images", "find_patch_images", "pointer_steps"]

_IMAGE_POINTER = re.compile(
    r"/(?:containers|initContainers|ephemeralContainers)/[^/]+/image$|/volumes/[^/]+/image/reference$"
)
_CONTAINER_POINTER = re.compile(r"/(containers|initContainers|ephemeralContainers)/[^/]+$")
_LIST_POINTER = re.compile(r"/(containers|initContainers|ephemeralContainers)$")
_SPEC_POINTER = re.compile(r"/spec(?:/template)?(?:/spec)?$")
_VALUES_POINTER = re.compile(r"^/spec/values(?:/|$)")

Finder = Callable[[Document], Iterator[ImageSite]]


def find_patch_images(
    document: Document, holder: Node | None, resource: Resource, find: Finder
) -> Iterator[ImageSite]:
    """The images in a patch that is a string: `find` reads the strategic ones.

    Raises:
        SourceError: the string can't be followed or is no YAML.
    """
    if not isinstance(holder, Scalar) or ":" not in holder.value:
        return
    for inner in parse_embedded(document, holder):
        if isinstance(inner.root, Sequence):
            yield from find_json_patch_images(inner, resource)
        else:
            yield from find(inner)


def find_json_patch_images(document: Document, resource: Resource) -> Iterator[ImageSite]:
    """The images that JSON 6902 operations add, replace or test."""
    operations = document.root.items if isinstance(document.root, Sequence) else []
    for index, operation in enumerate(operations):
        if isinstance(operation, Mapping) and operation.get("value") is not None:
            yield from _operation_images(document, operation, resource, (index, "value"))


def pointer_steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer (RFC 6901), unescaped."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _operation_images(
    document: Document, operation: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    pointer = operation.text("path") or ""
    value = operation.get("value")
    if _IMAGE_POINTER.search(pointer):
        yield from whole_site(document, resource, value, path, SiteKind.PATCH)
    elif isinstance(value, Mapping) and _CONTAINER_POINTER.search(pointer):
        yield from whole_site(
            document, resource, value.get("image"), (*path, "image"), SiteKind.PATCH
        )
    elif isinstance(value, Sequence) and _LIST_POINTER.search(pointer):
        for index, item in enumerate(value.items):
            if isinstance(item, Mapping):
                at = (*path, index, "image")
                yield from whole_site(document, resource, item.get("image"), at, SiteKind.PATCH)
    elif _VALUES_POINTER.search(pointer) and value is not None:
        yield from _values_images(document, pointer, value, resource, path)
    elif isinstance(value, Mapping) and _SPEC_POINTER.search(pointer):
        yield from find_pod_images(document, resource, value, path)


def _values_images(
    document: Document, pointer: str, value: Node, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    context = ValuesContext(document, resource, kind=SiteKind.PATCH)
    if isinstance(value, Mapping):
        yield from find_values_images(context, value, path)
        return
    part = scalar_part(Role.REPOSITORY, value, path)
    if part is not None and pointer.rsplit("/", 1)[-1] in {"repository", "registry", "image"}:
        site = ImageSite(
            kind=SiteKind.PATCH,
            document=document,
            path=path,
            parts=(part,),
            resource=resource,
            confidence=Confidence.LIKELY,
            needs_host=True,
        )
        whole = "/" in part.text and site.has_host and not pointer.endswith("/registry")
        yield site if whole else site.doubtful("a patch of one part of an image")
