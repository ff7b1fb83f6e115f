"""Which value leaf makes which rendered image, found out by rendering (H6).

One rendering with marks before all leaves that could matter answers for all of them, as long
as it is the plain rendering once the marks are taken out. Leaves that Helm looks at (a schema,
a comparison, a parser) are found by halving and left out.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import (
    ChartError,
    RenderedImage,
    RenderError,
    RenderOptions,
    ValuePath,
    Values,
)
from imageshift.charts.rendering import markers
from imageshift.charts.rendering.compare import Difference, DifferenceClass, compare
from imageshift.charts.rendering.manifests import find_images
from imageshift.charts.rendering.markers import Candidate
from imageshift.charts.rendering.render import CountingRenderer, Manifests
from imageshift.charts.values import lookup, merge, place, with_changes

__all__ = ["GATE", "Finding", "Hints", "Trace", "Tracer"]

GATE: ValuePath = ("global", "security", "allowInsecureImages")
"""The value that opens Bitnami's gate against foreign images (H3)."""

_GATE_WORD = "allowInsecureImages"
_MOST_RENDERS = 40
_MOST_REFUSALS = 8


class Trace(Struct, frozen=True, kw_only=True):
    """What one release renders to and where its images come from.

    `marked` is the rendering with marks; `leaks` are leaves that also reach something that isn't
    an image; `refused` are leaves that can't be marked, `gated` those that Bitnami's gate guards;
    `unsteady` are the lines (template, number) that change from one rendering to the next, or
    that follow from the marked ones, as checksums do.
    """

    images: tuple[RenderedImage, ...]
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


class Finding(Struct, frozen=True, kw_only=True):
    """What a release's trace came to, as far as the next run needs it; it holds no value's text.

    `candidates` are the leaves that were marked, but for the `refused`; `gated` are behind
    Bitnami's gate, `pinned` must stay as they are. `proven` is the digest of what was wanted and
    changed in the end.
    """

    candidates: tuple[Candidate, ...]
    refused: frozenset[Candidate]
    gated: frozenset[Candidate]
    pinned: frozenset[Candidate]
    fills: Mapping[ValuePath, str]
    proven: bytes


class Hints(Struct):
    """What one release's trace learns about its chart, so that the next needs fewer renderings.

    `refused` are leaves that can't be marked.
    """

    refused: set[Candidate] = field(default_factory=set)


