"""Which value leaf makes which rendered image, found out by rendering (H6).

One rendering with marks before all leaves that could matter answers for all of them, as long
as it is the plain rendering once the marks are taken out. Leaves that Helm looks at (a schema,
a comparison, a parser) are found by halving and left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from imageshift.charts import markers
from imageshift.charts.compare import Difference, DifferenceClass, compare
from imageshift.charts.files import ChartFiles
from imageshift.charts.manifests import find_images
from imageshift.charts.markers import Candidate
from imageshift.charts.model import (
    ChartError,
    RenderedImage,
    RenderError,
    RenderOptions,
    ValuePath,
    Values,
)
from imageshift.charts.render import CountingRenderer, Manifests, Renderer
from imageshift.charts.values import lookup, merge, place

__all__ = ["GATE", "Trace", "Tracer"]

GATE: ValuePath = ("global", "security", "allowInsecureImages")
"""The value that opens Bitnami's gate against foreign images (H3)."""

_GATE_WORD = "allowInsecureImages"
_NETWORK_WORD = "failing loading"
_MOST_RENDERS = 40
_MOST_GATES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one release renders to and where its images come from.

    `marked` are the templates that differ from `base` by marks; `leaks` are leaves that also
    reach something that isn't an image; `refused` are leaves that can't be marked, `gated` those
    that Bitnami's gate guards; `unsteady` are the lines (template, number) that change from one rendering to the next, or that follow
    from the marked ones, as checksums do.
    """

    images: tuple[RenderedImage, ...]
    base: Manifests
    marked: Manifests
    values: Values
    fills: Mapping[ValuePath, str]
    candidates: tuple[Candidate, ...]
    leaks: frozenset[Candidate] = frozenset()
    refused: frozenset[Candidate] = frozenset()
    gated: frozenset[Candidate] = frozenset()
    unsteady: frozenset[tuple[str, int]] = frozenset()

    def text_of(self, candidate: Candidate) -> str:
        """The candidate's own text in the values."""
        text: str = lookup(self.values, candidate.leaf)
        return text[candidate.start : candidate.end]


