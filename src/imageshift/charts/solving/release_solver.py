"""One release: its images overridden, the edits planned, and judged in each of its builds."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import Release, RenderedImage, RenderError, ValuePath, Values, Way
from imageshift.charts.post_renderers.existing import PostRenderers
from imageshift.charts.releases.edits import apply_edits
from imageshift.charts.releases.flux import GRAPHED, ReleaseText, Tool
from imageshift.charts.releases.layers import Layer
from imageshift.charts.releases.writing import entry_node
from imageshift.charts.rendering.jobs import NO_JOBS, AppliedJobs
from imageshift.charts.rendering.render import Manifests, Renderer
from imageshift.charts.solving.evaluate import Judge
from imageshift.charts.solving.moves import ReleaseMoves, Terms, layer_of, plan_moves
from imageshift.charts.solving.options import ChartOptions
from imageshift.charts.solving.other_builds import OtherBuilds, behind_entries
from imageshift.charts.solving.override import ImageOutcome, Override, Overrider
from imageshift.charts.solving.override import Mapper as TextMapper
from imageshift.charts.solving.patched import renamed_patches
from imageshift.charts.solving.run_files import RunFiles
from imageshift.charts.solving.solved import Solved, ignored_leaves, text_moves
from imageshift.charts.solving.variants import PlacedEdit, RenderedVariants, Variant, Variants
from imageshift.charts.stale.dead import find_dead
from imageshift.charts.stale.rot import Look, Rotten, find_stale
from imageshift.charts.values import with_changes
from imageshift.inventory import is_kept
from imageshift.links.model import SiteKey
from imageshift.mapper import text_target
from imageshift.reference import DOCKER_HUB
from imageshift.rewrite import Backward, Forward, Mapper
from imageshift.sites import SkipReason
from imageshift.sites.keeps import kept_by_config
from imageshift.source import Place

__all__ = ["ReleaseSolver"]

_MOST_TRIES = 3
_UPGRADING = frozenset({Tool.FLUX, Tool.HELMFILE})
_PASSING = "a later entry matches this name, and replaces it"
_REFUSED = "the chart uses it for something other than an image, which a new name would change"


class ReleaseSolver:
    """Solves the releases of a tree one by one, bases before the patches over them.

    `solved` are the releases so far and `unrendered` those that their charts refuse, both by the
    identity of their texts; `frozen` are files whose edits turned out to be wrong for a release,
    and `uses` counts the releases that take a layer of values.
    """

    def __init__(
        self,
        files: RunFiles,
        variants: Variants,
        texts: Iterable[ReleaseText],
        options: ChartOptions,
    ) -> None:
        self._files = files
        self._variants = variants
        self._options = options
        self.others = OtherBuilds(files)
        self.solved: dict[int, Solved] = {}
        self.unrendered: dict[int, Solved] = {}
        self.frozen: set[str] = set()
        self.uses: Counter[tuple[str, int]] = Counter()
        self._patches: dict[int, list[ReleaseText]] = {}
        for text in texts:
            self.uses.update(layer.key for layer in text.layers if layer is not text.own)
            if text.base is not None:
                self._patches.setdefault(id(text.base), []).append(text)

    def solve(self, text: ReleaseText, chart: ChartFiles, overrider: Overrider) -> Solved:
        """A release with its chart solved.

        Raises:
            RenderError: the chart refuses its values; `unrendered` has the release.
        """
        try:
            return self._overridden(text, chart, overrider)
        except RenderError:
            judge = self._judge(
                text, chart, overrider.renderer, text_target(self._files.mapper_of(text.file))
            )
            jobs = self._jobs(text, chart, (), overrider.renderer)
            self.unrendered[id(text)] = Solved.unrendered(text, chart, judge, jobs)
            raise

    def _overridden(self, text: ReleaseText, chart: ChartFiles, overrider: Overrider) -> Solved:
        mapper = self._files.mapper_of(text.file)
        release, held = self._release(text), self._held(text)
        result, target = _best_override(overrider, chart, release, mapper, held)
        files, variants = chart.for_release(release), self.variants_of(text)
        plain = self._judge(text, files, overrider.renderer, target)
        # Where there are other builds, one of them may read what this one doesn't.
        whole = replace(text, release=release)
        rotten = self._rotten(whole, files, result, plain, alone=not variants)
        if rotten.fixes:
            target = _mending(rotten.fixes, target)
            result = overrider.override(chart, release, target, held)
        judge = replace(plain, target=target)
        found, builds = result, RenderedVariants(variants, judge)
        result, terms = self._with_builds(text, found, builds, frozenset())
        patched = dict(renamed_patches(self._files.index, text))
        renamed = [behind_entries(text, image, self._files.mapper_of) for image in patched.values()]
        result = replace(result, outcomes=(*result.outcomes, *renamed))
        images = tuple(each.image for each in result.outcomes)
        jobs = self._jobs(whole, files, images, overrider.renderer)
        terms, moves = self._planned(whole, result, terms, jobs)
        refused = frozenset(edit.path for edit in found.edits) - moves.values.keys()
        if refused and variants:
            # Other builds don't get what turned out to be impossible in this one.
            result, terms = self._with_builds(text, found, builds, refused)
            result = replace(result, outcomes=(*result.outcomes, *renamed))
            terms, moves = self._planned(whole, result, terms, jobs)
        if text.late and self._comes_apart(whole, judge, moves, terms):
            terms = replace(terms, layers=tuple(each for each in terms.layers if not each.in_chart))
            moves = plan_moves(whole, result, terms)
        passing = dict.fromkeys(_passing(whole), (SkipReason.PLACEHOLDER, _PASSING))
        kept_sites = dict(self._refused(whole, judge, moves)) | passing
        return Solved(whole, result, moves, chart, judge, kept_sites, patched, rotten, jobs)

    def _with_builds(
        self,
        text: ReleaseText,
        result: Override,
        builds: RenderedVariants,
        refused: frozenset[ValuePath],
    ) -> tuple[Override, Terms]:
        """The override with what only other builds run, and which of its values spoil those."""
        mapper = self._files.mapper_of(text.file)
        terms = self._terms(text, mapper)
        layers = terms.layers
        placed = [PlacedEdit(e, layer_of(e.path, text.own, layers)) for e in result.edits]
        terms = replace(terms, spoiling=builds.spoiling(placed) | refused, clash=result.clash)
        kept = [each for each in placed if each.edit.path not in terms.spoiling]
        beyond = self.others.outcomes(text, result, builds.images(kept)) if terms.renderers else ()
        if text.tool in GRAPHED:
            result = _left_to_entries(result, text.release)
        result = replace(result, outcomes=(*result.outcomes, *beyond))
        return _familiar(result, mapper), terms

    def _held(self, text: ReleaseText) -> PostRenderers:
        """The entries of patches that put their own post-renderers in the place of a release's."""
        over = [e for e in self._patches.get(id(text), ()) if _writes_renderers(e)]
        return PostRenderers.read([item for each in over for item in each.release.post_renderers])

    def _rotten(
        self,
        text: ReleaseText,
        chart: ChartFiles,
        result: Override,
        judge: Judge,
        *,
        alone: bool,
    ) -> Rotten:
        """What of a release's overrides no longer fits its chart."""
        mapper = self._files.mapper_of(text.file)
        if not isinstance(mapper, Forward) or text.base is not None:
            return Rotten()
        look = Look(
            text=text,
            chart=chart,
            images=tuple(outcome.image for outcome in result.outcomes),
            rules=mapper.rules,
            render=judge.render,
            kept=self._is_kept,
            history=self._options.history,
            mend_all=self._options.mend_stale,
        )
        found = find_stale(look)
        dead = dict(find_dead(look)) if alone else {}
        return replace(found, findings=(*found.findings, *dead), dead=tuple(dead.values()))

    def _is_kept(self, file: str, place: Place) -> bool:
        scan = self._files.scan(file)
        sites = (site for site in scan.sites if kept_by_config(site))
        kept = any(place.line in site.lines() for site in sites)
        return kept or is_kept(scan.source, place.line)

    def _planned(
        self, text: ReleaseText, result: Override, terms: Terms, jobs: AppliedJobs | None
    ) -> tuple[Terms, ReleaseMoves]:
        """The moves under which no Job would have to change that can't, and their terms."""
        values = text.release.values
        moves = plan_moves(text, result, terms)
        for _ in range(_MOST_TRIES if jobs is not None else 0):
            found = jobs.fixed(with_changes(values, moves.values)) if jobs else NO_JOBS
            if found | terms.jobs == terms.jobs:
                break
            terms = replace(terms, jobs=terms.jobs | found)
            moves = plan_moves(text, result, terms)
        return terms, moves

    def _jobs(
        self,
        text: ReleaseText,
        chart: ChartFiles,
        images: tuple[RenderedImage, ...],
        renderer: Renderer,
    ) -> AppliedJobs | None:
        """The Jobs of a release; None where they all may change."""
        backward = isinstance(self._files.mapper_of(text.file), Backward)
        if self._files.index.rewrite_jobs or text.remakes_jobs or backward:
            return None
        options = text.release.options
        upgrades = text.tool in _UPGRADING and chart.knows_upgrades

        def render(values: Values, revision: int) -> Manifests:
            at = replace(options, revision=revision)
            return renderer.render(chart, values, at, schemas=False)

        is_free = partial(_is_free, remade=text.tool is Tool.ARGO)
        return AppliedJobs(render, text.release.values, images, upgrades, is_free)

    @staticmethod
    def _judge(
        text: ReleaseText, chart: ChartFiles, renderer: Renderer, target: TextMapper
    ) -> Judge:
        options = text.release.options
        return Judge(
            lambda values: renderer.render(chart, values, options, schemas=True),
            target,
            PostRenderers.read(text.release.post_renderers),
        )

    def _comes_apart(
        self, text: ReleaseText, judge: Judge, moves: ReleaseMoves, terms: Terms
    ) -> bool:
        """Whether the release's own edits are wrong while the chart's haven't arrived (E3.2)."""
        chosen = {path: layer_of(path, text.own, terms.layers) for path in moves.values}
        own = {path: v for path, v in moves.values.items() if not chosen[path].in_chart}
        values = text.release.values
        if not own or len(own) == len(moves.values):
            return False
        return judge.is_wrong(values, with_changes(values, own))

    def _refused(
        self, text: ReleaseText, judge: Judge, moves: ReleaseMoves
    ) -> Iterator[tuple[SiteKey, tuple[SkipReason, str]]]:
        """Sites that no rendered image is made from, but with whose move the chart is another.

        Charts look at values of what they have switched off, too (X11c).
        """
        plain = text.release.values
        values = with_changes(plain, moves.values)
        found = dict(text_moves(text, self._files.scan, self._files.mapper_of, moves))
        together = {path: new for changes in found.values() for path, new in changes.items()}
        if not together or not judge.is_wrong(values, with_changes(values, together)):
            return
        for key, changes in found.items():
            if judge.is_wrong(values, with_changes(values, changes)):
                yield key, (SkipReason.TEMPLATE, _REFUSED)

    def broken_files(self) -> set[str]:
        """The files of charts whose edits for one release are wrong for another that takes them."""
        claims: dict[tuple[str, int], Any] = {}
        broken: set[str] = set()
        for solved in self.solved.values():
            for key, value in solved.chart_changes().items():
                if claims.setdefault(key, value) != value:
                    broken.add(key[0])
        for solved in self.solved.values() if claims else ():
            theirs = solved.changed_by(claims)
            if theirs and self._is_spoilt(solved, theirs):
                broken |= {placed.layer.file for placed in theirs}
        return broken

    def _is_spoilt(self, solved: Solved, theirs: list[PlacedEdit]) -> bool:
        """Whether edits for other releases of its chart are wrong for one, or in a build of it."""
        own = with_changes(solved.text.release.values, solved.moves.values)
        changed = apply_edits(own, [placed.edit for placed in theirs])
        builds = RenderedVariants(self.variants_of(solved.text), solved.judge)
        return solved.judge.is_wrong(own, changed) or bool(builds.spoiling(theirs))

    def variants_of(self, text: ReleaseText) -> list[Variant]:
        """What other builds make of a release; a patch is one of those itself."""
        if text.base is not None:
            return []
        return self._variants.of(text.resource.name, text.file, text.spec)

    def _release(self, text: ReleaseText) -> Release:
        """The release; a patch's one has the values that its base will have."""
        base = None if text.base is None else self.solved.get(id(text.base))
        if base is None:
            return text.release
        values = text.release.values
        for path, value in base.moves.values.items():
            if _lookup_own(text.own_values, path) is None:
                values = with_changes(values, {path: value})
        renderers = text.release.post_renderers
        if not _writes_renderers(text):
            renderers = (*renderers, *base.moves.renderers)
        return replace(text.release, values=values, post_renderers=renderers)

    def _terms(self, text: ReleaseText, mapper: Mapper) -> Terms:
        layers = [e for e in text.layers if e is text.own or self._is_editable(e, text.tool)]
        base = None if text.base is None else self.solved.get(id(text.base))
        inherits = base is not None and not _writes_renderers(text)
        taken = base is not None and bool(base.moves.renderers or base.text.release.post_renderers)
        unproven = self._files.index.unproven.get(text.file, {})
        return Terms(
            layers=tuple(layers),
            ignored=ignored_leaves(text, self._files.scan),
            keeps=tuple(k for k in self._files.index.context(text.file).keeps if not k.path),
            renderers=text.tool is Tool.FLUX
            and not (inherits and taken)
            and not isinstance(mapper, Backward),
            unproven=unproven.get(text.offset),
        )

    def _is_editable(self, layer: Layer, tool: Tool) -> bool:
        """Whether this run may change a layer: one release alone takes it, or all as its chart.

        Argo CD's sources share files of values, and have no better place for new ones.
        """
        if not self._files.writable(layer.file) or layer.file in self.frozen:
            return False
        if self.uses[layer.key] > 1 and not (layer.in_chart or tool is Tool.ARGO):
            return False
        return not any(skip.line is None for skip in self._files.scan(layer.file).skips)