class Tracer(Struct):
    """Traces one release: its chart, own values and options, with one renderer.

    The plain rendering, and what one trace learns (also about the chart), are kept for the next.
    """

    chart: ChartFiles
    values: Values
    options: RenderOptions
    renderer: CountingRenderer
    hints: Hints = field(default_factory=Hints)
    gated: set[Candidate] = field(default_factory=set)
    _base: Manifests | None = None
    _noise: frozenset[tuple[str, int]] | None = None
    _last: tuple[object, Manifests] | None = None

    @property
    def refused(self) -> set[Candidate]:
        """The leaves that can't be marked, as far as is known."""
        return self.hints.refused

    def base(self) -> Manifests:
        """The plain rendering, with the chart's schema in force.

        Raises:
            RenderError: the release doesn't render as it is.
        """
        if self._base is None:
            if markers.collides(self.values):
                raise ChartError("the values contain words that look like imageshift's own markers")
            self._base = self.render({}, schemas=True)
        return self._base

    def render(self, overlay: Values, *, schemas: bool = False) -> Manifests:
        """The rendering with an overlay on the release's own values.

        Raises:
            RenderError: Helm refuses.
        """
        values = merge(self.values, overlay)
        return self.renderer.render(self.chart, values, self.options, schemas=schemas)

    def trace(
        self,
        fills: Mapping[ValuePath, str] | None = None,
        named: Iterable[str] = (),
        *,
        sift: bool = True,
    ) -> Trace:
        """The trace, with the values in `fills` set in addition to the release's own.

        `named` are image names: leaves whose text is a part of one are marked too. Without
        `sift` the marks must do together.

        Raises:
            RenderError: the release doesn't render as it is; or, without `sift`, not with
                the fills and marks, or not the same.
        """
        self.base()
        fills = fills or {}
        merged = merge(self.chart.defaults, self.values)
        merged = with_changes(merged, fills)
        candidates = self._candidates(merged, named)
        job = _Job(dict(enumerate(candidates)), merged, fills)
        return self._trace(job, self._mark(job, sift=sift), candidates)

    def _trace(self, job: "_Job", marked: "_Marked", candidates: tuple[Candidate, ...]) -> Trace:
        texts = {
            item: lookup(job.merged, item.leaf)[item.start : item.end]
            for item in marked.numbered.values()
        }
        result = find_images(marked.manifests, candidates, texts)
        return Trace(
            images=result.images,
            marked=marked.manifests,
            values=job.merged,
            fills=dict(job.fills),
            candidates=candidates,
            leaks=result.leaks,
            refused=frozenset(self.refused),
            gated=frozenset(self.gated),
            unsteady=marked.unsteady,
        )

    def recall(self, finding: Finding) -> Trace:
        """The trace that gave a finding, by one rendering: it has been proven before.

        Raises:
            RenderError: Helm refuses, so the finding is another release's.
        """
        self.refused.update(finding.refused)
        self.gated.update(finding.gated)
        merged = merge(self.chart.defaults, self.values)
        merged = with_changes(merged, finding.fills)
        numbered = dict(enumerate(finding.candidates))
        marked = {n: item for n, item in numbered.items() if item not in finding.refused}
        job = _Job(numbered, merged, finding.fills)
        manifests = self._kept(job, marked, opened=bool(finding.gated))
        return self._trace(job, _Marked(marked, manifests, frozenset()), finding.candidates)

    def _candidates(self, merged: Values, named: Iterable[str]) -> tuple[Candidate, ...]:
        found = [*markers.find_candidates(merged), *markers.find_named(merged, named)]
        return tuple(dict.fromkeys(item for item in found if item not in self.refused))

    def has_more(self, trace: Trace, named: Iterable[str]) -> bool:
        """Whether `named` brings leaves into play that a trace hasn't looked at."""
        more = set(markers.find_named(trace.values, named)) - self.refused
        return not more <= set(trace.candidates)

    def _mark(self, job: "_Job", *, sift: bool) -> "_Marked":
        """The rendering with marks before as many candidates as Helm takes.

        Raises:
            RenderError: without `sift`, they don't go together.
        """
        answer = self._try(job)
        if answer is None and not sift:
            raise RenderError("the fills or marks change more than text")
        if answer is None:
            job = job.only(self._sift(job))
            answer = self._try(job)
        if answer is None:
            self.refused.update(job.numbered.values())
            return _Marked({}, self.base(), frozenset())
        return answer

    def _try(self, job: "_Job") -> "_Marked | None":
        """The marked rendering; None when Helm refuses, or marks change more than text."""
        if not self.gated and not self._probe_gate(job):
            return None
        rendered = self._render_marked(job, opened=bool(self.gated))
        if rendered is None:
            return None
        numbered, marked = rendered
        unsteady = self._steady({key: markers.strip(text) for key, text in marked.items()})
        return None if unsteady is None else _Marked(numbered, marked, unsteady)

    def _render_marked(
        self, job: "_Job", *, opened: bool
    ) -> tuple[dict[int, Candidate], Manifests] | None:
        """The rendering without those marks that Helm's messages name as in the way."""
        numbered = {n: item for n, item in job.numbered.items() if item not in self.refused}
        for _ in range(_MOST_REFUSALS):
            try:
                return numbered, self._kept(job, numbered, opened=opened)
            except RenderError as error:
                named = _named_in(error, numbered)
                if not named or _GATE_WORD in str(error):
                    return None
                self.refused.update(numbered.pop(number) for number in named)
        return None

    def _kept(self, job: "_Job", numbered: Mapping[int, Candidate], *, opened: bool) -> Manifests:
        """A marked rendering, remembered, since the gate's probe is often the one wanted."""
        key = (tuple(numbered.items()), tuple(job.fills.items()), opened)
        if self._last is None or self._last[0] != key:
            changes = {**job.fills, **markers.mark(numbered, job.merged)}
            overlay = place(job.merged, changes)
            gate = place({}, {GATE: True}) if opened else {}
            self._last = key, self.render(merge(overlay, gate))
        return self._last[1]

    def _probe_gate(self, job: "_Job") -> bool:
        """Find the leaves that Bitnami's gate guards: its message names the images, marks too.

        Each chart of an umbrella has a gate of its own, so the rest is tried again. False when
        something else is in the way that no message explains.
        """
        numbered = dict(job.numbered)
        for _ in range(_MOST_REFUSALS):
            numbered = {n: item for n, item in numbered.items() if item not in self.refused}
            try:
                self._kept(job, numbered, opened=False)
            except RenderError as error:
                named = _named_in(error, numbered)
                if not named:
                    return False
                found = {numbered.pop(number) for number in named}
                known = self.gated if _GATE_WORD in str(error) else self.refused
                known |= found
            else:
                return True
        return False

    def _steady(self, plain: Manifests) -> frozenset[tuple[str, int]] | None:
        """The lines that may differ: hashes and what is random by itself; None for any other."""
        differences = compare(self.base(), plain)
        found = [item for item in differences if item.kind is not DifferenceClass.HASH]
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

    def _sift(self, job: "_Job") -> set[int]:
        """The candidates that can be marked, by halving those that can't be marked together."""
        kept: set[int] = set()
        waiting = [sorted(job.numbered)]
        start = self.renderer.count
        while waiting and self.renderer.count - start < _MOST_RENDERS:
            group = waiting.pop()
            answer = self._try(job.only(group))
            if answer is not None:
                kept |= answer.numbered.keys()
            elif len(group) > 1:
                middle = len(group) // 2
                waiting += [group[middle:], group[:middle]]
            else:
                self.refused.add(job.numbered[group[0]])
        return kept


class _Job(Struct, frozen=True):
    """Candidates to mark, by number, in values with fills in them."""

    numbered: Mapping[int, Candidate]
    merged: Values
    fills: Mapping[ValuePath, str]

    def only(self, numbers: Iterable[int]) -> "_Job":
        """The job with these candidates alone."""
        return replace(self, numbered={number: self.numbered[number] for number in numbers})


class _Marked(Struct, frozen=True):
    """A marked rendering, the candidates that are marked in it, and its unsteady lines."""

    numbered: Mapping[int, Candidate]
    manifests: Manifests
    unsteady: frozenset[tuple[str, int]]


def _named_in(error: RenderError, numbered: Mapping[int, Candidate]) -> set[int]:
    return {number for _, number in markers.read_marks(str(error))[1]} & numbered.keys()
