"""The overrides of one release: value edits first, then post-renderers, then what is left.

Whatever is decided is rendered again, and must be the rendering before with the mapped images
in the places of the old ones and nothing else changed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from imageshift.charts import markers
from imageshift.charts.compare import Difference, DifferenceClass, compare
from imageshift.charts.files import ChartFiles
from imageshift.charts.fills import Fill, propose_fills
from imageshift.charts.markers import Candidate
from imageshift.charts.model import (
    Field,
    Release,
    RenderedImage,
    RenderError,
    ValuePath,
    Values,
    Way,
)
from imageshift.charts.postrender import (
    ImageEntry,
    Patch,
    entry_for,
    merge_entries,
    patch_for,
)
from imageshift.charts.render import CountingRenderer, Renderer
from imageshift.charts.solve import Solution, Wish, solve
from imageshift.charts.trace import GATE, Hints, Trace, Tracer
from imageshift.charts.tracestore import TraceStore
from imageshift.charts.values import lookup, merge, place

__all__ = [
    "ImageOutcome",
    "Mapper",
    "Override",
    "Overrider",
    "ValueEdit",
    "apply_override",
    "override",
]

Mapper = Callable[[str], str | None]
"""From an image's text to its target's; None when it stays where it is."""


@dataclass(frozen=True, slots=True)
class ValueEdit:
    """One change of a release's own values: `path` gets `value`.

    `old` is what stands there now, in the release (`written`) or by default, or None. Where
    the path enters a list that the release doesn't write, the value is the list as a whole.
    """

    path: ValuePath
    value: Any
    old: Any
    written: bool


@dataclass(frozen=True, slots=True)
class ImageOutcome:
    """What becomes of one rendered image; `reason` says why it is left."""

    image: RenderedImage
    target: str | None
    way: Way
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """All that one release needs, with the proof by rendering.

    `other` are differences besides images; empty when the proof holds.
    """

    edits: tuple[ValueEdit, ...]
    entries: tuple[ImageEntry, ...]
    patches: tuple[Patch, ...]
    outcomes: tuple[ImageOutcome, ...]
    gated: bool
    renders: int
    other: tuple[Difference, ...] = ()


@dataclass(slots=True)
class Overrider:
    """Overrides releases one after the other, and keeps what helps with the next.

    `traces` is the cache on disk, where there is one; a release that is in it is only proven.
    With `allow_insecure_images` Bitnami's gate (H3) is opened; otherwise its images go to the
    post-renderers.
    """

    renderer: Renderer
    traces: TraceStore | None = None
    allow_insecure_images: bool = False
    _hints: dict[str, Hints] = field(default_factory=dict)

    def override(self, chart: ChartFiles, release: Release, mapper: Mapper) -> Override:
        """The overrides after which every rendered image is its mapped one, proven by rendering.

        Raises:
            RenderError: the release doesn't render as it is.
        """
        chart = chart.with_values_files(release.values_files)
        hints = self._hints.setdefault(chart.digest, Hints())
        counting = CountingRenderer(self.renderer)
        tracer = Tracer(chart, release.values, release.options, counting, hints)
        return _Work(tracer, release, mapper, self.traces, self.allow_insecure_images).run()


def override(
    chart: ChartFiles, release: Release, mapper: Mapper, *, renderer: Renderer
) -> Override:
    """The overrides of one release alone.

    Raises:
        RenderError: the release doesn't render as it is.
    """
    return Overrider(renderer).override(chart, release, mapper)


@dataclass(slots=True)
class _Work:
    """One release on its way through trace, search and proof."""

    tracer: Tracer
    release: Release
    mapper: Mapper
    traces: TraceStore | None
    allow_insecure: bool

    def run(self) -> Override:
        known = None if self.traces is None else self.traces.get(self.tracer)
        trace = known or self.tracer.trace()
        solution = self._solve(trace)
        if solution.unreached and known is None:
            trace, solution = self._widen(trace, solution)
        if self.traces is not None and known is None:
            self.traces.keep(self.tracer, trace)
        changes, other = self._proven(trace, solution.changes)
        return self._finish(trace, changes, other)

    def _solve(self, trace: Trace) -> Solution:
        wishes = [Wish(image, self.mapper(image.text) or image.text) for image in trace.images]
        pinned = trace.leaks if self.allow_insecure else trace.leaks | trace.gated
        return solve(wishes, pinned)

    def _widen(self, trace: Trace, solution: Solution) -> tuple[Trace, Solution]:
        """The trace with more leaves in play, when that reaches more images."""
        missed = [wish.image for wish in solution.unreached if not _is_gated(wish, trace)]
        if not missed:
            return trace, solution
        names = {image.raw_name for image in missed}
        best = trace, solution
        if self.tracer.has_more(trace, names):
            best = self._better(*best, self._try_trace(trace.fills, names))
        fills = propose_fills({_key(i): i for i in missed}.values(), best[0].values)
        for fill in fills:
            if not best[1].unreached:
                break
            merged = {**best[0].fills, **fill}
            best = self._better(*best, self._try_trace(merged, names))
        return best

    def _try_trace(self, fills: Fill, names: Iterable[str]) -> Trace | None:
        try:
            return self.tracer.trace(fills, names, sift=not fills)
        except RenderError:
            return None

    def _better(
        self, trace: Trace, solution: Solution, other: Trace | None
    ) -> tuple[Trace, Solution]:
        if other is None:
            return trace, solution
        found = self._solve(other)
        if len(found.unreached) < len(solution.unreached):
            return other, found
        return trace, solution

    def _proven(
        self, trace: Trace, changes: Mapping[Candidate, str]
    ) -> tuple[dict[Candidate, str], tuple[Difference, ...]]:
        """The changes that rendering confirms, and what else differs with them."""
        whole = self._check(trace, changes)
        if not whole:
            return dict(changes), ()
        kept: dict[Candidate, str] = {}
        for leaf, text in changes.items():
            if not self._check(trace, {**kept, leaf: text}):
                kept[leaf] = text
        return kept, ()

    def _check(self, trace: Trace, changes: Mapping[Candidate, str]) -> list[Difference]:
        """What differs between the rendering with the changes and what the marks foretell."""
        if not changes:
            return []
        edits = self._edits(trace, changes)
        try:
            after = self.tracer.render(self._overlay(edits), schemas=True)
        except RenderError as error:
            return [Difference("", 0, "", str(error), DifferenceClass.SHAPE)]
        numbers = {item: number for number, item in enumerate(trace.candidates)}
        new = {numbers[item]: (trace.text_of(item), text) for item, text in changes.items()}
        foretold = {
            template: markers.replace_marked(text, new) for template, text in trace.marked.items()
        }
        return self._unexplained(compare(foretold, after), trace.unsteady)

    def _overlay(self, edits: Iterable[ValueEdit]) -> dict[str, Any]:
        return place(self.release.values, {edit.path: edit.value for edit in edits})

    def _unexplained(
        self, differences: list[Difference], unsteady: frozenset[tuple[str, int]]
    ) -> list[Difference]:
        """Without the lines that differed under marks alone, or by themselves."""
        found = [item for item in differences if (item.template, item.line) not in unsteady]
        return [item for item in found if not self.tracer.is_noise(item)] if found else []

    def _edits(self, trace: Trace, changes: Mapping[Candidate, str]) -> tuple[ValueEdit, ...]:
        parts: dict[ValuePath, dict[tuple[int, int], str]] = {}
        for item, text in changes.items():
            parts.setdefault(item.leaf, {})[item.start, item.end] = text
        texts: dict[ValuePath, Any] = {
            leaf: markers.splice(lookup(trace.values, leaf), spans) for leaf, spans in parts.items()
        }
        if trace.gated & changes.keys():
            texts[GATE] = True
        edits = _edits(texts, self.release.values, trace.values)
        return tuple(
            replace(edit, old=None) if edit.path in trace.fills else edit for edit in edits
        )

    def _finish(
        self, trace: Trace, changes: Mapping[Candidate, str], other: tuple[Difference, ...]
    ) -> Override:
        reached = _reached(changes)
        outcomes: list[ImageOutcome] = []
        entries: list[ImageEntry] = []
        patches: list[Patch] = []
        for image in trace.images:
            target = self.mapper(image.text)
            if target is None or target == image.text:
                outcomes.append(ImageOutcome(image, None, Way.UNCHANGED))
            elif reached(image) == target:
                outcomes.append(ImageOutcome(image, target, Way.VALUES))
            elif (entry := entry_for(image, target)) is not None:
                entries.append(entry)
                outcomes.append(ImageOutcome(image, target, Way.POST_RENDERER))
            elif (patch := patch_for(image, target)) is not None:
                patches.append(patch)
                outcomes.append(ImageOutcome(image, target, Way.PATCH))
            else:
                outcomes.append(ImageOutcome(image, target, Way.LEFT, _why_left(image)))
        return Override(
            edits=self._edits(trace, changes) if changes else (),
            entries=merge_entries(entries),
            patches=tuple(patches),
            outcomes=tuple(outcomes),
            gated=bool(trace.gated),
            renders=self.tracer.renderer.count,
            other=other,
        )


def _reached(changes: Mapping[Candidate, str]) -> Callable[[RenderedImage], str]:
    """A function that gives an image's text after the changes."""

    def after(image: RenderedImage) -> str:
        parts = {
            (segment.start, segment.end): changes[item]
            for segment in image.segments
            if (item := Candidate(segment.leaf, *segment.inner)) in changes
        }
        return markers.splice(image.text, parts)

    return after