def _is_free(image: RenderedImage, *, remade: bool) -> bool:
    """Whether what an image stands in is made anew each time."""
    return image.hook or (remade and image.remade) or not image.object.name


def _mending(fixes: Mapping[str, str], target: TextMapper) -> TextMapper:
    """A mapper that takes stale overrides to what the chart has now."""
    return lambda text: fixes.get(text) or target(text)


def _left_to_entries(result: Override, release: Release) -> Override:
    """The outcomes less those that entries behind the chart decide: they belong to the graph."""
    existing = PostRenderers.read(release.post_renderers)
    outcomes = tuple(
        ImageOutcome(each.image, None, Way.UNCHANGED) if existing.takes(each.image) else each
        for each in result.outcomes
    )
    return replace(result, outcomes=outcomes, entry_edits=())


def _passing(text: ReleaseText) -> Iterator[SiteKey]:
    """The newNames that an entry behind theirs meets, as they are written."""
    for path in PostRenderers.read(text.release.post_renderers).passing():
        entry = None if text.spec_node is None else entry_node(text.spec_node, path)
        name = None if entry is None else entry.scalar("newName")
        if name is not None:
            yield text.file, text.document.offset(name.start), name.value


def _writes_renderers(text: ReleaseText) -> bool:
    return text.spec_node is not None and text.spec_node.get("postRenderers") is not None


