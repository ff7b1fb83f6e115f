"""Literal images in Helm templates: lines `image: ref` that no template action touches.

A template is no YAML, so lines are all there is to go by. Only what needs no rendering to be
read is found.
"""

import re
from collections.abc import Iterator

from imageshift.errors import InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.reference import has_host, parse_reference
from imageshift.sites.model import Confidence, ImageSite, Part, Resource, Role, SiteKind
from imageshift.source import Document, Scalar, SourceText

__all__ = ["find_template_images"]

_LINE = lazy_re(
    r"""^[ ]*(?:-[ ]+)?image:[ ]+(?P<quote>["']?)(?P<text>[^\s"'{}#]+)(?P=quote)"""
    r"""[ ]*(?:\#[^\r\n]*)?$""",
    re.MULTILINE,
)


def find_template_images(source: SourceText) -> Iterator[ImageSite]:
    """The images that a template spells out, with a tag or digest."""
    document = Document(source, None, 0, 0, len(source))
    for found in _LINE.finditer(source.text.replace("\r", " ")):
        try:
            reference = parse_reference(found["text"])
        except InvalidReferenceError:
            continue
        if reference.tag is None and reference.digest is None and not has_host(found["text"]):
            continue
        quotes = len(found["quote"])
        start, end = found.start("text") - quotes, found.end("text") + quotes
        scalar = Scalar(start, end, None, found["text"], found["quote"], None)
        yield ImageSite(
            kind=SiteKind.WORKLOAD,
            document=document,
            path=("image",),
            parts=(Part(Role.REFERENCE, scalar, ("image",)),),
            resource=Resource(),
            confidence=Confidence.LIKELY,
        )
