"""Strings that the patches of a release's post-renderers set already."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.model import Values
from imageshift.charts.plain import load_plain
from imageshift.charts.post_renderers.postrender import Patch
from imageshift.errors import ImageshiftError, SourceError
from imageshift.source import Document, Scalar, Sequence, parse_embedded
from imageshift.source import Mapping as MapNode

__all__ = [
    "PatchKey",
    "StandingPatch",
    "patch_items",
    "patch_key",
    "standing_patches",
    "written_patches",
]

PatchKey = tuple[str, str, str]
"""Kind and name of the object, and the JSON pointer."""


class StandingPatch(Struct, frozen=True):
    """A JSON 6902 replacement as it is written, with its value."""

    key: PatchKey
    document: Document
    value: Scalar


def patch_items(spec: MapNode) -> Iterator[MapNode]:
    """The items of `patches:` in a release's post-renderers, in their order."""
    for renderer in spec.items("postRenderers"):
        kustomize = renderer.mapping("kustomize") if isinstance(renderer, MapNode) else None
        for item in () if kustomize is None else kustomize.items("patches"):
            if isinstance(item, MapNode):
                yield item


def written_patches(document: Document, item: MapNode) -> Iterator[StandingPatch]:
    """The replacements in an item of `patches:`."""
    target, patch = item.mapping("target"), item.scalar("patch")
    if target is None or patch is None:
        return
    try:
        documents = parse_embedded(document, patch)
    except SourceError:
        return
    for inner in documents:
        for each in inner.root.items if isinstance(inner.root, Sequence) else ():
            value = each.scalar("value") if isinstance(each, MapNode) else None
            if isinstance(each, MapNode) and each.text("op") == "replace" and value is not None:
                key = str(target.text("kind")), str(target.text("name")), str(each.text("path"))
                yield StandingPatch(key, inner, value)


def patch_key(patch: Patch) -> PatchKey:
    """What a patch sets."""
    return patch.target.kind, patch.target.name, patch.pointer


def standing_patches(renderers: Iterable[Values]) -> dict[PatchKey, str]:
    """The values of JSON 6902 replacements, by what they set."""
    found: dict[PatchKey, str] = {}
    for renderer in renderers:
        kustomize = renderer.get("kustomize")
        for item in (kustomize.get("patches") or ()) if isinstance(kustomize, Mapping) else ():
            found.update(_replacements(item))
    return found


def _replacements(item: Any) -> Iterator[tuple[PatchKey, str]]:
    target = item.get("target") if isinstance(item, Mapping) else None
    if not isinstance(target, Mapping):
        return
    try:
        operations = load_plain(str(item.get("patch") or ""), "a patch")
    except ImageshiftError:
        return
    for each in operations if isinstance(operations, list) else ():
        if isinstance(each, Mapping) and each.get("op") == "replace":
            key = (str(target.get("kind")), str(target.get("name")), str(each.get("path")))
            yield key, str(each.get("value"))
