"""Patches of a release's post-renderers that no longer fit what its chart renders."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from imageshift.cache import Mapped, RuleSet
from imageshift.charts.model import RenderedImage
from imageshift.charts.plain import load_plain
from imageshift.charts.post_renderers.postrender import pointer_of
from imageshift.charts.post_renderers.standing import StandingPatch, patch_items, written_patches
from imageshift.charts.rendering.manifests import kind_and_name, split_manifest
from imageshift.charts.rendering.render import Manifests
from imageshift.errors import ImageshiftError, InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.source import Document
from imageshift.source import Mapping as MapNode

__all__ = ["Rendered", "unfit_patches"]

_PLAIN = lazy_re(r"[\w-]*(?:\.[\w-]+)*")
_NONE = object()


class Rendered(Struct, frozen=True):
    """What a chart renders with a release's values, before the post-renderers."""

    title: str
    manifests: Manifests
    images: tuple[RenderedImage, ...]
    rules: RuleSet

    def objects(self) -> dict[tuple[str, str], str]:
        """The objects' texts by kind and name."""
        parts = (part for text in self.manifests.values() for part in split_manifest(text))
        return {kind_and_name(part): part for part in parts}


def unfit_patches(
    document: Document, spec: MapNode, rendered: Rendered
) -> Iterator[tuple[MapNode, str]]:
    """The patches that name an image on the registry and miss it, each with what is wrong."""
    host, objects = f"{rendered.rules.registry.host}/", rendered.objects()
    for item in patch_items(spec):
        target = item.mapping("target") or MapNode(0, None, flow=False)
        kind, name = target.text("kind"), target.text("name")
        selected = target.get("labelSelector") or target.get("annotationSelector")
        if selected or not (kind and name and host in (item.text("patch") or "")):
            continue
        if not any(one == kind and _may_name(name, other) for one, other in objects):
            yield item, f"{rendered.title} has no {kind} named {name}"
            continue
        ours = [each for each in written_patches(document, item) if host in each.value.value]
        wrong = [_misfit(each, objects, rendered) for each in ours]
        if wrong and all(wrong):
            yield item, f"{rendered.title} {'; '.join(filter(None, wrong))}"


def _may_name(pattern: str, name: str) -> bool:
    """Whether a target's name, a pattern of RE2, may be an object's; in doubt it is."""
    return _PLAIN.fullmatch(pattern) is None or re.fullmatch(pattern, name) is not None


def _misfit(
    patch: StandingPatch, objects: Mapping[tuple[str, str], str], rendered: Rendered
) -> str:
    """What is wrong with the place of a patch; empty where it may be right."""
    kind, name, pointer = patch.key
    text = objects.get((kind, name))
    here = [i for i in rendered.images if (i.object.kind, i.object.name) == (kind, name)]
    if text is None or any(pointer_of(image) == pointer for image in here):
        return ""
    try:
        now = _value_at(load_plain(text, "an object"), pointer)
    except ImageshiftError:
        return ""
    value, rules = patch.value.value, rendered.rules
    # What stands before an image: in the patch, and in what it replaces.
    pairs = [(_before(value, _cached_name(i, rules)), _before(str(now), i.raw_name)) for i in here]
    named = [pair for pair in pairs if pair[0] is not None]
    if named and all(new != old for new, old in named):
        return f"has the image of {kind} {name} somewhere other than {pointer}"
    return f"has nothing at {pointer} in {kind} {name}" if now is _NONE else ""


def _cached_name(image: RenderedImage, rules: RuleSet) -> str:
    """The name on the registry that an image gets or has; empty where it has none."""
    try:
        reference = rules.parse(image.text)
    except InvalidReferenceError:
        return ""
    outcome = rules.map(reference)
    final = outcome.target if isinstance(outcome, Mapped) else reference
    return final.full_name if final.registry == rules.registry.host else ""


def _before(text: str, name: str) -> str | None:
    """What stands before a name in a text that has it."""
    found = re.search(rf"{re.escape(name)}(?![\w./-])", text) if name else None
    return None if found is None else text[: found.start()]


def _value_at(node: Any, pointer: str) -> Any:
    """What stands at a JSON pointer of an object, if anything does."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            node = node[int(key)] if key.isdecimal() and int(key) < len(node) else _NONE
        else:
            node = node.get(key, _NONE) if isinstance(node, Mapping) else _NONE
    return node
