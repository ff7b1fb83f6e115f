"""The smallest values that move a chart's images, each with the images that it moves."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import Release, RenderedImage, ValuePath, Values, Way
from imageshift.charts.releases.edits import ValueEdit, pins_version
from imageshift.charts.releases.writing import post_renderers
from imageshift.charts.rendering.trace import GATE
from imageshift.charts.solving.override import ImageOutcome, Override, Overrider
from imageshift.charts.values import place
from imageshift.mapper import Mapper, text_target

__all__ = ["ChartValues", "Left", "find_values"]

_GATE = "lets the chart use images from other registries"
_GATED = "the chart rejects other registries unless --allow-insecure-images is given"
_BEHIND = "only a post-renderer reaches it"


class Left(Struct, frozen=True, order=True):
    """An image that values don't move; `why` says the reason, `objects` what runs it."""

    image: str
    objects: str
    why: str


class ChartValues(Struct, frozen=True, kw_only=True):
    """What moves a chart's images.

    `values` lie over the user's own in `release`; `notes` say, by the path of a value, what it
    moves. `renderers` are post-renderers for what values don't reach, those of `left` that have
    a rule; `moved` counts different images. `frozen` and `frozen_behind` are values, and fields
    that post-renderers set, which now have a tag or digest that so far came with the chart.
    """

    chart: ChartFiles
    release: Release
    values: Values
    notes: Mapping[ValuePath, tuple[str, ...]]
    left: tuple[Left, ...]
    unmoved: tuple[Left, ...]
    renderers: tuple[Values, ...]
    moved: int
    frozen: tuple[str, ...]
    frozen_behind: tuple[str, ...]

    @property
    def title(self) -> str:
        """The chart's name and version."""
        return self.chart.title


def find_values(
    chart: ChartFiles, release: Release, mapper: Mapper, overrider: Overrider
) -> ChartValues:
    """The values for one chart.

    Raises:
        RenderError: the chart doesn't render with the values that the release has.
    """
    found = overrider.override(chart, release, text_target(mapper))
    entries, patches = ((), ()) if found.clash else (found.entries, found.patches)
    by_values = _of(found.outcomes, Way.VALUES)
    return ChartValues(
        chart=chart,
        release=release,
        values=place(release.values, {edit.path: edit.value for edit in found.edits}),
        notes={edit.path: _note(edit, by_values) for edit in found.edits},
        left=_lines(
            _of(found.outcomes, Way.POST_RENDERER, Way.PATCH, Way.LEFT),
            lambda outcome: _why_left(outcome, found),
        ),
        unmoved=_lines(
            (one for one in _of(found.outcomes, Way.UNCHANGED) if one.target is None),
            lambda outcome: _why_unmoved(outcome.image.text, mapper),
        ),
        renderers=post_renderers(entries, patches),
        moved=len({outcome.image.text for outcome in by_values}),
        frozen=tuple(".".join(map(str, edit.path)) for edit in found.edits if _freezes(edit)),
        frozen_behind=tuple(each.pointer for each in patches if pins_version(each.value)),
    )


def _freezes(edit: ValueEdit) -> bool:
    """Whether a value that the user doesn't set yet has a version in it."""
    return not edit.written and pins_version(edit.value)


def _of(outcomes: Iterable[ImageOutcome], *ways: Way) -> list[ImageOutcome]:
    return [outcome for outcome in outcomes if outcome.way in ways]


def _note(edit: ValueEdit, outcomes: Iterable[ImageOutcome]) -> tuple[str, ...]:
    if edit.path == GATE:
        return (_GATE,)
    images = [each.image for each in outcomes if _comes_from(each.image, edit.path)]
    texts = dict.fromkeys(image.text for image in images)
    return tuple(f"{text} ({_objects(i for i in images if i.text == text)})" for text in texts)


def _comes_from(image: RenderedImage, path: ValuePath) -> bool:
    return any(segment.leaf[: len(path)] == path for segment in image.segments)


def _lines(
    outcomes: Iterable[ImageOutcome], why: Callable[[ImageOutcome], str]
) -> tuple[Left, ...]:
    found: dict[tuple[str, str], list[RenderedImage]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.image.text, why(outcome)), []).append(outcome.image)
    return tuple(sorted(Left(text, _objects(i), reason) for (text, reason), i in found.items()))


def _objects(images: Iterable[RenderedImage]) -> str:
    return ", ".join(dict.fromkeys(str(image.object) for image in images))


def _why_left(outcome: ImageOutcome, found: Override) -> str:
    if outcome.way is Way.LEFT and str(GATE[-1]) not in outcome.reason:
        return outcome.reason
    if found.gated:
        return _GATED
    if found.clash:
        return f"{_BEHIND}, and kustomize rejects what the chart renders: {found.clash}"
    return _BEHIND


def _why_unmoved(text: str, mapper: Mapper) -> str:
    outcome: Any = mapper.map(mapper.parse(text))
    return str(getattr(outcome, "detail", None) or "it comes from the cache already")
