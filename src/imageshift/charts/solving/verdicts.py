"""From the moves of releases to what happens to sites, and of images that no site names."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.cache import Mapped, Outcome
from imageshift.charts.model import RenderedImage, ValuePath, Way
from imageshift.charts.post_renderers.backward import patches_back
from imageshift.charts.post_renderers.existing import PostRenderers
from imageshift.charts.releases.flux import GRAPHED, Tool
from imageshift.charts.releases.layers import Layer
from imageshift.charts.solving.moves import IGNORED, Fate
from imageshift.charts.solving.run_files import RunFiles
from imageshift.charts.solving.solved import Leaves, Solved
from imageshift.errors import InvalidReferenceError, VariableReferenceError
from imageshift.links.model import SiteKey
from imageshift.reference import ImageReference, name_length
from imageshift.rewrite import (
    Backward,
    Change,
    Forward,
    Kept,
    Move,
    Status,
    keep,
)
from imageshift.sites import (
    Confidence,
    ImageSite,
    Origin,
    Part,
    Role,
    SiteKind,
    SkipReason,
)
from imageshift.solve.leaves import site_key
from imageshift.source import Edit, Place, Scalar

__all__ = ["ChartProblem", "Verdicts"]

_REPLACED = "the releases that use this text override it with their own values"
_ENTRY = "what runs after the chart matches it or renames it"
_HOOKS = "hooks are post-rendered only since helm-controller 1.6.0"


class ChartProblem(Struct, frozen=True):
    """Something to say about a release: mostly that its chart can't be found or rendered."""

    file: str
    place: Place
    message: str
    hint: str | None = None
    code: str = ""


class Verdicts(Struct):
    """Collects results release by release."""

    files: RunFiles
    uses: Mapping[tuple[str, int], int]
    results: dict[SiteKey, Change | Kept] = field(default_factory=dict)
    extras: dict[str, list[Change | Kept]] = field(default_factory=dict)
    stories: dict[SiteKey, tuple[str, ...]] = field(default_factory=dict)
    notes: list[ChartProblem] = field(default_factory=list)
    hidden: dict[SiteKey, ImageSite] = field(default_factory=dict)
    tails: dict[SiteKey, tuple[str, ...]] = field(default_factory=dict)
    moves: dict[str, set[Move]] = field(default_factory=dict)

    def add_left(self, solved: Solved, image: RenderedImage, text: str, why: str) -> None:
        """Adds an image that stays in a build; `text` is its name after all entries."""
        mapper, file = self.files.mapper_of(solved.text.file), solved.text.file
        final = replace(image, text=text, segments=())
        site = _One(self, solved, None).site(Fate(final, None, Way.LEFT))
        before = mapper.parse(text)
        outcome = mapper.map(before)
        if isinstance(outcome, Mapped):
            target, rule = outcome.target, outcome.rule
            kept = Kept(site, Status.SKIPPED, SkipReason.CONFLICT, why, before, target, rule)
            self.extras.setdefault(file, []).append(kept)

    def finish(self) -> None:
        """Decides over texts that every release which takes them replaces."""
        for key, site in self.hidden.items():
            kept = Kept(site, Status.SKIPPED, SkipReason.PLACEHOLDER, _REPLACED)
            self.results.setdefault(key, kept)

    def add(self, solved: Solved) -> None:
        """Adds the results for one release's images."""
        move = Move() if len(solved.moves.edits) > 1 else None
        if move is not None:
            for file in solved.moves.edits:
                self.moves.setdefault(file, set()).add(move)
        one = _One(self, solved, move)
        charts = {layer.file for layer in solved.text.layers if layer.in_chart}
        for file in one.leaves.files:
            # The images of a chart that this run doesn't report are told with the release.
            told = file not in charts or self.files.writable(file)
            for site in self.files.scan(file).sites if told else ():
                one.add_site(site, file)
        one.add_rest()
        one.add_entries()
        if solved.moves.needs_hooks:
            self.notes.append(ChartProblem(solved.text.file, solved.text.place, _HOOKS))


