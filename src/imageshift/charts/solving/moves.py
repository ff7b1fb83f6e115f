"""From what rendering says about one release to what happens to its images and of its text.

Images that changed values tie together move together or not at all. What a value's text has no
room for goes to the post-renderers; a Job that is no hook stays, with all that is tied to it (X11).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from imageshift.charts.model import RenderedImage, ValuePath, Values, Way
from imageshift.charts.post_renderers.existing import EntryEdit, PostRenderers
from imageshift.charts.post_renderers.postrender import (
    ImageEntry,
    Patch,
    entry_for,
    merge_entries,
    patch_for,
    patches_for,
)
from imageshift.charts.post_renderers.standing import PatchKey, patch_key, standing_patches
from imageshift.charts.releases.edits import ValueEdit, pins_version
from imageshift.charts.releases.flux import ReleaseText, Tool
from imageshift.charts.releases.layers import Layer
from imageshift.charts.releases.writing import (
    Insertion,
    Step,
    entry_edit,
    insertions,
    join_at_places,
    plan_value,
    post_renderers,
    renderer_edits,
)
from imageshift.charts.rendering.jobs import NO_JOBS, FixedJobs
from imageshift.charts.solving.override import ImageOutcome, Override
from imageshift.errors import SourceError
from imageshift.reference import name_length
from imageshift.sites import SkipReason
from imageshift.sites.keeps import Keep
from imageshift.source import Edit, Scalar, Sequence
from imageshift.source import Mapping as MapNode

__all__ = ["IGNORED", "Fate", "ReleaseMoves", "Terms", "layer_of", "plan_moves"]

_JOB = (
    "a Job that isn't a hook uses it, and applied Jobs can't be changed: delete the Job first, set "
    "`upgrade.force`, or `jobs: rewrite` in the configuration"
)
_ARGO_JOB = (
    "a Job that isn't a hook uses it, and applied Jobs can't be changed: give it the sync options "
    "Force=true,Replace=true, delete it first, or set `jobs: rewrite` in the configuration"
)
_CLASH = "only a post-renderer reaches it, and kustomize rejects what the chart renders: {}"
_CONTESTED = "spec.values and a targetPath of valuesFrom both set it, and either may win"
_NOTHING_BEHIND = "no value reaches it, and nothing here can change what the chart renders"
_GATED = (
    "the chart rejects other registries in its values: `charts: {allow_insecure_images: true}` in "
    "the configuration allows them"
)
_SPOILING = "another build has its own values, and the change would be wrong with them"
IGNORED = "a value that it comes from is marked `imageshift: ignore`"


class Fate(Struct, frozen=True):
    """What happens to one rendered image; `reason` says why one with a target stays.

    `done` says that a patch puts the target in its place already, `elsewhere` that only another
    build of the release renders it.
    """

    image: RenderedImage
    target: str | None
    way: Way
    reason: SkipReason | None = None
    detail: str | None = None
    done: bool = False
    elsewhere: bool = False

    @property
    def moves(self) -> bool:
        """Whether it gets its target."""
        return self.target is not None and self.reason is None and not self.done

    def stays(self, reason: SkipReason, detail: str) -> "Fate":
        """The same image, left where it is."""
        return replace(self, reason=reason, detail=detail)


class ReleaseMoves(Struct, frozen=True):
    """The fates of a release's images, the edits by file, and its values as they become.

    `frozen` are values and fields that now have a tag or digest which so far came with the chart.
    """

    fates: tuple[Fate, ...]
    edits: Mapping[str, tuple[Edit, ...]]
    values: Mapping[ValuePath, Any]
    renderers: tuple[Values, ...] = ()
    needs_hooks: bool = False
    frozen: tuple[str, ...] = ()


class Terms(Struct, frozen=True):
    """What limits the edits of a release.

    `layers` are those that may be edited, its own among them, topmost first; `ignored` the leaves
    that must stay, `spoiling` those whose change would be wrong in another build; `jobs` are those
    that may not change, `renderers` whether post-renderers may, `clash` why kustomize refuses all
    that the chart renders, `unproven` what new post-renderers would do wrong in another build.
    `keeps` are images that the user says stay.
    """

    layers: tuple[Layer, ...] = ()
    ignored: frozenset[ValuePath] = frozenset()
    spoiling: frozenset[ValuePath] = frozenset()
    jobs: FixedJobs = NO_JOBS
    keeps: tuple[Keep, ...] = ()
    renderers: bool = True
    clash: str | None = None
    unproven: str | None = None


def plan_moves(text: ReleaseText, result: Override, terms: Terms) -> ReleaseMoves:
    """The moves of one release."""
    return _Work(text, result, terms).run()


def layer_of(path: ValuePath, own: Layer, layers: Iterable[Layer]) -> Layer:
    """The layer that a changed value belongs to: the topmost that has it, else the own one."""
    for layer in layers:
        if layer.values is not None and _is_written(layer.values, path):
            return layer
    return own


class _Work:
    def __init__(self, text: ReleaseText, result: Override, terms: Terms) -> None:
        self._text = text
        self._result = result
        self._terms = terms
        self._wanted = {edit.path: edit.value for edit in result.edits}
        self._ties = _Ties(result)
        patched = standing_patches(text.release.post_renderers)
        standing = {key for p in result.patches if patched.get(key := patch_key(p)) == p.value}
        self._fates = [_fate(outcome, standing) for outcome in result.outcomes]
        self._steps: list[tuple[str, Step]] = []
        self._values: dict[ValuePath, Any] = {}

    def run(self) -> ReleaseMoves:
        for members, group in self._ties.groups():
            self._group(members, group)
        by_file = self._file_edits()
        entries, patches = self._renderers()
        return ReleaseMoves(
            fates=tuple(self._fates),
            edits=by_file,
            values=self._values,
            renderers=post_renderers(entries, patches),
            needs_hooks=any(entry.hook_only and not entry.test_only for entry in entries),
            frozen=tuple(self._frozen(patches)),
        )

    def _frozen(self, patches: Iterable[Patch]) -> Iterator[str]:
        for _, step in self._steps:
            if isinstance(step, Insertion) and pins_version(step.value):
                yield ".".join(step.path)
        yield from (patch.pointer for patch in patches if pins_version(patch.value))

    def _group(self, members: list[int], edits: list[ValueEdit]) -> None:
        """Decides over images that belong together."""
        fates = [self._fates[number] for number in members]
        blocked = self._blocked(fates)
        if blocked is not None:
            for number in members:
                if self._fates[number].target is not None:
                    self._fates[number] = self._fates[number].stays(*blocked)
            return
        try:
            self._refuse_contested(fates)
            steps = [self._step(edit) for edit in edits]
            insertions([step for _, step in steps if isinstance(step, Insertion)])
        except SourceError as error:
            for number in members:
                self._fates[number] = _post_rendered(self._fates[number], error)
            return
        self._steps += steps
        self._values |= {edit.path: edit.value for edit in edits}

    def _blocked(self, fates: list[Fate]) -> tuple[SkipReason, str] | None:
        moving = [fate for fate in fates if fate.target is not None]
        leaves = {segment.leaf for fate in moving for segment in fate.image.segments}
        if leaves & self._terms.ignored:
            return SkipReason.IGNORED, IGNORED
        texts = [fate.image.text for fate in moving]
        keep = next((k for k in self._terms.keeps if any(map(k.names, texts))), None)
        if keep is not None:
            return SkipReason.IGNORED, keep.said
        if any(self._terms.jobs.holds(fate.image) for fate in moving):
            return SkipReason.IMMUTABLE, _ARGO_JOB if self._text.tool is Tool.ARGO else _JOB
        return None

    def _step(self, edit: ValueEdit) -> tuple[str, Step]:
        """The change of the topmost layer that has the value, else of the release's own."""
        text = self._text
        layer = layer_of(edit.path, text.own, self._terms.layers)
        if edit.path in self._terms.spoiling:
            raise SourceError(_SPOILING, reason="conflict")
        step = plan_value(layer, text.new, edit, self._wanted, text.variables)
        return layer.file, step

    def _refuse_contested(self, fates: list[Fate]) -> None:
        """Refuses to change images of which a value is one thing or another (E3.3).

        Raises:
            SourceError: spec.values and a targetPath both set a part of a name.
        """
        for fate in fates:
            end = name_length(fate.image.text)
            for leaf in (s.leaf for s in fate.image.segments if s.start < end):
                if any(each.sets_one for each in self._holders(leaf)[1:]):
                    raise SourceError(_CONTESTED, reason="conflict")

    def _holders(self, path: ValuePath) -> list[Layer]:
        """The layers that set a value, topmost first."""
        layers = self._text.layers
        return [e for e in layers if e.values is not None and _is_written(e.values, path)]

    def _file_edits(self) -> dict[str, tuple[Edit, ...]]:
        by_file: dict[str, list[tuple[int, Edit]]] = {}
        new: dict[str, list[Insertion]] = {}
        for file, step in self._steps:
            if isinstance(step, Insertion):
                new.setdefault(file, []).append(step)
            else:
                by_file.setdefault(file, []).extend((9, edit) for edit in step)
        for file, steps in new.items():
            by_file.setdefault(file, []).extend(insertions(steps))
        by_file.setdefault(self._text.file, []).extend(self._renderer_edits())
        return {file: join_at_places(edits) for file, edits in by_file.items() if edits}

    def _renderer_edits(self) -> list[tuple[int, Edit]]:
        entries, patches = self._renderers()
        named = self._named()
        if not entries and not patches and not named:
            return []
        try:
            return self._written_renderers(entries, patches, named)
        except SourceError as error:
            for number, fate in enumerate(self._fates):
                if fate.moves and _is_post_rendered(fate):
                    self._fates[number] = fate.stays(SkipReason(error.reason), str(error))
            return []

    def _written_renderers(
        self,
        entries: tuple[ImageEntry, ...],
        patches: tuple[Patch, ...],
        named: tuple[EntryEdit, ...],
    ) -> list[tuple[int, Edit]]:
        spec, document = self._text.spec_node, self._text.document
        if self._text.tool is not Tool.FLUX:
            raise SourceError(_GATED if self._result.gated else _NOTHING_BEHIND, reason="template")
        if self._terms.clash is not None:
            raise SourceError(_CLASH.format(self._terms.clash), reason="template")
        if self._terms.unproven is not None:
            raise SourceError(self._terms.unproven, reason="unproven")
        if spec is None or not self._terms.renderers:
            raise SourceError("its base has post-renderers of its own", reason="conflict")
        made = [(9, entry_edit(document, spec, edit)) for edit in named]
        return made + renderer_edits(document, spec, entries, patches)

    def _renderers(self) -> tuple[tuple[ImageEntry, ...], tuple[Patch, ...]]:
        """The new entries and patches that the images need which values don't reach."""
        existing = PostRenderers.read(self._text.release.post_renderers)
        entries: list[ImageEntry] = []
        patched: list[tuple[RenderedImage, str]] = []
        for fate in self._fates:
            target = fate.target
            if target is None or not fate.moves or existing.takes(fate.image):
                continue
            if fate.way is Way.POST_RENDERER:
                entry = entry_for(fate.image, target)
                entries += [] if entry is None else [entry]
            elif fate.way is Way.PATCH:
                patched.append((fate.image, target))
        return merge_entries(entries), patches_for(patched)

    def _named(self) -> tuple[EntryEdit, ...]:
        """A newName for each entry without one that matches an image which moves.

        A newName that is written is a site of its own, which the rules for texts decide.
        """
        existing = PostRenderers.read(self._text.release.post_renderers)
        found = (
            existing.edit_for(fate.image, fate.target)
            for fate in self._fates
            if fate.target is not None and fate.moves and existing.takes(fate.image)
        )
        return tuple(dict.fromkeys(e for e in found if e is not None and e.old is None))