def _why_left(image: RenderedImage) -> str:
    if image.field is Field.EMBEDDED:
        return "it stands in a text of several lines that no value of its own reaches"
    return "neither a value nor a post-renderer reaches it"


def _is_gated(wish: Wish, trace: Trace) -> bool:
    leaves = {Candidate(segment.leaf, *segment.inner) for segment in wish.image.segments}
    return bool(leaves & trace.gated)


def _key(image: RenderedImage) -> tuple[str, tuple[ValuePath, ...]]:
    return image.raw_name, tuple(segment.leaf for segment in image.segments)


def _edits(texts: Mapping[ValuePath, Any], own: Values, merged: Values) -> tuple[ValueEdit, ...]:
    """The edits; lists that the release doesn't write itself are set as a whole."""
    found: dict[ValuePath, ValueEdit] = {}
    for path, text in sorted(texts.items(), key=str):
        whole = _list_start(path, own)
        if whole is None:
            written = lookup(own, path) is not None
            found[path] = ValueEdit(path, text, lookup(merged, path), written)
        else:
            inside = {key: value for key, value in texts.items() if key[: len(whole)] == whole}
            value = lookup(place(merged, inside), whole)
            found[whole] = ValueEdit(whole, value, lookup(merged, whole), written=False)
    return tuple(found.values())


def _list_start(path: ValuePath, own: Values) -> ValuePath | None:
    """The path of the outermost list on the way that the release doesn't write."""
    for index, part in enumerate(path):
        if isinstance(part, int) and not isinstance(lookup(own, path[:index]), list):
            return path[:index]
    return None


def apply_override(own: Values, result: Override) -> dict[str, Any]:
    """A release's values with the edits in them."""
    return merge(own, place(own, {edit.path: edit.value for edit in result.edits}))
