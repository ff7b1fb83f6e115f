"""Texts of elements that the templates of ApplicationSets put into images."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from imageshift.errors import SourceError
from imageshift.sites.model import ImageSite, Part, Path, Role
from imageshift.source import Document, Mapping, Node, Scalar, Sequence, parse_embedded

__all__ = ["ElementImage", "find_element_images"]


class ElementImage(Struct, frozen=True):
    """An image that parameters make: the site that a filled template has, and its own texts.

    `document` is the number of the file's document, `parts` say by role where in it each text is.
    """

    document: int
    parts: tuple[tuple[Role, Path], ...]
    site: ImageSite


def find_element_images(
    document: Document, elements: Iterable[ElementImage]
) -> Iterator[ImageSite]:
    """The images that a document's texts make where a template takes them."""
    for element in elements:
        if element.document == document.index:
            found = [(role, path, _scalar(document, path)) for role, path in element.parts]
            held = next((each[2] for each in found if each[2] is not None), None)
            parts = tuple(Part(role, at[1], path) for role, path, at in found if at is not None)
            if held is not None and len(parts) == len(found):
                site, path = element.site, parts[0].path
                yield replace(site, document=held[0], path=path, parts=parts)


def _scalar(document: Document, path: Path) -> tuple[Document, Scalar] | None:
    """The scalar at a path that may lead into texts, with the document that it is in."""
    node: Node | None = document.root
    for number, key in enumerate(path):
        if isinstance(node, Mapping) and isinstance(key, str):
            node = node.get(key)
        elif isinstance(node, Sequence) and isinstance(key, int) and key < len(node.items):
            node = node.items[key]
        elif isinstance(node, Scalar):
            return _inside(document, node, path[number:])
        else:
            return None
    return (document, node) if isinstance(node, Scalar) else None


def _inside(document: Document, text: Scalar, path: Path) -> tuple[Document, Scalar] | None:
    try:
        found = parse_embedded(document, text)
    except SourceError:
        return None
    return _scalar(found[0], path) if found else None