@dataclass(slots=True)
class Tracer:
    """Traces one release: its chart, own values and options, with one renderer.

    The plain rendering, and what one trace learns about the chart (leaves that can't be marked,
    the gate), are kept for the next.
    """

    chart: ChartFiles
    values: Values
    options: RenderOptions
    renderer: CountingRenderer
    refused: set[Candidate] = field(default_factory=set)
    gated: set[Candidate] = field(default_factory=set)
    schemas: bool = True
    _base: Manifests | None = None
    _noise: frozenset[tuple[str, int]] | None = None

    @classmethod
    def of(
        cls, chart: ChartFiles, values: Values, options: RenderOptions, renderer: Renderer
    ) -> "Tracer":
        """A tracer with a count of renderings."""
        return cls(chart, values, options, CountingRenderer(renderer))

    def base(self) -> Manifests:
        """The plain rendering, with the chart's schema in force.

        Raises:
            RenderError: the release doesn't render as it is.
        """
        if self._base is None:
            if markers.collides(self.values):
                raise ChartError("the values hold words that look like imageshift's own marks")
            self._base = self._first()
        return self._base

    def _first(self) -> Manifests:
        try:
            return self.render({}, schemas=True)
        except RenderError as error:
            if _NETWORK_WORD not in str(error):
                raise
            # A schema that refers to files on the network can't be checked offline (H8e).
            self.schemas = False
            return self.render({})

    def render(self, overlay: Values, *, schemas: bool = False) -> Manifests:
        """The rendering with an overlay on the release's own values.

        Raises:
            RenderError: Helm refuses.
        """
        values = merge(self.values, overlay)
        schemas = schemas and self.schemas
        return self.renderer.render(self.chart, values, self.options, schemas=schemas)

    def trace(
        self,
        fills: Mapping[ValuePath, str] | None = None,
        named: Iterable[str] = (),
        *,
        sift: bool = True,
    ) -> Trace:
        """The trace, with the values in `fills` set besides the release's own.

        `named` are image names: leaves whose text is a part of one are marked too. Without
        `sift` the marks must do together.

        Raises:
            RenderError: the release doesn't render as it is; or, without `sift`, not with
                the fills and marks, or not the same.
        """
        base = self.base()
        fills = fills or {}
        merged = merge(self.chart.defaults, self.values)
        merged = merge(merged, place(merged, fills))
        found = [*markers.find_candidates(merged), *markers.find_named(merged, named)]
        candidates = tuple(dict.fromkeys(item for item in found if item not in self.refused))
        chosen, marked, unsteady = self._mark(base, candidates, merged, fills, sift=sift)
        result = find_images(
            marked, candidates, {c: lookup(merged, c.leaf)[c.start : c.end] for c in chosen}
        )
        return Trace(
            images=result.images,
            base=base,
            marked=marked,
            values=merged,
            fills=dict(fills),
            candidates=candidates,
            leaks=result.leaks,
            refused=frozenset(self.refused),
            gated=frozenset(self.gated),
            unsteady=unsteady,
        )

    def _mark(
        self,
        base: Manifests,
        candidates: tuple[Candidate, ...],
        merged: Values,
        fills: Mapping[ValuePath, str],
        *,
        sift: bool,
    ) -> tuple[list[Candidate], Manifests, frozenset[tuple[str, int]]]:
        """The candidates that could be marked, the rendering, and its unsteady lines."""
        numbered = dict(enumerate(candidates))
        answer = self._try(base, numbered, merged, fills)
        if answer is None and not sift:
            raise RenderError("the fills or marks change more than text")
        if answer is None:
            kept = self._sift(base, numbered, merged, fills)
            self.refused |= set(candidates) - {numbered[number] for number in kept}
            numbered = {number: numbered[number] for number in kept}
            answer = self._try(base, numbered, merged, fills)
        if answer is None:
            self.refused |= set(candidates)
            return [], base, frozenset()
        return list(numbered.values()), *answer

    def _try(
        self,
        base: Manifests,
        numbered: Mapping[int, Candidate],
        merged: Values,
        fills: Mapping[ValuePath, str],
    ) -> tuple[Manifests, frozenset[tuple[str, int]]] | None:
        """The marked rendering and its unsteady lines; None when marks change more than text."""
        try:
            marked = self._render_marked(numbered, merged, fills)
        except RenderError:
            return None
        unsteady = self._steady(base, {key: markers.strip(text) for key, text in marked.items()})
        return None if unsteady is None else (marked, unsteady)

    def _render_marked(
        self, numbered: Mapping[int, Candidate], merged: Values, fills: Mapping[ValuePath, str]
    ) -> Manifests:
        """The rendering with marks, Bitnami's gate opened when it is in the way."""
        overlay = place(merged, {**fills, **markers.mark(numbered, merged)})
        opened = merge(overlay, place({}, {GATE: True}))
        if self.gated:
            return self.render(opened)
        try:
            return self.render(overlay)
        except RenderError as error:
            if _GATE_WORD not in str(error):
                raise
            self._learn_gate(str(error), numbered, merged)
            return self.render(opened)

    def _learn_gate(self, message: str, numbered: Mapping[int, Candidate], merged: Values) -> None:
        """Find the leaves that the gate guards: its message names the images, marks and all.

        Each chart of an umbrella has a gate of its own, so the rest is tried again.
        """
        open_numbers = dict(numbered)
        for _ in range(_MOST_GATES):
            named = {number for _, number in markers.read_marks(message)[1]} & open_numbers.keys()
            if not named:
                break
            self.gated |= {open_numbers.pop(number) for number in named}
            try:
                if open_numbers:
                    self.render(place(merged, markers.mark(open_numbers, merged)))
                return
            except RenderError as error:
                message = str(error) if _GATE_WORD in str(error) else ""
        self.gated |= set(open_numbers.values())

    def _steady(self, base: Manifests, plain: Manifests) -> frozenset[tuple[str, int]] | None:
        """The lines that may differ: hashes and what is random by itself; None for any other."""
        differences = compare(base, plain)
        found = [item for item in differences if item.kind is not DifferenceClass.RANDOM]
        if not all(self.is_noise(item) for item in found):
            return None
        return frozenset((item.template, item.line) for item in differences)

    def noise(self) -> frozenset[tuple[str, int]]:
        """The lines (0: the template as a whole) in which two plain renderings differ (H8d)."""
        if self._noise is None:
            again = compare(self.base(), self.render({}))
            self._noise = frozenset((item.template, item.line) for item in again)
        return self._noise

    def is_noise(self, difference: Difference) -> bool:
        """Whether two plain renderings differ there too."""
        noise = self.noise()
        template = difference.template
        return (template, difference.line) in noise or (template, 0) in noise

    def _sift(
        self,
        base: Manifests,
        numbered: Mapping[int, Candidate],
        merged: Values,
        fills: Mapping[ValuePath, str],
    ) -> set[int]:
        """The candidates that can be marked, by halving those that can't be marked together."""
        kept: set[int] = set()
        waiting = [sorted(numbered)]
        start = self.renderer.count
        while waiting and self.renderer.count - start < _MOST_RENDERS:
            group = waiting.pop()
            marks = {number: numbered[number] for number in group}
            if self._try(base, marks, merged, fills) is not None:
                kept |= set(group)
            elif len(group) > 1:
                middle = len(group) // 2
                waiting += [group[middle:], group[:middle]]
        return kept
