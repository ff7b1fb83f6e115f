"""Strings that the patches of a release's post-renderers set already."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from imageshift.charts.model import Values
from imageshift.charts.plain import load_plain
from imageshift.charts.postrender import Patch
from imageshift.errors import ImageshiftError

__all__ = ["PatchKey", "patch_key", "standing_patches"]

PatchKey = tuple[str, str, str]
"""Kind and name of the object, and the JSON pointer."""


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
