"""What the charts decide about the images of a tree: each release rendered, traced, overridden.

Sites whose texts reach a rendered image are decided here alone; for all others the rules for
texts hold.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.charts.dead import find_dead
from imageshift.charts.evaluate import Judge
from imageshift.charts.existing import PostRenderers
from imageshift.charts.files import ChartFiles
from imageshift.charts.history import History
from imageshift.charts.jobs import NO_JOBS, AppliedJobs
from imageshift.charts.last_look import LastLook
from imageshift.charts.layers import Layer
from imageshift.charts.locate import Locator
from imageshift.charts.model import Release, RenderedImage, RenderError, ValuePath, Values, Way
from imageshift.charts.moves import ReleaseMoves, Terms, layer_of, plan_moves
from imageshift.charts.other_tools import read_other_releases
from imageshift.charts.override import ONLY_KUSTOMIZE, ImageOutcome, Override, Overrider
from imageshift.charts.override import Mapper as TextMapper
from imageshift.charts.patched import renamed_patches
from imageshift.charts.postrender import entry_for
from imageshift.charts.prune import pruned, removals
from imageshift.charts.releases import GRAPHED, ReleaseText, Tool, read_releases
from imageshift.charts.render import Manifests, Renderer, find_renderer
from imageshift.charts.rot import Look, Rotten, find_stale
from imageshift.charts.semver import is_other_version
from imageshift.charts.sources import ChartSources
from imageshift.charts.tracestore import TraceStore
from imageshift.charts.values import lookup, merge, place
from imageshift.charts.variants import RenderedVariants, Variant, VariantImage, Variants
from imageshift.charts.verdicts import (
    PASSING,
    ChartProblem,
    Solved,
    Verdicts,
    ignored_leaves,
    text_moves,
)
from imageshift.charts.writing import entry_node
from imageshift.errors import ImageshiftError, InvalidReferenceError, ToolError, unexpected
from imageshift.inventory import FileScan, Index, is_kept
from imageshift.links.builds import Builds
from imageshift.links.model import SiteKey
from imageshift.mapper import text_target
from imageshift.net import Transport
from imageshift.plan import FilePlan, Missing, Unproven
from imageshift.reference import DOCKER_HUB, name_length
from imageshift.rewrite import Backward, Change, Forward, Kept, Mapper, Move, Status, plan_site
from imageshift.rot import Rot
from imageshift.sites import Confidence, ImageSite, SiteKind, SkipReason
from imageshift.sites.keeps import kept_by_config
from imageshift.solve.leaves import site_key
from imageshift.source import Place
from imageshift.steps import expect, step

__all__ = ["ChartDecisions", "ChartOptions", "decide"]

_LONGEST = 300
_MOST_ROUNDS = 3
_VALUES = frozenset({SiteKind.VALUES, SiteKind.PATCH})
"""How values are found: where they are written, or by the path of a patch's operation."""
_UPGRADING = frozenset({Tool.FLUX, Tool.HELMFILE})
_REFUSED_BY_FLUX = "Flux can't install {}: kustomize rejects {} (Argo CD accepts it)"
_FROZEN = "{} now pins what used to come from {}: update it together with the chart"
_SUBSTITUTED = "`charts.sources` provides {} {} instead of version {}"
_REFUSED = "the chart uses it for something other than an image, which a new name would change"
_BEYOND = "only another build of the release renders it, and no post-renderer can reach it there"


class ChartOptions(Struct, frozen=True, kw_only=True):
    """Where charts are found in addition to their sources, and how many renders run at once.

    `allow_insecure_images` is the overrider's; `prune` removes overrides that do nothing,
    `mend_stale` fixes all that may be stale, not only those that `history` knows to be.
    """

    sources: Mapping[str, Path] = field(default_factory=dict)
    jobs: int = 1
    traces: TraceStore | None = None
    transport: Transport = field(default_factory=Transport)
    allow_insecure_images: bool = False
    prune: bool = False
    history: History = History()
    mend_stale: bool = False


