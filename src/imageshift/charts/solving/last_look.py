"""The last look at the releases that builds patch: what all edits together come to in each build.

An overlay's values move by their own text, while the chart, its Jobs and the entries behind it
decide what a build makes of them. So each build of such a release is evaluated as it is and as the
run would leave it; where it would get another image, the images that the build itself brings stay.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import ChartError, RenderedImage, RenderError, Values
from imageshift.charts.releases.flux import Tool
from imageshift.charts.releases.layers import FileSpan, span_of
from imageshift.charts.releases.spec import to_filled
from imageshift.charts.rendering.jobs import AppliedJobs
from imageshift.charts.rendering.render import Manifests, Renderer
from imageshift.charts.solving.evaluate import Images, delivered
from imageshift.charts.solving.solved import Solved
from imageshift.charts.solving.variants import Variant, Variants
from imageshift.charts.values import lookup
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import read_documents
from imageshift.links.reach import Reach
from imageshift.plan import WHOLE_FILE, FilePlan, Missing, Result, Unproven
from imageshift.reference import name_length, parse_reference
from imageshift.repo.workspace import Workspace
from imageshift.rewrite import Change, Status
from imageshift.sites import SkipReason

__all__ = ["LastLook", "Seen", "Silent"]

_WHY = "{} would get {} in the build of {}, where it has {} now"
_JOB = "{} in the build of {} is a Job that isn't a hook, and applied Jobs can't be changed"
_LEFT = "it moves elsewhere, but nothing can change the values that the build of {} gives it"

_FIXED = frozenset({SkipReason.IMMUTABLE, SkipReason.IGNORED, SkipReason.UNPROVEN})
"""Why an image stays wherever it is."""
_LEAVING = frozenset({Status.SKIPPED, Status.DOUBTFUL})


class _Edited(Workspace):
    """A workspace in which some files have other contents."""

    contents: Mapping[str, bytes] = {}

    def read(self, name: str) -> bytes:
        return self.contents[name] if name in self.contents else super().read(name)


class Silent(Struct, frozen=True):
    """An image that stays in a build of a release though no result says so: its text, and why."""

    solved: Solved
    image: RenderedImage
    text: str
    why: str


class Seen(Struct):
    """What a last look finds: see `Unproven` and `Missing`, and the images that stay unsaid."""

    unproven: Unproven = field(default_factory=dict)
    missing: Missing = field(default_factory=dict)
    silent: list[Silent] = field(default_factory=list)


class LastLook:
    """Looks at releases once all is decided.

    `builds` says what each build makes of a release, `plan` what the run makes of a file.
    """

    def __init__(
        self,
        index: Index,
        solved: Iterable[Solved],
        renderer: Renderer,
        builds: Variants,
        plan: Callable[[str], FilePlan | None],
    ) -> None:
        self._index = index
        self._solved = [one for one in solved if one.text.tool is Tool.FLUX and not one.text.base]
        self._renderer = renderer
        self._plan = cache(plan)
        self._before = builds

    def look(self) -> Seen:
        """What is wrong or missing in any build of any patched release."""
        looked = [(solved, builds) for solved in self._solved if (builds := self._patched(solved))]
        files = {file for solved, builds in looked for file in _files(solved, builds)}
        plans = {file: plan for file in sorted(files) if (plan := self._plan(file)) is not None}
        contents = {file: plan.after for file, plan in plans.items() if plan.after != plan.before}
        seen = Seen()
        after = _edited(self._index, contents) if looked else self._index
        variants = Variants(after, Reach(after))
        for solved, builds in looked:
            look = _Look(solved, self._renderer, after, contents)
            for why, own in self._spoilt(look, builds, variants):
                changed = sorted(contents.keys() & _files(solved, builds))
                whole = [(file, WHOLE_FILE) for file in changed]
                for file, offset in self._guilty(solved, own) or whole:
                    seen.unproven.setdefault(file, {}).setdefault(offset, why)
            self._note_left(look, _files(solved, builds), seen)
        return seen

    def _note_left(self, look: "_Look", files: Iterable[str], seen: Seen) -> None:
        """Notes what stays in the builds of a release and has no result that says why."""
        plans = [plan for file in files if (plan := self._plan(file)) is not None]
        own = look.solved.text.resource
        kept = [
            each
            for plan in plans
            for each in plan.results
            if each.status in _LEAVING
            and (each.site.resource.kind != own.kind or each.site.resource.name == own.name)
        ]
        said = {_name(each) for each in kept}
        fixed = {_name(each) for each in kept if each.reason in _FIXED}
        text = look.solved.text
        known = self._index.missing.get((text.file, text.offset), frozenset())
        movable = {i.text for one, i in look.movable.items() if _normal_name(one) not in fixed}
        if movable - known:
            seen.missing[text.file, text.offset] = known | movable
        seen.silent += (
            Silent(look.solved, image, one, _LEFT.format(build))
            for one, (image, build) in look.left.items()
            if _normal_name(one) not in said
        )

    def _patched(self, solved: Solved) -> dict[str, Variant]:
        """The builds of a release, where any of them adds to it or has it in two ways."""
        text = solved.text
        with suppress(ChartError):
            found = self._before.by_build(text.resource.name, text.file, text.spec)
            if any(each.patches or len(each.all_values()) > 1 for each in found.values()):
                return found
        return {}

    def _spoilt(
        self, look: "_Look", builds: Mapping[str, Variant], variants: Variants
    ) -> Iterator[tuple[str, frozenset[FileSpan]]]:
        """Why a build would be other than it is, with where its own values are written."""
        text = look.solved.text
        layers = {layer.span for layer in text.layers}
        afterwards = variants.by_build(text.resource.name, text.file, look.spec_after())
        seen: list[Any] = []
        for key in [key for key in builds if key in afterwards]:
            old, new = builds[key], afterwards[key]
            with suppress(ChartError):
                sides = old.made(), new.made(), old.all_values(), new.all_values()
                if sides not in seen:
                    seen.append(sides)
                    why = look.wrong(old, new, key.partition(" ")[0])
                    if why is not None:
                        yield why, old.spans - layers

    def _guilty(self, solved: Solved, own: frozenset[FileSpan]) -> list[tuple[str, int]]:
        """The images that move and that a build brings itself; else those of the release."""
        text = solved.text
        release = span_of(text.file, text.document, text.root)
        layers = filter(None, (layer.span for layer in text.layers))
        found = (list(self._changes(spans)) for spans in (own, (release,), layers))
        return next(filter(None, found), [])

    def _changes(self, spans: Iterable[FileSpan]) -> Iterator[tuple[str, int]]:
        for span in sorted(spans, key=lambda span: (span.file, span.start)):
            plan = self._plan(span.file)
            for result in () if plan is None else plan.results:
                offset = result.site.document.offset(result.site.main.scalar.start)
                if isinstance(result, Change) and offset in span:
                    yield span.file, offset


def _files(solved: Solved, builds: Mapping[str, Variant]) -> frozenset[str]:
    """The files that decide what the builds of a release come to."""
    layers = (layer.file for layer in solved.text.layers)
    return frozenset({solved.text.file, *layers}).union(*(each.files for each in builds.values()))


class _Side(Struct, frozen=True):
    """A build of a release before or after the run."""

    chart: ChartFiles
    variant: Variant
    values: Values


class _Look:
    """Compares what a release renders in a build with what it will.

    `after` is the index of the tree as it will be, `contents` has the files that change. `left` are
    the texts of images that stay though they have a target, each with one such image and its build;
    `movable` are those that an entry of the release would meet.
    """

    def __init__(
        self, solved: Solved, renderer: Renderer, after: Index, contents: Mapping[str, bytes]
    ) -> None:
        self.solved = solved
        self._renderer = renderer
        self._after = after
        self._contents = contents
        self.left: dict[str, tuple[RenderedImage, str]] = {}
        self.movable: dict[str, RenderedImage] = {}

    def spec_after(self) -> Mapping[str, Any]:
        """The spec of the release as the run leaves it."""
        text = self.solved.text
        for document in read_documents(self._after.workspace, text.file):
            for root in objects(document.root) if document.index == text.document.index else ():
                plain = to_filled(root, text.variables)
                same = lookup(plain, ("metadata", "name")) == text.resource.name
                if same and plain.get("kind") == "HelmRelease":
                    return plain.get("spec") or {}
        return text.spec

    def wrong(self, before: Variant, after: Variant, build: str) -> str | None:
        """Why the second isn't the first with mapped images; None where it is, or can't be told."""
        try:
            chart = self.solved.chart.for_release(self.solved.text.release)
            both = [*zip(before.all_values(), after.all_values(), strict=True)]
            new = self._chart_after()
        except (ChartError, SourceError):
            return None
        found = [
            self._difference(_Side(chart, before, one), _Side(new, after, other), build)
            for one, other in both
        ]
        if self.solved.text.late and self._contents:
            # Flux keeps a chart from Git until its version changes (E3.2).
            found += [
                self._difference(
                    _Side(chart, before, one), _Side(chart, after, other), build, late=True
                )
                for one, other in both
            ]
        return next((why for why in found if why is not None), None)

    def _difference(
        self, before: "_Side", after: "_Side", build: str, *, late: bool = False
    ) -> str | None:
        try:
            old = self._images(before)
        except RenderError:
            return None
        try:
            new = self._images(after) if self._contents else old
        except RenderError as error:
            return str(error)
        found = self._other_image(old, new, build) or self._job(before, after, (old, new), build)
        if found is None and not late:
            for key, (image, text) in old.items():
                if new[key][1] == text and self.solved.judge.target(text) not in {None, text}:
                    self.left.setdefault(text, (image, build))
                    if not after.variant.decided:
                        self.movable.setdefault(text, image)
        return found

    def _other_image(self, old: Images, new: Images, build: str) -> str | None:
        for key, (image, _) in (new | old).items():
            one, other = (side[key][1] if key in side else "no image" for side in (old, new))
            if not self._is_mapped(one, other):
                return _WHY.format(image.object, other, build, one)
        return None

    def _is_mapped(self, old: str, new: str) -> bool:
        target = self.solved.judge.target(old)
        return new in {old, target} or _normal(new) in {_normal(old), _normal(target or old)}

    def _job(
        self,
        before: "_Side",
        after: "_Side",
        images: tuple[Images, Images],
        build: str,
    ) -> str | None:
        jobs = self.solved.jobs
        if jobs is None:
            return None
        old, new = images
        changed = {
            image.object
            for key, (image, text) in old.items()
            if image.object.kind == "Job" and key in new and new[key][1] != text
        }
        if not changed:
            return None
        installed = tuple(image for image, _ in old.values())
        applied = AppliedJobs(
            partial(self._revision, before.chart),
            before.values,
            installed,
            jobs.upgrades,
            jobs.is_free,
        )
        fixed = applied.fixed(after.values).names & changed
        return next((_JOB.format(each, build) for each in sorted(fixed, key=str)), None)

    def _revision(self, chart: ChartFiles, values: Values, revision: int) -> Manifests:
        options = replace(self.solved.text.release.options, revision=revision)
        return self._renderer.render(chart, values, options)

    def _images(self, side: "_Side") -> Images:
        options = self.solved.text.release.options
        rendered = self._renderer.render(side.chart, side.values, options)
        return delivered(rendered, side.variant.entries)

    def _chart_after(self) -> ChartFiles:
        """The chart with the values that the run gives its files in the tree."""
        release, chart = self.solved.text.release, self.solved.chart
        workspace = self._after.workspace
        names = {name: join("", name.lstrip("/")) or "" for name in release.values_texts}
        texts = {name: workspace.read(file) for name, file in names.items()}
        path = release.source.path
        if path is not None and path.is_relative_to(workspace.root):
            top = f"{workspace.relative(path)}/"
            files = chart.files.items()
            now = {name: self._contents.get(top + name, content) for name, content in files}
            chart = ChartFiles(now, chart.origin)
        return chart.for_release(replace(release, values_texts=texts))


def _edited(index: Index, contents: Mapping[str, bytes]) -> Index:
    """The index of the tree with other contents: what it says of files by their names holds."""
    workspace = index.workspace
    edited = _Edited(workspace.root, workspace.exclude, contents=contents)
    return replace(index, workspace=edited)


def _name(result: Result) -> str:
    before = result.before
    return _normal_name(result.site.text if before is None else before.full_name)


def _normal_name(text: str) -> str:
    return _normal(text[: name_length(text)])


def _normal(text: str) -> str:
    with suppress(InvalidReferenceError):
        return parse_reference(text).normalized
    return text
