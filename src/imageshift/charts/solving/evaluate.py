"""Whether a release still delivers the same, apart from mapped names, judged by rendering.

Nothing is written that wasn't evaluated: all edits of a release together, those of the texts that
it shares with others, and those that arrive later than others (E3.2).
"""

from collections import Counter
from collections.abc import Callable, Iterable

from msgspec import Struct

from imageshift.charts.model import RenderedImage, RenderError, ValuePath, Values
from imageshift.charts.post_renderers.existing import NO_RENDERERS, PostRenderers
from imageshift.charts.rendering.compare import Difference, DifferenceClass, compare
from imageshift.charts.rendering.manifests import find_images
from imageshift.charts.rendering.markers import decoded
from imageshift.charts.rendering.render import Manifests
from imageshift.lazy import lazy_re

__all__ = ["Images", "Judge", "delivered"]

# With the signs that fill up base64.
_WORD = lazy_re(r"(?:\$\{[^{}]*\}|\$\([^()]*\)|[^\s\"'`,;()\[\]{}<>|=])+={0,2}")

Target = Callable[[str], str | None]
Images = dict[tuple[ValuePath, int], tuple[RenderedImage, str]]
"""Rendered images by their place and a number, each with its text behind all entries."""


class Judge(Struct, frozen=True):
    """Judges values by what a chart renders with them; `target` says where an image's text goes.

    `entries` are the `images:` entries behind the chart: they match the names that it renders now.
    """

    render: Callable[[Values], Manifests]
    target: Target
    entries: PostRenderers = NO_RENDERERS

    def is_wrong(self, before: Values, after: Values) -> bool:
        """Whether the second values render other than the first but for mapped images.

        What doesn't render as it is can't be judged, so nothing is wrong with it.
        """
        try:
            old = self.render(before)
        except RenderError:
            return False
        return self.differs(old, before, after)

    def differs(self, old: Manifests, before: Values, after: Values) -> bool:
        """The same, with the rendering of before at hand."""
        try:
            new = self.render(after)
        except RenderError:
            return True
        found = [item for item in compare(old, new) if not _is_moved(item, self.target)]
        if found and not _is_noise(found, compare(old, self.render(before))):
            return True
        return old != new and self._escapes(old, new)

    def _escapes(self, old: Manifests, new: Manifests) -> bool:
        """Whether an image that an entry changes becomes one that it doesn't know."""
        if not self.entries.entries:
            return False
        before, after = (delivered(some, self.entries) for some in (old, new))
        return any(
            after[key][1] not in {text, self.target(text)}
            for key, (image, text) in before.items()
            if key in after and self.entries.takes(image)
        )


def delivered(rendered: Manifests, entries: PostRenderers) -> Images:
    """The images of what a chart renders, as the entries behind it leave them.

    They are told apart by their place in templates, since names of objects may be random.
    """
    found: Images = {}
    numbers = Counter[ValuePath]()
    for image in find_images(rendered, (), {}).images:
        place = (image.template, image.object.kind, *image.path, image.offset)
        found[place, numbers[place]] = image, entries.apply(image)
        numbers[place] += 1
    return found


def _is_moved(item: Difference, target: Target) -> bool:
    """Whether a line differs by hashes, or by images under their mapped names."""
    if item.kind is DifferenceClass.HASH:
        return True
    return item.kind is DifferenceClass.TEXT and _is_mapped(item.before, item.after, target)


def _is_mapped(before: str, after: str, target: Target) -> bool:
    """Whether two texts are the same but for images under their mapped names."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    return len(old) == len(new) and all(
        one == other or target(one) == other or _is_mapped_inside(one, other, target)
        for one, other in zip(old, new, strict=True)
    )


def _is_mapped_inside(one: str, other: str, target: Target) -> bool:
    """Whether two words are base64 of such texts, as charts keep values in Secrets."""
    before, after = decoded(one), decoded(other)
    return before is not None and after is not None and _is_mapped(before, after, target)


def _is_noise(found: Iterable[Difference], again: Iterable[Difference]) -> bool:
    noise = {(item.template, item.line) for item in again}
    return all({(item.template, item.line), (item.template, 0)} & noise for item in found)
