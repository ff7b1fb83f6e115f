"""Which Jobs of a release are applied again with another image, which no cluster takes (X11, X11b).

What runs was made by the installation or by an earlier upgrade; a Job of the next one under
another name is a new Job, and one that isn't rendered any more isn't applied.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from imageshift.charts.model import ObjectName, RenderedImage, RenderError, Values
from imageshift.charts.rendering.manifests import find_images
from imageshift.charts.rendering.render import Manifests

__all__ = ["NO_JOBS", "AppliedJobs", "FixedJobs"]

_Jobs = dict[ObjectName, frozenset[str]]
_INSTALLED, _RUNNING, _NEXT = 1, 2, 3


class FixedJobs(Struct, frozen=True):
    """Jobs that are there already and come again, and the texts of their images."""

    names: frozenset[ObjectName] = frozenset()
    texts: frozenset[str] = frozenset()

    def holds(self, image: RenderedImage) -> bool:
        """Whether an image has to stay for one of them."""
        return image.object in self.names or image.text in self.texts

    def __or__(self, other: "FixedJobs") -> "FixedJobs":
        return FixedJobs(self.names | other.names, self.texts | other.texts)


NO_JOBS = FixedJobs()


class AppliedJobs(Struct):
    """The Jobs of a release; `render` gives what a revision renders with some values.

    `installed` are the images of the first rendering; without `upgrades` every other is like it.
    `is_free` says which Jobs may change.
    """

    render: Callable[[Values, int], Manifests]
    values: Values
    installed: tuple[RenderedImage, ...]
    upgrades: bool
    is_free: Callable[[RenderedImage], bool]
    _there: _Jobs | None = None

    def fixed(self, values: Values) -> FixedJobs:
        """Those that the next revision would change or only repeat, with other values.

        What an upgrade alone renders is known by the images whose texts change. A chart that
        fails as an upgrade, as those do that look for a password, has all its Jobs fixed.
        """
        there = self._known()
        later = self._rendered(values, _NEXT) if there else ()
        new = there if later is None else self._of(later)
        both = there.keys() & new.keys()
        beyond = both - {image.object for image in self.installed}
        changed = (there[name] - new[name] for name in beyond)
        return FixedJobs(frozenset(both), frozenset().union(*changed))

    def _known(self) -> _Jobs:
        """The Jobs that the installation or an upgrade has left behind."""
        if self._there is None:
            later = self._rendered(self.values, _RUNNING) if self.upgrades else ()
            self._there = self._of((*self.installed, *(later or ())))
        return self._there

    def _rendered(self, values: Values, revision: int) -> tuple[RenderedImage, ...] | None:
        """The images of a revision; None where the chart can't be upgraded without a cluster."""
        try:
            manifests = self.render(values, revision if self.upgrades else _INSTALLED)
        except RenderError:
            return None
        texts = {path: text for path, text in manifests.items() if "Job" in text}
        return find_images(texts, (), {}).images

    def _of(self, images: Iterable[RenderedImage]) -> _Jobs:
        """The texts of the Jobs among images, by object."""
        found: _Jobs = {}
        for image in images:
            if image.object.kind == "Job" and not self.is_free(image):
                found[image.object] = found.get(image.object, frozenset()) | {image.text}
        return found