def _fate(outcome: ImageOutcome, standing: Collection[PatchKey]) -> Fate:
    image, target = outcome.image, outcome.target
    if target is not None and outcome.way is Way.PATCH:
        patch = patch_for(image, target)
        if patch is not None and patch_key(patch) in standing:
            return Fate(image, target, Way.PATCH, done=True)
    fate = Fate(image, target, outcome.way, elsewhere=outcome.elsewhere)
    return fate.stays(SkipReason.TEMPLATE, outcome.reason) if outcome.way is Way.LEFT else fate


def _post_rendered(fate: Fate, error: SourceError) -> Fate:
    """The image moved behind the chart, since its values' text can't be edited."""
    if fate.target is None or fate.way is not Way.VALUES:
        return fate
    if entry_for(fate.image, fate.target) is not None:
        return replace(fate, way=Way.POST_RENDERER)
    if patch_for(fate.image, fate.target) is not None:
        return replace(fate, way=Way.PATCH)
    return fate.stays(SkipReason(error.reason), str(error))


def _is_post_rendered(fate: Fate) -> bool:
    return fate.way in (Way.POST_RENDERER, Way.PATCH)


def _is_written(values: MapNode, path: ValuePath) -> bool:
    """Whether a path leads to something in a layer, or enters a list that the layer writes."""
    lists = [index for index, part in enumerate(path) if isinstance(part, int)]
    node: Any = values
    for index, part in enumerate(path):
        if isinstance(node, MapNode):
            node = node.get(str(part))
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            return False
        if node is None:
            return bool(lists) and index > lists[-1]
    return isinstance(node, Scalar)


