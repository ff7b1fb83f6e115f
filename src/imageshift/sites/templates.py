"""Literal images in Helm templates: lines `image: ref` that no template action touches.

A template is no YAML, so lines are all there is to go by, but for names without a tag or a host:
those have to stand in a pod's containers. Only what needs no rendering to be read is found.
"""

import re
from collections.abc import Iterator

from imageshift.errors import InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.reference import has_host, parse_reference
from imageshift.sites.model import Confidence, ImageSite, Part, Resource, Role, SiteKind
from imageshift.sites.workloads import CONTAINER_KEYS
from imageshift.source import Document, Mapping, Scalar, SourceText, template_documents, walk

__all__ = ["find_template_images"]

_LINE = lazy_re(
    r"""^[ ]*(?:-[ ]+)?image:[ ]+(?P<quote>["']?)(?P<text>[^\s"'{}#]+)(?P=quote)"""
    r"""[ ]*(?:\#[^\r\n]*)?$""",
    re.MULTILINE,
)


def find_template_images(source: SourceText) -> Iterator[ImageSite]:
    """The images that a template spells out, with a tag or digest or in a list of containers."""
    document = Document(source, None, 0, 0, len(source))
    contained: set[int] | None = None
    for found in _LINE.finditer(source.text.replace("\r", " ")):
        try:
            reference = parse_reference(found["text"])
        except InvalidReferenceError:
            continue
        quotes = len(found["quote"])
        start, end = found.start("text") - quotes, found.end("text") + quotes
        if reference.tag is None and reference.digest is None and not has_host(found["text"]):
            contained = _container_images(source) if contained is None else contained
            if start not in contained:
                continue
        scalar = Scalar(start, end, None, found["text"], found["quote"], None)
        yield ImageSite(
            kind=SiteKind.WORKLOAD,
            document=document,
            path=("image",),
            parts=(Part(Role.REFERENCE, scalar, ("image",)),),
            resource=Resource(),
            confidence=Confidence.LIKELY,
        )


def _container_images(source: SourceText) -> set[int]:
    """Where the images of a template's containers stand."""
    nodes = (node for document in template_documents(source) for node in walk(document.root))
    lists = (
        node.items(key) for node in nodes if isinstance(node, Mapping) for key in CONTAINER_KEYS
    )
    images = (
        item.scalar("image") for items in lists for item in items if isinstance(item, Mapping)
    )
    return {image.start for image in images if image is not None}
