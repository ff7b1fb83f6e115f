"""The overrides of one release: value edits first, then post-renderers, then what is left.

Whatever is decided is rendered again, and must be the rendering before with the mapped images
in the places of the old ones and nothing else changed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import (
    Field,
    Release,
    RenderedImage,
    RenderError,
    ValuePath,
    Way,
)
from imageshift.charts.post_renderers.existing import NO_RENDERERS, EntryEdit, PostRenderers
from imageshift.charts.post_renderers.postrender import (
    ImageEntry,
    Patch,
    entry_for,
    merge_entries,
    patch_for,
    patches_for,
)
from imageshift.charts.releases.edits import ValueEdit, plan_edits
from imageshift.charts.rendering import markers
from imageshift.charts.rendering.compare import Difference, DifferenceClass, compare
from imageshift.charts.rendering.fills import Fill, join_fills, propose_fills
from imageshift.charts.rendering.manifests import clash, split_manifest, unbuildable
from imageshift.charts.rendering.markers import Candidate
from imageshift.charts.rendering.render import CountingRenderer, Renderer
from imageshift.charts.rendering.trace import GATE, Finding, Hints, Trace, Tracer
from imageshift.charts.rendering.tracestore import TraceStore
from imageshift.charts.solving.solve import Solution, Wish, solve
from imageshift.charts.values import lookup, place
from imageshift.errors import SourceError

__all__ = [
    "ONLY_KUSTOMIZE",
    "ImageOutcome",
    "Mapper",
    "Override",
    "Overrider",
    "override",
]

ONLY_KUSTOMIZE = "an entry of its post-renderers has a name that only kustomize can read"
_ONLY_NEWER = "only newer versions of kustomize match it with an entry of its post-renderers"
_MOST_TRIES = 4

Mapper = Callable[[str], str | None]
"""From an image's text to its target's; None when it stays where it is."""


class ImageOutcome(Struct, frozen=True):
    """What happens to one rendered image; `reason` says why it is left.

    `target` is what runs in the end, after existing post-renderers too; None for an image that
    stays because it has no rule, or is there already. `elsewhere` says that only another build of
    the release renders it.
    """

    image: RenderedImage
    target: str | None
    way: Way
    reason: str = ""
    elsewhere: bool = False


class Override(Struct, frozen=True, kw_only=True):
    """All that one release needs: proven by rendering, as far as values go.

    `entries` are new items for the post-renderers' images, `entry_edits` changes of those that
    are there already. What values can't do without another change of the rendering isn't among
    the edits. `clash` says why kustomize rejects what the chart renders.
    """

    edits: tuple[ValueEdit, ...]
    entries: tuple[ImageEntry, ...]
    entry_edits: tuple[EntryEdit, ...]
    patches: tuple[Patch, ...]
    outcomes: tuple[ImageOutcome, ...]
    gated: bool
    renders: int
    clash: str | None = None


class Overrider(Struct):
    """Overrides releases one after the other, and keeps what helps with the next.

    `traces` is the cache on disk, where there is one; a release that is in it is only proven.
    With `allow_insecure_images` Bitnami's gate (H3) is opened; otherwise its images go to the
    post-renderers.
    """

    renderer: Renderer
    traces: TraceStore | None = None
    allow_insecure_images: bool = False
    _hints: dict[str, Hints] = field(default_factory=dict)

    def override(
        self,
        chart: ChartFiles,
        release: Release,
        mapper: Mapper,
        held: PostRenderers = NO_RENDERERS,
    ) -> Override:
        """The overrides after which every rendered image is its mapped one, proven by rendering.

        What `held` matches, the entries of another build, goes on being rendered as it is.

        Raises:
            RenderError: the release doesn't render as it is.
        """
        chart = chart.for_release(release)
        hints = self._hints.setdefault(chart.digest, Hints())
        counting = CountingRenderer(self.renderer)
        tracer = Tracer(chart, release.values, release.options, counting, hints)
        existing = PostRenderers.read(release.post_renderers)
        insecure = self.allow_insecure_images
        return _Work(tracer, release, mapper, self.traces, insecure, existing, held).run()


def override(
    chart: ChartFiles, release: Release, mapper: Mapper, *, renderer: Renderer
) -> Override:
    """The overrides of one release alone.

    Raises:
        RenderError: the release doesn't render as it is.
    """
    return Overrider(renderer).override(chart, release, mapper)


class _Work(Struct):
    """One release on its way through trace, search and proof."""

    tracer: Tracer
    release: Release
    mapper: Mapper
    traces: TraceStore | None
    allow_insecure: bool
    existing: PostRenderers
    held: PostRenderers

    def run(self) -> Override:
        found = None if self.traces is None else self._recall(self.traces)
        if found is not None:
            return self._finish(*found)
        trace = self.tracer.trace()
        solution = self._solve(trace)
        if solution.unreached:
            trace, solution = self._widen(trace, solution)
        changes, pinned = self._proven(trace, solution)
        if self.traces is not None:
            self._keep(self.traces, trace, changes, pinned)
        return self._finish(trace, changes)

    def _recall(self, traces: TraceStore) -> tuple[Trace, Mapping[Candidate, str]] | None:
        """The trace and changes of an earlier run, when this one wants the same."""
        finding = traces.get(self.tracer)
        if finding is None:
            return None
        try:
            trace = self.tracer.recall(finding)
        except RenderError:
            return None
        changes = self._solve(trace, finding.pinned).changes
        same = self._digest(traces, trace, changes) == finding.proven
        return (trace, changes) if same else None

    def _keep(
        self,
        traces: TraceStore,
        trace: Trace,
        changes: Mapping[Candidate, str],
        pinned: Collection[Candidate],
    ) -> None:
        finding = Finding(
            candidates=trace.candidates,
            refused=trace.refused,
            gated=trace.gated,
            pinned=frozenset(pinned),
            fills=trace.fills,
            proven=self._digest(traces, trace, changes),
        )
        traces.keep(self.tracer, finding)

    def _digest(self, traces: TraceStore, trace: Trace, changes: Mapping[Candidate, str]) -> bytes:
        """What stands for all that the images and the rules, by their answers, decide here."""
        wanted = sorted({(image.text, self._wanted(image)) for image in trace.images})
        made = [(item.leaf, item.start, item.end, text) for item, text in changes.items()]
        return traces.digest([self.allow_insecure, wanted, sorted(made, key=repr)])

    def _solve(self, trace: Trace, pinned: Collection[Candidate] = ()) -> Solution:
        fixed = {*pinned, *trace.leaks}
        if not self.allow_insecure:
            fixed |= trace.gated
        return solve([Wish(image, self._wanted(image)) for image in trace.images], fixed)

    def _wanted(self, image: RenderedImage) -> str:
        """The text that the chart should render; an existing entry needs the one that is there."""
        target = self.mapper(image.text)
        stays = self.existing.takes(image) or self.held.takes(image)
        if stays or target is None or self.existing.changes_in_newer(image, target):
            return image.text
        return target

    def _widen(self, trace: Trace, solution: Solution) -> tuple[Trace, Solution]:
        """The trace with more leaves in play, when that reaches more images."""
        missed = [wish.image for wish in solution.unreached if not _is_gated(wish, trace)]
        if not missed:
            return trace, solution
        names = {image.raw_name for image in missed}
        best = trace, solution
        if self.tracer.has_more(trace, names):
            best = self._better(*best, self._try_trace(trace.fills, names))
        for fills in propose_fills({_key(i): i for i in missed}.values(), best[0].values):
            best = self._fill(*best, fills, names)
        return best

    def _fill(
        self, trace: Trace, solution: Solution, fills: Sequence[Fill], names: Collection[str]
    ) -> tuple[Trace, Solution]:
        """The better trace with some of the guesses: all together, else one by one."""
        best = trace, solution
        joined = join_fills(fills)
        if len(fills) > 1 and solution.unreached:
            tried = self._try_trace({**trace.fills, **joined}, names)
            best = self._better(*best, tried)
            if tried is not None:
                fills = [fill for fill in fills if not fill.items() <= joined.items()]
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
        self, trace: Trace, solution: Solution
    ) -> tuple[Mapping[Candidate, str], Collection[Candidate]]:
        """The changes that rendering confirms, and the leaves pinned as they change more."""
        pinned: set[Candidate] = set()
        for _ in range(_MOST_TRIES):
            changes = solution.changes
            if not self._check(trace, changes):
                return changes, pinned
            guilty = {item for item in changes if self._check(trace, {item: changes[item]})}
            pinned |= guilty or set(changes)
            solution = self._solve(trace, pinned)
        return {}, trace.candidates

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
        edits = plan_edits(texts, self.release.values, trace.values)
        return tuple(
            replace(edit, old=None) if edit.path in trace.fills else edit for edit in edits
        )

    def _finish(self, trace: Trace, changes: Mapping[Candidate, str]) -> Override:
        reached = _reached(changes)
        sorter = _Sorter(self.mapper, self.existing, trace)
        for image in trace.images:
            sorter.add(image, reached(image))
        entries, patches = merge_entries(sorter.entries), patches_for(sorter.patched)
        return Override(
            edits=self._edits(trace, changes) if changes else (),
            entries=entries,
            entry_edits=tuple(dict.fromkeys(sorter.entry_edits)),
            patches=patches,
            outcomes=tuple(sorter.outcomes),
            gated=bool(trace.gated),
            renders=self.tracer.renderer.count,
            clash=clash(trace.marked) or _unbuildable(trace, entries, patches),
        )


class _Sorter(Struct):
    """Says of each image how it gets to its target, and collects what that takes."""

    mapper: Mapper
    existing: PostRenderers
    trace: Trace
    outcomes: list[ImageOutcome] = field(default_factory=list)
    entries: list[ImageEntry] = field(default_factory=list)
    entry_edits: list[EntryEdit] = field(default_factory=list)
    patched: list[tuple[RenderedImage, str]] = field(default_factory=list)

    def add(self, image: RenderedImage, after: str) -> None:
        """Sort in one image whose text is `after` once the values have changed."""
        final = self.existing.apply(image)
        target = self.mapper(final)
        way, reason = Way.UNCHANGED, ""
        if target is None or target == final:
            target = None
        elif self.existing.changes_in_newer(image, target):
            way, reason = Way.LEFT, _ONLY_NEWER
        elif self.existing.takes(image):
            way, reason = self._by_existing(image, target)
        elif after == target:
            way = Way.VALUES
        else:
            way, reason = self._by_new(image, target)
        self.outcomes.append(ImageOutcome(image, target, way, reason))

    def _by_existing(self, image: RenderedImage, target: str) -> tuple[Way, str]:
        edit = self.existing.edit_for(image, target)
        if edit is None:
            return Way.LEFT, ONLY_KUSTOMIZE
        self.entry_edits.append(edit)
        return Way.POST_RENDERER, ""

    def _by_new(self, image: RenderedImage, target: str) -> tuple[Way, str]:
        entry = entry_for(image, target)
        if entry is not None:
            self.entries.append(entry)
            return Way.POST_RENDERER, ""
        if patch_for(image, target) is not None:
            self.patched.append((image, target))
            return Way.PATCH, ""
        return Way.LEFT, _why_left(image, self.trace)


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


def _unbuildable(
    trace: Trace, entries: Collection[ImageEntry], patches: Collection[Patch]
) -> str | None:
    """Why kustomize can't build the chart, which is asked only where something needs it."""
    if not entries and not patches:
        return None
    parts = (part for text in trace.marked.values() for part in split_manifest(text))
    try:
        return unbuildable((markers.read_marks(p)[0] for p in parts), images=bool(entries))
    except SourceError as error:
        return f"invalid YAML: {error}"


def _why_left(image: RenderedImage, trace: Trace) -> str:
    if _leaves(image) & trace.gated:
        return (
            f"the chart rejects other registries in its values unless {'.'.join(map(str, GATE))} "
            "is set"
        )
    if image.field is Field.EMBEDDED:
        return "it is part of a longer text, and no value sets just this part"
    return "neither a value nor a post-renderer reaches it"


def _leaves(image: RenderedImage) -> set[Candidate]:
    return {Candidate(segment.leaf, *segment.inner) for segment in image.segments}


def _is_gated(wish: Wish, trace: Trace) -> bool:
    return bool(_leaves(wish.image) & trace.gated)


def _key(image: RenderedImage) -> tuple[str, tuple[ValuePath, ...]]:
    return image.raw_name, tuple(segment.leaf for segment in image.segments)