class _Ties:
    """Which images hang together through the values that change, or through one entry."""

    def __init__(self, result: Override) -> None:
        self._result = result
        self._parent: dict[Any, Any] = {}
        paths = {edit.path for edit in result.edits}
        for number, outcome in enumerate(result.outcomes):
            self._root(number)
            for path in _changed(outcome.image, paths):
                self._join(number, path)
            if outcome.way is Way.POST_RENDERER:
                self._join(number, outcome.image.raw_name)
        for path in paths:
            self._root(path)

    def groups(self) -> Iterable[tuple[list[int], list[ValueEdit]]]:
        """The images of each group, with the changes that they need."""
        members: dict[Any, list[int]] = {}
        edits: dict[Any, list[ValueEdit]] = {}
        for number in range(len(self._result.outcomes)):
            members.setdefault(self._root(number), []).append(number)
        for edit in self._result.edits:
            edits.setdefault(self._root(edit.path), []).append(edit)
        for root in dict.fromkeys([*members, *edits]):
            yield members.get(root, []), edits.get(root, [])

    def _join(self, one: Any, other: Any) -> None:
        self._parent[self._root(one)] = self._root(other)

    def _root(self, member: Any) -> Any:
        self._parent.setdefault(member, member)
        while self._parent[member] != member:
            member = self._parent[member]
        return member


def _changed(image: RenderedImage, paths: set[ValuePath]) -> Iterable[ValuePath]:
    """The changed paths that an image's text comes through: its leaves, or lists around them."""
    for segment in image.segments:
        for end in range(1, len(segment.leaf) + 1):
            if segment.leaf[:end] in paths:
                yield segment.leaf[:end]
