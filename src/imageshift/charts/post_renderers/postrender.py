"""What values can't reach: kustomize entries and patches for a release's post-renderers."""

from collections.abc import Iterable

from msgspec import Struct

from imageshift.charts.model import ObjectName, RenderedImage, ValuePath
from imageshift.charts.post_renderers.existing import is_reached
from imageshift.charts.rendering.markers import splice
from imageshift.reference import name_length

__all__ = [
    "ImageEntry",
    "Patch",
    "entry_for",
    "merge_entries",
    "patch_for",
    "patches_for",
    "pointer_of",
]


class ImageEntry(Struct, frozen=True, order=True):
    """An item of `postRenderers[].kustomize.images`.

    With `newName` alone kustomize keeps tag and digest (K4). `hook_only` says that it is there
    for hooks, which helm-controller post-renders since 1.6.0 only (X3); `test_only` for pods
    of `helm test`, which run only where `spec.test.enable` says so.
    """

    name: str
    new_name: str
    hook_only: bool = False
    test_only: bool = False


class Patch(Struct, frozen=True):
    """An item of `postRenderers[].kustomize.patches`: replace one string of one object."""

    target: ObjectName
    pointer: str
    value: str
    hook: bool = False


def entry_for(image: RenderedImage, target: str) -> ImageEntry | None:
    """The entry that gives a rendered image its target, or None where kustomize has no reach.

    The raw rendered name is what an entry matches (K1).
    """
    if not is_reached(image):
        return None
    new_name = target[: name_length(target)]
    if target[len(new_name) :] != image.text[len(image.raw_name) :]:
        return None
    return ImageEntry(image.raw_name, new_name, image.hook, image.test)


def merge_entries(entries: Iterable[ImageEntry]) -> tuple[ImageEntry, ...]:
    """The entries without twins; one that is there for more than hooks or tests says so."""
    found: dict[tuple[str, str], ImageEntry] = {}
    for entry in entries:
        key = (entry.name, entry.new_name)
        twin = found.get(key, entry)
        hook_only = entry.hook_only and twin.hook_only
        found[key] = ImageEntry(*key, hook_only, entry.test_only and twin.test_only)
    return tuple(sorted(found.values()))


def patch_for(image: RenderedImage, target: str) -> Patch | None:
    """The patch that replaces the image in its string, or None in a text of several lines.

    A patch of a whole file would freeze what the chart writes into it.
    """
    return next(iter(patches_for([(image, target)])), None)


def patches_for(pairs: Iterable[tuple[RenderedImage, str]]) -> tuple[Patch, ...]:
    """The patches for images with their targets: one for all that stand in the same string."""
    found: dict[tuple[ObjectName, ValuePath], list[tuple[RenderedImage, str]]] = {}
    for image, target in pairs:
        if "\n" not in image.whole:
            found.setdefault((image.object, image.path), []).append((image, target))
    return tuple(map(_patch, found.values()))


def _patch(pairs: list[tuple[RenderedImage, str]]) -> Patch:
    image = pairs[0][0]
    spans = {(one.offset, one.offset + len(one.text)): target for one, target in pairs}
    return Patch(image.object, pointer_of(image), splice(image.whole, spans), image.hook)


def pointer_of(image: RenderedImage) -> str:
    """The JSON pointer of the string that an image stands in."""
    return "".join(f"/{_escape(str(part))}" for part in image.path)


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
