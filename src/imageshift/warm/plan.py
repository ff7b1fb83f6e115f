"""Which tags are to be pulled, and which digests should then be there."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from imageshift.aws.used import UsedImage
from imageshift.reference import ImageReference

__all__ = ["Pin", "Pull", "WarmPlan", "has_variable", "plan_warm"]


class Pin(Struct, frozen=True):
    """A digest that some place asks for at the target; `upstream` is where it comes from."""

    target: ImageReference
    upstream: ImageReference
    places: tuple[str, ...]


class Pull(Struct, frozen=True):
    """One tag to pull from the target, and the digests that places pin it to."""

    target: ImageReference
    upstream: ImageReference
    places: tuple[str, ...]
    pins: tuple[Pin, ...] = ()


class WarmPlan(Struct, frozen=True):
    """The pulls, each image once; pins without a tag; and images whose tag is a variable."""

    pulls: tuple[Pull, ...]
    untagged: tuple[Pin, ...] = ()
    variable: tuple[UsedImage, ...] = ()

    @property
    def pins(self) -> tuple[Pin, ...]:
        """Every digest that is asked for at the target."""
        return (*(pin for pull in self.pulls for pin in pull.pins), *self.untagged)


def plan_warm(used: Iterable[UsedImage]) -> WarmPlan:
    """The pulls that warm the cache for the images in use, sorted by their target."""
    tagged: dict[ImageReference, list[UsedImage]] = {}
    untagged: dict[ImageReference, list[UsedImage]] = {}
    variable = []
    for image in used:
        target = image.target
        if target is None:
            continue
        if has_variable(target.identifier):
            variable.append(image)
        elif target.tag is None and target.digest is not None:
            untagged.setdefault(target, []).append(image)
        else:
            key = replace(target, tag=target.tag or "latest", digest=None)
            tagged.setdefault(key, []).append(image)
    return WarmPlan(
        tuple(_pull(target, tagged[target]) for target in sorted(tagged, key=str)),
        tuple(_pin(target, untagged[target]) for target in sorted(untagged, key=str)),
        tuple(variable),
    )


def has_variable(text: str) -> bool:
    """Whether a reference, or a part of one, holds a variable or a template."""
    return any(mark in text for mark in ("$", "{{", "<<"))


def _pull(target: ImageReference, images: list[UsedImage]) -> Pull:
    pinned: dict[ImageReference, list[UsedImage]] = {}
    for image in images:
        if image.target is not None and image.target.digest is not None:
            by_digest = replace(target, tag=None, digest=image.target.digest)
            pinned.setdefault(by_digest, []).append(image)
    upstream = replace(images[0].upstream, tag=target.tag, digest=None)
    pins = tuple(_pin(one, pinned[one]) for one in sorted(pinned, key=str))
    return Pull(target, upstream, _places(images), pins)


def _pin(target: ImageReference, images: list[UsedImage]) -> Pin:
    return Pin(target, replace(images[0].upstream, tag=None), _places(images))


def _places(images: list[UsedImage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(place for image in images for place in image.places))
