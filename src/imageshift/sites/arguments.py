"""Values of parameters that become images, as Tekton and Argo Workflows have them."""

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from imageshift.errors import InvalidReferenceError
from imageshift.reference import parse_reference
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Path,
    Resource,
    SiteKind,
    paths_below,
)
from imageshift.sites.workloads import whole_site
from imageshift.source import Document, Mapping, Scalar

__all__ = ["MIXED", "is_reference", "named_texts", "value_site", "value_sites"]

MIXED = "it becomes an image, and something else that may be a push target"
"""Why a parameter's value may not move."""


def value_sites(
    document: Document,
    resource: Resource,
    root: Mapping,
    path: Path,
    notes: Iterable[tuple[Scalar, str]],
) -> Iterator[ImageSite]:
    """The sites of values below a root; a value with a note is only listed."""
    found = list(notes)
    paths = dict(paths_below(root, path)) if found else {}
    for value, note in found:
        at = paths.get(id(value))
        if at is not None:  # Of equal keys only the last one counts.
            yield from value_site(document, resource, value, at, note)


def value_site(
    document: Document, resource: Resource, value: Scalar, path: Path, note: str = ""
) -> Iterator[ImageSite]:
    """The site of one value."""
    for site in whole_site(document, resource, value, path, SiteKind.CUSTOM):
        yield site.doubtful(note) if note else replace(site, confidence=Confidence.LIKELY)


def is_reference(value: Scalar) -> bool:
    """Whether a parameter's value can be an image's text."""
    try:
        parse_reference(value.value)
    except InvalidReferenceError:
        return False
    return True


def named_texts(owner: Mapping, list_key: str, *keys: str) -> Iterator[tuple[str, Scalar]]:
    """Name and text of a list's parameters, the text by each of some keys."""
    items = (item for item in owner.items(list_key) if isinstance(item, Mapping))
    for item in items:
        for value in map(item.scalar, keys):
            if value is not None and value.is_string:
                yield item.text("name") or "", value