class ChartDecisions(Struct, frozen=True):
    """What the charts decide about sites, and the problems with charts.

    `owned` are the places (file, offset) of releases that were rendered, `moves` those whose
    edits are in several files, by file; `used` are the folders and archives of releases' charts,
    `solved` the releases themselves, also those that their charts refuse, `builds` says what each
    build makes of one.
    """

    results: dict[SiteKey, Change | Kept] = field(default_factory=dict)
    extras: dict[str, list[Change | Kept]] = field(default_factory=dict)
    stories: dict[SiteKey, tuple[str, ...]] = field(default_factory=dict)
    problems: list[ChartProblem] = field(default_factory=list)
    notes: list[ChartProblem] = field(default_factory=list)
    known_tails: dict[SiteKey, tuple[str, ...]] = field(default_factory=dict)
    owned: set[tuple[str, int]] = field(default_factory=set)
    moves: dict[str, set[Move]] = field(default_factory=dict)
    rot: list[Rot] = field(default_factory=list)
    used: set[Path] = field(default_factory=set)
    solved: list[Solved] = field(default_factory=list)
    renderer: Renderer | None = None
    builds: Variants | None = None
    verdicts: Verdicts | None = None

    def look_back(
        self, index: Index, plan: Callable[[str], FilePlan | None]
    ) -> tuple[Unproven, Missing]:
        """What has to be decided otherwise; `plan` is what a file becomes.

        Where there is nothing, the images that stay unsaid so far are added to the results.
        """
        if self.renderer is None or self.builds is None or self.verdicts is None:
            return {}, {}
        seen = LastLook(index, self.solved, self.renderer, self.builds, plan).look()
        if not seen.unproven and not seen.missing:
            for each in seen.silent:
                self.verdicts.add_left(each.solved, each.image, each.text, each.why)
            self.extras.update(self.verdicts.extras)
        return seen.unproven, seen.missing

    def renders(self, file: str, offset: int) -> bool:
        """Whether what begins at a place of a file is a release that was rendered."""
        return (file, offset) in self.owned

    def decided(self, site: ImageSite, file: str) -> Change | Kept | None:
        """What happens to a site, or None where no chart has anything to say about it."""
        if not self.results or site.skip is not None:
            return None
        found = self.results.get(site_key(site, file))
        if found is None:
            return None
        return replace(found, site=replace(site, confidence=Confidence.RENDERED, note=None))

    def left(self) -> Iterator[tuple[str, Kept]]:
        """The written images that stay for what their charts render, with their files."""
        for key, found in self.results.items():
            if isinstance(found, Kept) and found.status is Status.SKIPPED:
                yield key[0], found

    def extra(self, file: str) -> list[Change | Kept]:
        """The images of a file's releases that no site of its scan stands for."""
        return self.extras.get(file, [])

    def tails(self, site: ImageSite, file: str) -> tuple[str, ...]:
        """The tags and digests of the images that a post-renderer's newName without one meets."""
        return self.known_tails.get(site_key(site, file), ())

    def story(self, site: ImageSite, file: str) -> tuple[str, ...]:
        """Sentences about what renders a site's image, for `explain`."""
        return self.stories.get(site_key(site, file), ())


def decide(  # noqa: PLR0913 as solve.decisions, and what charts need besides
    index: Index,
    mapper_of: Callable[[str], Mapper],
    scan: Callable[[str], FileScan],
    *,
    builds: Builds | None = None,
    writable: Callable[[str], bool] = lambda _: True,
    options: ChartOptions | None = None,
    renderer: Renderer | None = None,
) -> ChartDecisions:
    """The decisions for a workspace.

    `mapper_of` gives the mapper for what a file says, `scan` its sites, and `writable` whether
    this run may change it.
    """
    return _Run(builds or Builds(index), mapper_of, scan, writable).decide(
        options or ChartOptions(), renderer
    )