def _lookup_own(values: Mapping[str, object], path: tuple[str | int, ...]) -> object:
    node: object = values
    for part in path:
        if not isinstance(node, Mapping):
            return node
        node = node.get(part)
        if node is None:
            return None
    return node


def _best_override(
    overrider: Overrider, chart: ChartFiles, release: Release, mapper: Mapper, held: PostRenderers
) -> tuple[Override, TextMapper]:
    """The override of a release's images, and what it maps them with."""
    target = text_target(mapper)
    result = overrider.override(chart, release, target, held)
    if isinstance(mapper, Backward) and _unmoved(result):
        # A registry that several images share holds what all of them have in front.
        full = text_target(mapper, full=True)
        other = overrider.override(chart, release, full, held)
        if _unmoved(other) < _unmoved(result):
            return other, full
    return result, target


def _unmoved(result: Override) -> int:
    """How many images values don't move."""
    return sum(each.way not in {Way.VALUES, Way.UNCHANGED} for each in result.outcomes)


def _familiar(result: Override, mapper: Mapper) -> Override:
    """On revert, whole names of Docker Hub as people write them."""
    if not isinstance(mapper, Backward):
        return result
    head = f"{DOCKER_HUB}/"
    edits = tuple(
        replace(edit, value=edit.value.removeprefix(head)) if isinstance(edit.value, str) else edit
        for edit in result.edits
    )
    return replace(result, edits=edits)
