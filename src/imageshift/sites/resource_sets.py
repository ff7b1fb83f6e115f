"""Inputs of Flux Operator's ResourceSets that templates put into images."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Mapping as MappingType
from functools import partial
from typing import Any

from msgspec.structs import replace

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.reference import name_length
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
    SkipReason,
    below,
    paths_below,
)
from imageshift.sites.templates import find_template_images
from imageshift.source import (
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
    embedded_text,
    parse_template,
)

__all__ = ["Change", "find_input_images", "find_template_text_images"]

_INPUT = lazy_re(r"<<-?\s*inputs\.(?P<keys>\w+(?:\.\w+)*)\s*-?>>")
_LINE = lazy_re(rf"""^[ ]*(?:-[ ]+)?image:[ ]+["']?(?P<text>{_INPUT.pattern}\S*)""", re.MULTILINE)
_IDENTIFIERS = frozenset({Role.TAG, Role.DIGEST})
_IN_PARTS = "a ResourceSet's template builds an image from it and other text"
_ELSEWHERE = "an input of the ResourceSet that isn't in its own list of inputs"
_MOST_INPUTS = 500

Change = Callable[[Any], Any]
"""Makes another node of one."""

Carried = Callable[[Change], Iterator[ImageSite]]
"""Finds the images of the objects that a ResourceSet carries, each changed by a function first."""


class _Filled(Scalar):
    """A template's text with inputs in their places; `inputs` are these, `whole` the first alone.

    It is whole where nothing but a tag or digest stands beside the first one.
    """

    __slots__ = ("inputs", "whole")

    def __init__(self, written: Scalar, value: str, inputs: list[Scalar], *, whole: bool) -> None:
        super().__init__(written.start, written.end, None, value, '"', None)
        self.inputs = inputs
        self.whole = whole


def find_input_images(
    document: Document, root: Mapping, path: Path, carried: Carried
) -> Iterator[ImageSite]:
    """The images that a ResourceSet's objects name, inputs in the place of their templates."""
    waiting = {}
    for site in carried(lambda node: node):
        if "<<" in site.name_text:
            waiting[site.path] = site
        else:
            yield site
    found: dict[tuple[int, ...], ImageSite] = {}
    for number, inputs in enumerate(below(root, "spec").items("inputs")[:_MOST_INPUTS]):
        if isinstance(inputs, Mapping):
            paths = dict(paths_below(inputs, (*path, "spec", "inputs", number)))
            for site in carried(partial(_filled, inputs=inputs)):
                made = _of_inputs(site, paths)
                if made is not None:
                    waiting.pop(site.path, None)
                    key = tuple(part.scalar.start for part in made.parts)
                    found.setdefault(key, replace(made, document=document))
    torn = {_name(site): site for site in found.values() if site.note == _IN_PARTS}
    yield from (site for site in found.values() if _name(site) not in torn)
    yield from torn.values()
    yield from (site.skipped(SkipReason.VARIABLE, _ELSEWHERE) for site in waiting.values())


def find_template_text_images(
    document: Document, root: Mapping, resource: Resource, path: Path, change: Change
) -> Iterator[ImageSite]:
    """The images of a `resourcesTemplate` that is no YAML, by its lines, changed first.

    Raises:
        SourceError: the text's spelling can't be followed.
    """
    at = (*path, "spec", "resourcesTemplate")
    scalar = below(root, "spec").scalar("resourcesTemplate")
    inner = None if scalar is None or scalar.is_empty else embedded_text(document, scalar)
    if scalar is None or inner is None or _is_yaml(document, scalar):
        return
    for site in find_template_images(inner.source):
        yield replace(site, document=inner, path=at, resource=resource)
    for found in _LINE.finditer(inner.source.text):
        start, end = found.span("text")
        written = Scalar(start, end, None, found["text"], "", None)
        part = Part(Role.REFERENCE, change(written), at)
        yield ImageSite(
            kind=SiteKind.CUSTOM,
            document=inner,
            path=at,
            parts=(part,),
            resource=resource,
            confidence=Confidence.LIKELY,
        )


def _is_yaml(document: Document, scalar: Scalar) -> bool:
    try:
        return bool(parse_template(document, scalar))
    except SourceError:
        return False


def _name(site: ImageSite) -> int:
    """What identifies the text of a site's name."""
    return site.main.scalar.start


def _filled(node: Any, inputs: Mapping) -> Any:
    """A tree with inputs in the place of their templates: their own scalars where they are all."""
    if isinstance(node, Scalar):
        return _filled_text(node, inputs) if "<<" in node.value else node
    if isinstance(node, Mapping):
        made = Mapping(node.start, node.anchor, flow=node.flow)
        made.own = [(key, _filled(value, inputs)) for key, value in node.pairs()]
        made.end = node.end
        return made
    items = Sequence(node.start, node.anchor, flow=node.flow)
    items.items = [_filled(item, inputs) for item in node.items]
    items.end = node.end
    return items


def _filled_text(node: Scalar, inputs: Mapping) -> Scalar:
    found = [(match, _input(inputs, match["keys"])) for match in _INPUT.finditer(node.value)]
    scalars = [scalar for _, scalar in found if scalar is not None]
    if not scalars or len(scalars) < len(found):
        return node
    first = found[0][0]
    before, behind = node.value[: first.start()], node.value[first.end() :]
    if before and (before[-1] in ":@" or name_length(before) < len(before)):
        # Only a tag or digest is an input's, so the name moves by itself.
        return node
    if first.start() == 0 and not behind:
        return scalars[0]
    texts = iter(scalars)
    value = _INPUT.sub(lambda _: next(texts).value, node.value)
    whole = first.start() == 0 and behind[0] in ":@"
    return _Filled(node, value, scalars, whole=whole)


def _input(inputs: Mapping, keys: str) -> Scalar | None:
    node: Node | None = inputs
    for key in keys.split("."):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Scalar) and not node.is_empty else None


def _of_inputs(site: ImageSite, paths: MappingType[int, Path]) -> ImageSite | None:
    """A site with the inputs that make it as its parts; None where they don't make its name."""
    pairs: list[tuple[Part, bool]] = []
    literal = False
    for part in site.parts:
        scalar = part.scalar.inputs[0] if isinstance(part.scalar, _Filled) else part.scalar
        whole = not isinstance(part.scalar, _Filled) or part.scalar.whole
        path = paths.get(id(scalar))
        if path is not None:
            pairs.append((Part(part.role, scalar, path), whole))
        literal = literal or (path is None and part.role not in _IDENTIFIERS)
    names = [(part, whole) for part, whole in pairs if part.role not in _IDENTIFIERS]
    if not names:
        return None
    torn = literal or not all(whole for _, whole in names)
    made = replace(site, path=names[-1][0].path, parts=tuple(part for part, _ in pairs))
    return made.doubtful(_IN_PARTS) if torn else made