class _Run:
    def __init__(
        self,
        builds: Builds,
        mapper_of: Callable[[str], Mapper],
        scan: Callable[[str], FileScan],
        writable: Callable[[str], bool],
    ) -> None:
        self._index = builds.index
        self._builds = builds
        self._mapper_of = mapper_of
        self._scan = scan
        self._writable = writable
        self._variants = Variants(builds.index, builds.reach)
        self._found = ChartDecisions()
        self._solved: dict[int, Solved] = {}
        self._unrendered: dict[int, Solved] = {}
        self._uses: Counter[tuple[str, int]] = Counter()
        self._frozen: set[str] = set()
        self._patches: dict[int, list[ReleaseText]] = {}
        self._options = ChartOptions()

    def decide(self, options: ChartOptions, renderer: Renderer | None) -> ChartDecisions:
        self._options, reach = options, self._builds.reach
        sources = ChartSources(self._index, reach, options.sources)
        found = read_releases(self._index, reach, sources)
        found += read_other_releases(self._index, self._builds)
        texts = [text for text in found if self._may_change(text)]
        if not texts:
            return self._found
        paths = (text.release.source.path for text in texts)
        self._found.used.update(path for path in paths if path is not None)
        for text in texts:
            if text.base is not None:
                self._patches.setdefault(id(text.base), []).append(text)
        self._uses = Counter(
            layer.key for text in texts for layer in text.layers if layer is not text.own
        )
        try:
            renderer = renderer or find_renderer()
        except ToolError as error:
            for text in texts:
                self._problem(text, error)
            return self._found
        waiting = texts
        for _ in range(_MOST_ROUNDS):
            for some in ([t for t in waiting if t.base is None], [t for t in waiting if t.base]):
                for group in _by_chart(some):
                    self._decide_group(group, options, renderer)
            broken = self._broken_files()
            if not broken:
                break
            self._frozen |= broken
            waiting = [text for text in texts if broken & {layer.file for layer in text.layers}]
        self._gather(renderer)
        return self._found

    def _broken_files(self) -> set[str]:
        """The files of charts whose edits for one release are wrong for another that takes them."""
        claims: dict[tuple[str, int], Any] = {}
        broken: set[str] = set()
        for solved in self._solved.values():
            for key, value in solved.chart_changes().items():
                if claims.setdefault(key, value) != value:
                    broken.add(key[0])
        for solved in self._solved.values() if claims else ():
            theirs = solved.changed_by(claims)
            changes = {path: new for path, (new, _) in theirs.items()}
            if changes and self._is_spoilt(solved, changes):
                broken |= {file for _, file in theirs.values()}
        return broken

    def _is_spoilt(self, solved: Solved, changes: Mapping[ValuePath, Any]) -> bool:
        """Whether edits for other releases of its chart are wrong for one, or in a build of it."""
        values = solved.text.release.values
        values = merge(values, place(values, solved.moves.values))
        if solved.judge.is_wrong(values, merge(values, place(values, changes))):
            return True
        for variant in self._variants_of(solved.text):
            own = variant.values()
            below = {path: new for path, new in changes.items() if lookup(own, path) is None}
            judge = replace(solved.judge, entries=variant.entries)
            if below and judge.is_wrong(own, merge(own, place(own, below))):
                return True
        return False

    def _may_change(self, text: ReleaseText) -> bool:
        if not self._writable(text.file):
            return False
        scan = self._scan(text.file)
        if any(skip.line is None for skip in scan.skips):
            return False
        return not any(site.skip is SkipReason.GENERATED for site in scan.sites)

    def _decide_group(
        self, group: list[ReleaseText], options: ChartOptions, renderer: Renderer
    ) -> None:
        """The releases of one chart: what is learnt of it for one helps with the next."""
        locator = Locator(transport=options.transport, known=options.sources)
        overrider = Overrider(renderer, options.traces, options.allow_insecure_images)

        def work(text: ReleaseText) -> Solved | ImageshiftError:
            if text.error is not None:
                return text.error
            try:
                with step(f"{text.release.namespace}/{text.release.name}"):
                    return self._solve(text, locator.find(text.release.source), overrider)
            except ImageshiftError as error:
                return error
            except Exception as error:  # noqa: BLE001 no other release is lost by this one
                return unexpected(error)

        expect(sum(text.error is None for text in group))
        first, rest = group[:1], group[1:]
        self._take(first, map(work, first))
        if options.jobs > 1 and len(rest) > 1:
            with ThreadPoolExecutor(options.jobs) as pool:
                self._take(rest, pool.map(work, rest))
        else:
            self._take(rest, map(work, rest))

    def _take(self, texts: list[ReleaseText], found: Iterable[Solved | ImageshiftError]) -> None:
        for text, result in zip(texts, found, strict=True):
            if isinstance(result, ImageshiftError):
                self._problem(text, result)
            else:
                self._solved[id(text)] = result

    def _problem(self, text: ReleaseText, error: ImageshiftError) -> None:
        release = f"{text.release.namespace}/{text.release.name}"
        said = " ".join(str(error).replace(f"{self._index.workspace.root}/", "").split())
        message = f"{release}: {said[:_LONGEST]}"
        problem = ChartProblem(text.file, text.place, message, error.hint)
        self._found.problems.append(problem)

    def _solve(self, text: ReleaseText, chart: ChartFiles, overrider: Overrider) -> Solved:
        try:
            return self._overridden(text, chart, overrider)
        except RenderError:
            judge = self._judge(
                text, chart, overrider.renderer, text_target(self._mapper_of(text.file))
            )
            jobs = self._jobs(text, chart, (), overrider.renderer)
            self._unrendered[id(text)] = Solved.unrendered(text, chart, judge, jobs)
            raise

    def _overridden(self, text: ReleaseText, chart: ChartFiles, overrider: Overrider) -> Solved:
        mapper, release, held = self._mapper_of(text.file), self._release(text), self._held(text)
        result, target = _best_override(overrider, chart, release, mapper, held)
        files, variants = chart.for_release(release), self._variants_of(text)
        plain = self._judge(text, files, overrider.renderer, target)
        # Where there are other builds, one of them may read what this one doesn't.
        whole = replace(text, release=release)
        rotten = self._rotten(whole, files, result, plain, alone=not variants)
        if rotten.fixes:
            target = _mending(rotten.fixes, target)
            result = overrider.override(chart, release, target, held)
        judge = replace(plain, target=target)
        familiar, builds = _familiar(result, mapper), RenderedVariants(variants, judge)
        result, terms = self._with_builds(text, familiar, builds, frozenset())
        patched = dict(renamed_patches(self._index, text))
        renamed = [self._renamed(text, image) for image in patched.values()]
        result = replace(result, outcomes=(*result.outcomes, *renamed))
        images = tuple(each.image for each in result.outcomes)
        jobs = self._jobs(whole, files, images, overrider.renderer)
        terms, moves = self._planned(whole, result, terms, jobs)
        refused = frozenset(edit.path for edit in familiar.edits) - moves.values.keys()
        if refused and variants:
            # Other builds don't get what turned out to be impossible in this one.
            result, terms = self._with_builds(text, familiar, builds, refused)
            result = replace(result, outcomes=(*result.outcomes, *renamed))
            terms, moves = self._planned(whole, result, terms, jobs)
        if text.late and self._comes_apart(whole, judge, moves, terms):
            terms = replace(terms, layers=tuple(each for each in terms.layers if not each.in_chart))
            moves = plan_moves(whole, result, terms)
        passing = dict.fromkeys(_passing(whole), PASSING)
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
        terms = self._terms(text, self._mapper_of(text.file))
        chosen = ((e, layer_of(e.path, text.own, terms.layers)) for e in result.edits)
        own = [edit for edit, layer in chosen if layer is text.own or layer.in_chart]
        terms = replace(terms, spoiling=builds.spoiling(own) | refused, clash=result.clash)
        kept = [edit for edit in own if edit.path not in terms.spoiling]
        beyond = self._beyond(text, result, builds.images(kept)) if terms.renderers else ()
        if text.tool in GRAPHED:
            result = _left_to_entries(result, text.release)
        return replace(result, outcomes=(*result.outcomes, *beyond)), terms

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
        mapper = self._mapper_of(text.file)
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
        scan = self._scan(file)
        sites = (site for site in scan.sites if kept_by_config(site))
        kept = any(place.line in site.lines() for site in sites)
        return kept or is_kept(scan.source, place.line)

    def _planned(
        self, text: ReleaseText, result: Override, terms: Terms, jobs: AppliedJobs | None
    ) -> tuple[Terms, ReleaseMoves]:
        """The moves under which no Job would have to change that can't, and their terms."""
        values = text.release.values
        moves = plan_moves(text, result, terms)
        for _ in range(_MOST_ROUNDS if jobs is not None else 0):
            found = jobs.fixed(merge(values, place(values, moves.values))) if jobs else NO_JOBS
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
        backward = isinstance(self._mapper_of(text.file), Backward)
        if self._index.rewrite_jobs or text.remakes_jobs or backward:
            return None
        options = text.release.options
        upgrades = text.tool in _UPGRADING and chart.knows_upgrades

        def render(values: Values, revision: int) -> Manifests:
            at = replace(options, revision=revision)
            return renderer.render(chart, values, at, schemas=False)

        is_free = partial(_is_free, remade=text.tool is Tool.ARGO)
        return AppliedJobs(render, text.release.values, images, upgrades, is_free)

    def _renamed(self, text: ReleaseText, image: RenderedImage) -> ImageOutcome:
        """What happens to a text that an entry behind it takes."""
        existing = PostRenderers.read(text.release.post_renderers)
        final = existing.apply(image)
        target = text_target(self._mapper_of(text.file))(final)
        if target is None or target == final:
            return ImageOutcome(image, None, Way.UNCHANGED)
        if existing.edit_for(image, target) is None:
            return ImageOutcome(image, target, Way.LEFT, ONLY_KUSTOMIZE)
        return ImageOutcome(image, target, Way.POST_RENDERER)

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
        return judge.is_wrong(values, merge(values, place(values, own)))

    def _refused(
        self, text: ReleaseText, judge: Judge, moves: ReleaseMoves
    ) -> Iterator[tuple[SiteKey, str]]:
        """Sites that no rendered image is made from, but with whose move the chart is another.

        Charts look at values of what they have switched off, too (X11c).
        """
        plain = text.release.values
        values = merge(plain, place(plain, moves.values))
        found = dict(text_moves(text, self._scan, self._mapper_of, moves))
        together = {path: new for changes in found.values() for path, new in changes.items()}
        if not together or not judge.is_wrong(values, merge(values, place(values, together))):
            return
        for key, changes in found.items():
            if judge.is_wrong(values, merge(values, place(values, changes))):
                yield key, _REFUSED

    def _variants_of(self, text: ReleaseText) -> list[Variant]:
        """What other builds make of a release; a patch is one of those itself."""
        if text.base is not None:
            return []
        return self._variants.of(text.resource.name, text.file, text.spec)

    def _beyond(
        self, text: ReleaseText, result: Override, found: Iterable[VariantImage]
    ) -> Iterable[ImageOutcome]:
        """Outcomes for images that only other builds render, where no text of theirs names them."""
        existing = PostRenderers.read(text.release.post_renderers)
        missing = self._index.missing.get((text.file, text.offset), frozenset())
        # Values that move the base's image do nothing for another build's own.
        known = {each.image.text for each in result.outcomes if each.way is not Way.VALUES}
        moved = {each.image.text for each in result.outcomes} - known
        made: dict[str, ImageOutcome] = {}
        # Values that move an image in one build do nothing for it in another.
        for item in sorted(found, key=lambda each: each.moved):
            image = item.image
            named = None if image.text in missing else self._site_of(item, text)
            if named is not None:
                tails = self._found.known_tails.get(named, ())
                tail = image.text[len(image.raw_name) :]
                self._found.known_tails[named] = tuple(sorted({*tails, tail}))
            elif image.text not in known and not (item.moved and image.text in moved):
                taken = existing.takes(image)
                outcome = self._renamed(text, image) if taken else _outcome(item)
                made.setdefault(image.text, outcome)
        return made.values()

    def _site_of(self, item: VariantImage, text: ReleaseText) -> SiteKey | None:
        """The site in a build's own values that names an image, and moves or is in the cache."""
        others = {layer.file for layer in text.layers}
        for file in sorted(filter(self._writable, item.variant.files.difference(others))):
            mapper = self._mapper_of(file)
            for site in self._scan(file).sites:
                if not _may_name(site, file, item):
                    continue
                told = plan_site(site, mapper)
                if told.before is None or told.status not in (Status.REWRITE, Status.CACHED):
                    continue
                with suppress(InvalidReferenceError):
                    if told.before.full_name == mapper.parse(item.image.text).full_name:
                        return site_key(site, file)
        return None

    def _release(self, text: ReleaseText) -> Release:
        """The release; a patch's one has the values that its base will have."""
        base = None if text.base is None else self._solved.get(id(text.base))
        if base is None:
            return text.release
        values = text.release.values
        for path, value in base.moves.values.items():
            if _lookup_own(text.own_values, path) is None:
                values = merge(values, place(values, {path: value}))
        renderers = text.release.post_renderers
        if not _writes_renderers(text):
            renderers = (*renderers, *base.moves.renderers)
        return replace(text.release, values=values, post_renderers=renderers)

    def _terms(self, text: ReleaseText, mapper: Mapper) -> Terms:
        layers = [e for e in text.layers if e is text.own or self._is_editable(e, text.tool)]
        base = None if text.base is None else self._solved.get(id(text.base))
        inherits = base is not None and not _writes_renderers(text)
        taken = base is not None and bool(base.moves.renderers or base.text.release.post_renderers)
        unproven = self._index.unproven.get(text.file, {})
        return Terms(
            layers=tuple(layers),
            ignored=ignored_leaves(text, self._scan),
            keeps=tuple(k for k in self._index.context(text.file).keeps if not k.path),
            renderers=text.tool is Tool.FLUX
            and not (inherits and taken)
            and not isinstance(mapper, Backward),
            unproven=unproven.get(text.offset),
        )

    def _is_editable(self, layer: Layer, tool: Tool) -> bool:
        """Whether this run may change a layer: one release alone takes it, or all as its chart.

        Argo CD's sources share files of values, and have no better place for new ones.
        """
        if not self._writable(layer.file) or layer.file in self._frozen:
            return False
        if self._uses[layer.key] > 1 and not (layer.in_chart or tool is Tool.ARGO):
            return False
        return not any(skip.line is None for skip in self._scan(layer.file).skips)

    def _prune(self, solved: Solved, verdicts: Verdicts) -> None:
        """Take out what nothing reads of a release's texts."""
        mapper, dead = self._mapper_of(solved.text.file), solved.rotten.dead
        if not isinstance(mapper, Forward):
            return
        for file, edits in removals(dead, solved.moves.edits).items():
            here = [item for item in dead if item.file == file and self._writable(file)]
            known = {site_key(site, file) for site in self._scan(file).sites}
            for change in pruned(edits, self._scan(file), here, mapper.rules) if here else ():
                key = site_key(change.site, file)
                if key in known:
                    verdicts.results[key] = change
                else:
                    verdicts.extras.setdefault(file, []).append(change)

    def _gather(self, renderer: Renderer) -> None:
        verdicts = Verdicts(self._mapper_of, self._scan, self._writable, self._uses)
        every = [*{**self._unrendered, **self._solved}.values()]
        given = {"solved": every, "renderer": renderer, "builds": self._variants}
        self._found = replace(self._found, **given, verdicts=verdicts)
        for solved in self._solved.values():
            verdicts.add(solved)
            if solved.result.clash is not None and solved.text.tool is Tool.FLUX:
                note = _REFUSED_BY_FLUX.format(solved.chart.title, solved.result.clash)
                self._found.notes.append(ChartProblem(solved.text.file, solved.text.place, note))
            self._note_other_version(solved)
            if solved.moves.frozen:
                at, named = solved.text, ", ".join(dict.fromkeys(solved.moves.frozen))
                note = _FROZEN.format(named, solved.chart.title)
                problem = ChartProblem(at.file, at.place, note, code="tag-frozen")
                self._found.notes.append(problem)
            self._found.rot.extend(solved.rotten.findings)
            start = solved.text.document.offset(solved.text.root.start)
            self._found.owned.add((solved.text.file, start))
        for solved in self._solved.values() if self._options.prune else ():
            self._prune(solved, verdicts)
        verdicts.finish()
        self._found.results.update(verdicts.results)
        self._found.moves.update(verdicts.moves)
        self._found.extras.update(verdicts.extras)
        self._found.stories.update(verdicts.stories)
        self._found.notes.extend(verdicts.notes)
        self._found.known_tails.update(verdicts.tails)

    def _note_other_version(self, solved: Solved) -> None:
        """Notes a chart that stands in for another version than the release asks for."""
        source, chart, at = solved.text.release.source, solved.chart, solved.text
        if not is_other_version(chart.version, source.version):
            return
        if Locator(known=self._options.sources).known_path(source) is not None:
            note = _SUBSTITUTED.format(chart.name, chart.version, source.version)
            self._found.notes.append(ChartProblem(at.file, at.place, note))


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


def _may_name(site: ImageSite, file: str, item: VariantImage) -> bool:
    """Whether a site is one of a build's own values, and spells an image as it is rendered."""
    name = site.main.text[: name_length(site.main.text)]
    offset = site.document.offset(site.main.scalar.start)
    spans = (span for span in item.variant.spans if span.file == file)
    return (
        site.kind in _VALUES
        and item.image.raw_name.endswith(name)
        and any(offset in span for span in spans)
    )


def _outcome(item: VariantImage) -> ImageOutcome:
    """What happens to an image that only a variant renders."""
    if item.target is None:
        return ImageOutcome(item.image, None, Way.UNCHANGED)
    if item.moved:
        return ImageOutcome(item.image, item.target, Way.VALUES)
    way = Way.LEFT if entry_for(item.image, item.target) is None else Way.POST_RENDERER
    return ImageOutcome(item.image, item.target, way, _BEYOND)


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


def _by_chart(texts: list[ReleaseText]) -> Iterator[list[ReleaseText]]:
    ordered = sorted(texts, key=lambda text: (str(text.release.source), text.file))
    for _, group in groupby(ordered, key=lambda text: str(text.release.source)):
        yield list(group)


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