class _One:
    def __init__(self, verdicts: Verdicts, solved: Solved, move: Move | None) -> None:
        self._verdicts = verdicts
        self._solved = solved
        self._move = move
        self._mapper = verdicts.files.mapper_of(solved.text.file)
        self._existing = PostRenderers.read(solved.text.release.post_renderers)
        self.leaves = Leaves(solved.text)
        self._told: set[int] = set()
        self._claimed: set[ValuePath] = set()
        self._edited: set[str] = set()

    def add_site(self, site: ImageSite, file: str) -> None:
        """Decides a site whose text reaches rendered images."""
        key = site_key(site, file)
        if site.skip is not None:
            return
        self._claimed |= self.leaves.of(site, file)
        fates = self._fates_of(site, file)
        if key in self._verdicts.results:
            # Another release that takes the text has decided over it.
            given = self._verdicts.results[key]
            alike = (n for n, fate in fates if fate.reason is None or self._speaks_of(given, fate))
            self._told.update(alike)
            if isinstance(given, Change) and set(self._edits(file)) <= set(given.edits):
                self._edited.add(file)
            return
        if not fates:
            if key in self._solved.refused:
                self._verdicts.results[key] = Kept(site, Status.SKIPPED, *self._solved.refused[key])
            elif self.leaves.hides(site, file):
                self._verdicts.hidden.setdefault(key, site)
            return
        fate = min(fates, key=lambda each: (not each[1].moves, each[1].reason is None))[1]
        if fate.moves and self._is_shared(site, file):
            self._verdicts.hidden.setdefault(key, site)
            return
        self._told |= {number for number, _ in fates}
        result = self._result(site, file, fate)
        self._verdicts.results[key] = result
        self._verdicts.stories[key] = self._story([each for _, each in fates])
        if isinstance(result, Change):
            self._edited.add(file)

    def add_rest(self) -> None:
        """Adds the images that no site names, one for each text of a chart or of a file."""
        file = self._solved.text.file
        told = {self._solved.moves.fates[number].image.text for number in self._told}
        rest: dict[tuple[str, ValuePath], list[Fate]] = {}
        for number, fate in enumerate(self._solved.moves.fates):
            text = fate.image.text
            written = self._unclaimed(fate.image) if text in told else ()
            alike = text in told and not written and fate.reason is None
            known = number in self._told or alike or fate.detail == IGNORED
            if not known and not self._is_named_by_entry(fate.image):
                rest.setdefault((text, written), []).append(fate)
        for fates in rest.values():
            # Where one use moves and another stays, both are told.
            for stays in (False, True):
                some = [fate for fate in fates if (fate.reason is not None) == stays]
                if some:
                    self._add_extra(file, min(some, key=lambda each: not each.moves), some)
        self._add_unseen()
        if isinstance(self._mapper, Backward):
            self._add_patches()

    def _unclaimed(self, image: RenderedImage) -> ValuePath:
        """The value of the release's own text that names an image, and that no site is."""
        for leaf in _naming(image):
            layer = self.leaves.places.get(leaf, (None,))[0]
            if layer is self._solved.text.own and leaf not in self._claimed:
                return leaf
        return ()

    def add_entries(self) -> None:
        """Adds what the rendered images say about the entries that give them another name."""
        met: dict[ValuePath, list[Fate]] = {}
        for fate in self._solved.moves.fates:
            path, _ = self._existing.entry_of(fate.image) or (None, None)
            if path is not None:
                met.setdefault(("spec", "postRenderers", *path, "newName"), []).append(fate)
        text = self._solved.text
        for site in self._verdicts.files.scan(text.file).sites if met else ():
            if site.document.index == text.document.index and site.path in met:
                key, fates = site_key(site, text.file), met[site.path]
                fixed = next((f for f in fates if f.reason is SkipReason.IMMUTABLE), None)
                if fixed is not None and site.skip is None:
                    kept = Kept(site, Status.SKIPPED, fixed.reason, fixed.detail)
                    self._verdicts.results[key] = kept
                tails = {fate.image.text[len(fate.image.raw_name) :] for fate in fates}
                self._verdicts.tails[key] = tuple(sorted(tails))
                self._verdicts.stories[key] = self._story(fates)

    def _add_patches(self) -> None:
        """The patches of a migration are taken back, unless a site of the scan is one of them."""
        text = self._solved.text
        known = {site_key(site, text.file) for site in self._verdicts.files.scan(text.file).sites}
        found = patches_back(text.document, text.spec_node, text.resource, self._mapper)
        extras = self._verdicts.extras.setdefault(text.file, [])
        extras.extend(each for each in found if site_key(each.site, text.file) not in known)

    def _add_extra(self, file: str, fate: Fate, fates: list[Fate]) -> None:
        site = self.site(fate)
        result = self._result(site, file, fate)
        if isinstance(result, Kept) and isinstance(self._mapper, Backward):
            return
        self._verdicts.extras.setdefault(file, []).append(result)
        self._verdicts.stories[site_key(site, file)] = self._story(fates)
        if isinstance(result, Change):
            self._edited.add(file)

    def _add_unseen(self) -> None:
        """A result for each file with edits that no site of its own carries."""
        fates = self._solved.moves.fates
        moving = [f for f in fates if f.moves and not self._is_named_by_entry(f.image)]
        for file, edits in self._solved.moves.edits.items():
            if file not in self._edited and moving:
                site, fate = self._carrier(file, edits, moving)
                self._verdicts.extras.setdefault(file, []).append(self._result(site, file, fate))

    def _carrier(
        self, file: str, edits: tuple[Edit, ...], moving: list[Fate]
    ) -> tuple[ImageSite, Fate]:
        """An edited value of a file and an image that it moves; else the release and any image."""
        starts = {edit.span.start for edit in edits}
        for path, (layer, scalar) in self.leaves.places.items():
            if layer.file == file and layer.document.offset(scalar.start) in starts:
                for fate in moving:
                    if any(segment.leaf == path for segment in fate.image.segments):
                        made = self._made(layer, scalar, path, Origin.WRITTEN, SiteKind.VALUES)
                        return made, fate
        return self.site(moving[0]), moving[0]

    def _fates_of(self, site: ImageSite, file: str) -> list[tuple[int, Fate]]:
        fates = list(enumerate(self._solved.moves.fates))
        patched = self._solved.patched.get(site_key(site, file))
        if patched is not None:
            return [(number, fate) for number, fate in fates if fate.image is patched]
        paths = self.leaves.of(site, file)
        if not paths:
            return []
        found = [
            (number, fate)
            for number, fate in fates
            if any(segment.leaf in paths for segment in fate.image.segments)
        ]
        return found or [
            (number, fate) for number, fate in fates if self._is_named_alike(site, fate)
        ]

    def _speaks_of(self, given: Change | Kept, fate: Fate) -> bool:
        """Whether a result for a text that makes different images has the fate's."""
        with suppress(InvalidReferenceError):
            named = self._mapper.parse(fate.image.text).full_name
            return given.before is not None and given.before.full_name == named
        return True

    def _is_named_alike(self, site: ImageSite, fate: Fate) -> bool:
        """Whether a text that the chart looks at, so that it can't be traced, names an image."""
        if fate.elsewhere or fate.way in (Way.VALUES, Way.UNCHANGED):
            return False
        if _is_traced(fate.image) or self._is_literal(fate.image):
            return False
        try:
            named = self._mapper.parse(site.text).full_name
            return named == self._mapper.parse(fate.image.text).full_name
        except InvalidReferenceError:
            return False

    def _is_literal(self, image: RenderedImage) -> bool:
        """Whether a template of the chart itself names an image."""
        name, files = image.raw_name.encode(), self._solved.chart.files
        return any(name in text for path, text in files.items() if "templates/" in path)

    def _is_shared(self, site: ImageSite, file: str) -> bool:
        offset = site.document.offset(site.main.scalar.start)
        for layer, scalar in self.leaves.places.values():
            if layer is self._solved.text.own or layer in self._solved.text.above:
                continue
            if layer.file == file and layer.document.offset(scalar.start) == offset:
                may = layer.in_chart or self._solved.text.tool is Tool.ARGO
                shared = not may and self._verdicts.uses.get(layer.key, 0) > 1
                return shared or not self._edits(file)
        return False

    def _is_named_by_entry(self, image: RenderedImage) -> bool:
        """Whether an entry's newName, a site of its own, stands for the image."""
        last = self._existing.entry_of(image)
        if last is not None and not last[1].new_name:
            return False
        final = self._existing.apply(image)
        return final[: name_length(final)] != image.raw_name

    def _edits(self, file: str) -> tuple[Edit, ...]:
        return self._solved.moves.edits.get(file, ())

    def _result(self, site: ImageSite, file: str, fate: Fate) -> Change | Kept:
        final = self._existing.apply(fate.image)
        if self._is_named_by_entry(fate.image):
            detail = "a post-renderer puts another image in its place"
            return Kept(site, Status.SKIPPED, SkipReason.PLACEHOLDER, detail)
        try:
            before = self._mapper.parse(final)
        except InvalidReferenceError as error:
            variable = isinstance(error, VariableReferenceError)
            reason = SkipReason.VARIABLE if variable else SkipReason.NOT_A_REFERENCE
            return Kept(site, Status.SKIPPED, reason, str(error))
        outcome = self._outcome(before, final)
        if not isinstance(outcome, Mapped):
            return keep(site, before, outcome)
        if fate.moves:
            edits, after = self._edits(file), outcome.target
            return Change(site, before, after, outcome.rule, edits, outcome.mended, self._move)
        return self._stays(site, fate, before, outcome)

    def _outcome(self, before: ImageReference, text: str) -> Outcome:
        """Where an image goes; a stale override goes where the chart's own image would."""
        outcome = self._mapper.map(before)
        fixed = self._solved.rotten.fixes.get(text)
        if fixed is None or not isinstance(self._mapper, Forward):
            return outcome
        target = self._mapper.parse(fixed)
        rule = self._mapper.rules.rule_of(target)
        return outcome if rule is None else Mapped(target, rule, mended=True)

    def _stays(self, site: ImageSite, fate: Fate, before: ImageReference, outcome: Mapped) -> Kept:
        after, rule = outcome.target, outcome.rule
        if fate.done:
            return Kept(site, Status.CACHED, None, None, before, after, rule)
        reason, detail = fate.reason or SkipReason.TEMPLATE, fate.detail or "nothing reaches it"
        if self._solved.text.tool in GRAPHED and self._existing.takes(fate.image):
            reason, detail = SkipReason.PLACEHOLDER, _ENTRY
        return Kept(site, Status.SKIPPED, reason, detail, before, after, rule)

    def site(self, fate: Fate) -> ImageSite:
        """A site for an image that no site of the scan names."""
        post = fate.way in (Way.POST_RENDERER, Way.PATCH)
        for segment in () if post else fate.image.segments:
            written = self.leaves.places.get(segment.leaf)
            if written is not None and written[0] is self._solved.text.own:
                layer, scalar = written
                value = Scalar(scalar.start, scalar.end, None, fate.image.text, "", None)
                return self._made(layer, value, segment.leaf, Origin.WRITTEN, SiteKind.VALUES)
        text = self._solved.text
        anchor = text.anchor
        value = Scalar(anchor.start, anchor.start, None, fate.image.text, "", None)
        path: ValuePath = next((each.leaf for each in fate.image.segments), ())
        origin = Origin.POST_RENDERER if post else Origin.CHART
        kind = SiteKind.KUSTOMIZE if post else SiteKind.VALUES
        return self._made(text.own, value, () if post else path, origin, kind)

    def _made(
        self, layer: Layer, scalar: Scalar, path: ValuePath, origin: Origin, kind: SiteKind
    ) -> ImageSite:
        values = (*self._solved.text.new.path, *path)
        head = values if kind is SiteKind.VALUES else ("spec", "postRenderers")
        return ImageSite(
            kind=kind,
            document=layer.document,
            path=head,
            parts=(Part(Role.REFERENCE, scalar, head),),
            resource=self._solved.text.resource,
            confidence=Confidence.RENDERED,
            origin=origin,
        )

    def _story(self, fates: list[Fate]) -> tuple[str, ...]:
        release = self._solved.text.release
        lines = [
            f"chart      {self._solved.chart.title}, release {release.namespace}/{release.name}"
        ]
        for fate in fates:
            image = fate.image
            where = ".".join(str(part) for part in image.path)
            lines.append(f"rendered   {image.object} {where} ({image.template})")
            leaves = dict.fromkeys(
                ".".join(str(part) for part in segment.leaf) for segment in image.segments
            )
            if leaves:
                lines.append(f"  from values {', '.join(leaves)}")
            if fate.moves and fate.way is not Way.VALUES:
                lines.append(f"  moved by a {fate.way} (spec.postRenderers)")
            if fate.moves and image.hook and fate.way is Way.POST_RENDERER:
                lines.append(f"  {_HOOKS}")
        return tuple(dict.fromkeys(lines))


def _naming(image: RenderedImage) -> Iterator[ValuePath]:
    """The values that an image's name is made of."""
    end = name_length(image.text)
    return (segment.leaf for segment in image.segments if segment.start < end)


def _is_traced(image: RenderedImage) -> bool:
    return next(_naming(image), None) is not None
