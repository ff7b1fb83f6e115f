"""Values of one chart in several texts that lie over one another, where one sets a part only.

A release's own values lie over those that `valuesFrom` brings, Argo CD's parameters over its
values, `values-prod.yaml` over `values.yaml`, a chart's values over its subcharts'. An image is
what they make together: its texts move as every image that they can make asks, or none does.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.cache import Mapped
from imageshift.charts.model import ChartError, ValuePath
from imageshift.charts.releases.layers import scalars
from imageshift.charts.unrendered.guards import Guard, Guards, chart_guards
from imageshift.charts.unrendered.value_pairs import (
    Pair,
    Piece,
    comes_apart,
    doubt,
    fit,
    groups,
    pairs_of,
    parts_of_names,
)
from imageshift.charts.unrendered.value_stacks import (
    Stack,
    ValuesLayer,
    read_stacks_of,
    release_specs,
)
from imageshift.charts.values import parse_target
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.inventory import FileScan, Index
from imageshift.links.model import SiteKey
from imageshift.links.reach import Reach
from imageshift.links.release_patches import release_patches
from imageshift.plan import Decisions
from imageshift.rewrite import Change, Kept, Mapper, Move, Status, keep, plan_site
from imageshift.sites import Confidence, ImageSite, Part, Role, SkipReason, resource_of
from imageshift.sites.model import below
from imageshift.sites.values import REPOSITORY_KEYS, global_registry, is_partial
from imageshift.solve.leaves import site_key
from imageshift.source import Edit, Mapping

__all__ = ["Stacks", "read_stacks"]

_IMAGE_KEYS = frozenset({"registry", "tag", "digest", *REPOSITORY_KEYS})
_EITHER = "a targetPath of valuesFrom also sets all or part of it, and either may win"
_APART = "the values at {} would change at a different time: Flux builds the chart later"
_TAKEN = "the text at {} is also part of other images, which decide what it can become"
_FIXED = "the values at {} set a part of it, which can't be changed"


class _Verdict(Struct, frozen=True):
    """What happens to the texts of a group: they move together, or all stay for one reason."""

    pairs: dict[SiteKey, Pair]
    texts: dict[SiteKey, str]
    move: Move
    problem: str | None = None
    status: Status = Status.SKIPPED


class Stacks(Struct, frozen=True):
    """What values over other values decide.

    `verdicts` are those of the registries and repositories that meet others, `below` says which
    key of other values may override a text, `apart` which may be a part of its image's name,
    `guards` what of the chart holds it.
    """

    mapper_of: Callable[[str], Mapper]
    verdicts: dict[SiteKey, _Verdict] = field(default_factory=dict)
    below: dict[SiteKey, str] = field(default_factory=dict)
    apart: dict[SiteKey, str] = field(default_factory=dict)
    guards: dict[SiteKey, Guard] = field(default_factory=dict)
    taken: set[SiteKey] = field(default_factory=set)
    moves: dict[str, set[Move]] = field(default_factory=dict)

    def decided(self, site: ImageSite, file: str) -> Change | Kept | None:
        """What happens to a site; None where its own text says all."""
        if not (self.verdicts or self.below or self.apart or self.guards):
            return None
        key = site_key(site, file)
        found = self._held(site, file) or self._overridden(site, file)
        verdict = self.verdicts.get(key)
        if found is not None or key in self.taken:
            return found
        if verdict is not None and site.skip is None:
            return _by_verdict(site, file, verdict, self.mapper_of(file))
        apart = self.apart.get(key)
        if apart is None or site.apart is not None or not site.needs_host:
            return None
        return plan_site(replace(site, apart=apart), self.mapper_of(file))

    def _overridden(self, site: ImageSite, file: str) -> Kept | None:
        """A site that would move, but that another key may override."""
        note = self.below.get(site_key(site, file))
        if note is None or not _is_sure(site):
            return None
        made = plan_site(site.doubtful(note), self.mapper_of(file))
        return made if isinstance(made, Kept) and made.status is Status.DOUBTFUL else None

    def _held(self, site: ImageSite, file: str) -> Kept | None:
        """A site that would move, but that the chart's own text holds."""
        found = (self.guards.get(_key(part, site, file)) for part in _parts(site))
        guard = next(filter(None, found), None)
        made = None if guard is None else plan_site(site, self.mapper_of(file))
        if guard is None or not isinstance(made, Change):
            return None
        told = (guard.detail, made.before, made.after, made.rule)
        if guard.is_job:
            return Kept(site, Status.SKIPPED, SkipReason.IMMUTABLE, *told)
        return Kept(site, Status.DOUBTFUL, None, *told)

    def extra(self, _file: str) -> list[Change | Kept]:
        """Nothing."""
        return []

    def tails(self, _site: ImageSite, _file: str) -> tuple[str, ...]:
        """Nothing."""
        return ()


def _is_sure(site: ImageSite) -> bool:
    return site.skip is None and site.confidence is not Confidence.DOUBTFUL


def _by_verdict(
    site: ImageSite, file: str, verdict: _Verdict, mapper: Mapper
) -> Change | Kept | None:
    """What a group's verdict is for one of its sites, told by the image that it takes part in."""
    if verdict.problem is not None:
        made = plan_site(site, mapper)
        if not isinstance(made, Change):
            return None
        stays = SkipReason.CONFLICT if verdict.status is Status.SKIPPED else None
        told = (made.before, made.after, made.rule)
        return Kept(site, verdict.status, stays, verdict.problem, *told)
    pair = verdict.pairs[site_key(site, file)]
    text = site.text if _is_whole(site) else pair.name_text + site.identifier_text
    try:
        before = mapper.parse(text)
        changed = [(p, verdict.texts.get(_key(p, site, file))) for p in _parts(site)]
        edits = tuple(_edit(site, part, new) for part, new in changed if new is not None)
    except (InvalidReferenceError, SourceError):
        return None
    outcome = mapper.map(before)
    if not isinstance(outcome, Mapped):
        return keep(site, before, outcome)
    sure = replace(site, confidence=Confidence.LIKELY, note=None)
    move, after = verdict.move, outcome.target
    return Change(sure, before, after, outcome.rule, edits, outcome.mended, move)


def _is_whole(site: ImageSite) -> bool:
    return site.part(Role.REPOSITORY) is not None and site.part(Role.REGISTRY) is not None


def _parts(site: ImageSite) -> list[Part]:
    return [part for part in site.parts if part.role not in {Role.TAG, Role.DIGEST}]


def _key(part: Part, site: ImageSite, file: str) -> SiteKey:
    return file, site.document.offset(part.scalar.start), part.scalar.value


def _edit(site: ImageSite, part: Part, new: str) -> Edit:
    return site.document.replace(part.scalar, part.scalar.value, new)


def read_stacks(  # noqa: PLR0913 as solve.decisions
    index: Index,
    reach: Reach,
    mapper_of: Callable[[str], Mapper],
    scan: Callable[[str], FileScan],
    writable: Callable[[str], bool],
    others: Sequence[Decisions] = (),
    *,
    guarded: bool = False,
) -> Stacks:
    """What the layers of values of every release, Application, helmfile and chart decide.

    `others` decide over images as well: what they have an answer for isn't moved here. `guarded`
    says that no chart is rendered, so that what its templates say is heeded.
    """
    found, pairs = Stacks(mapper_of), dict[tuple[SiteKey, SiteKey], Pair]()
    guards = _GuardReader(index)
    for stack in read_stacks_of(index, reach):
        layers = stack.layers
        if guarded and stack.folder in index.charts:
            found.guards.update(guards.of(stack))
        if len(layers) > 1:
            found.below.update(_below(layers))
            found.apart.update((piece.key, part) for piece, part in parts_of_names(layers))
            for pair in pairs_of(layers):
                pairs.setdefault((pair.registry.key, pair.repository.key), pair)
    found.below.update(_contested(index, reach))
    judge = _Judge(found, scan, writable, others)
    for group in groups(pairs.values()):
        judge.decide(group)
    return found


class _GuardReader:
    """Reads each chart once for each way to install it."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._read = lru_cache(maxsize=None)(self._of_chart)
        self._done: set[tuple[ValuesLayer, str, bool, bool]] = set()

    def of(self, stack: Stack) -> Iterator[tuple[SiteKey, Guard]]:
        """The values that stay as the chart of a stack is written."""
        jobs = not (self._index.rewrite_jobs or stack.forced)
        way = (stack.folder or "", stack.upgrades, jobs)
        guards = self._read(*way)
        layers = [layer for layer in stack.layers if (layer, *way) not in self._done]
        self._done |= {(layer, *way) for layer in layers if layer.in_chart}
        for layer in layers:
            for path, scalar in scalars(layer.values):
                guard = guards.at(tuple(map(str, path)))
                if guard is not None:
                    yield layer.key(scalar), guard

    def _of_chart(self, folder: str, upgrades: bool, jobs: bool) -> Guards:  # noqa: FBT001
        return chart_guards(self._index, folder, upgrades=upgrades, jobs=jobs)


class _Judge:
    """Decides over groups of pairs."""

    def __init__(
        self,
        found: Stacks,
        scan: Callable[[str], FileScan],
        writable: Callable[[str], bool],
        others: Sequence[Decisions],
    ) -> None:
        self._found = found
        self._scan = scan
        self._writable = writable
        self._others = others
        self._sites = lru_cache(maxsize=64)(self._sites_of)

    def decide(self, group: list[Pair]) -> None:
        """Notes the verdict of one group for each of its texts."""
        verdict = self._verdict(group)
        for pair in group:
            for piece in pair.pieces:
                self._found.verdicts[piece.key] = verdict
                if verdict.problem is None and verdict.texts:
                    moves = self._found.moves.setdefault(piece.layer.file, set())
                    moves.add(verdict.move)

    def _verdict(self, group: list[Pair]) -> _Verdict:
        told = {piece.key: pair for pair in group for piece in pair.pieces}
        pieces = {piece.key: piece for pair in group for piece in pair.pieces}
        texts = self._texts(group)
        if isinstance(texts, str):
            return _Verdict(told, {}, Move(), texts)
        changed = {key: pieces[key].rewritten(new) for key, new in texts.items()}
        changed = {key: new for key, new in changed.items() if new != pieces[key].scalar.value}
        sites = {key: self._site(piece) for key, piece in pieces.items()} if changed else {}
        known = {key: site for key, site in sites.items() if site is not None}
        answers = {key: found for key, site in known.items() if (found := self._answer(key, site))}
        self._found.taken.update(answers)
        moves = {found.move for found in answers.values() if isinstance(found, Change)} - {None}
        other = (
            key for key, found in answers.items() if not _agrees(key, known[key], found, changed)
        )
        taken = next(other, None) or (next(iter(answers)) if len(moves) > 1 else None)
        note = next(self._doubts(group, pieces, known, taken), None) if changed else None
        if note is not None:
            return _Verdict(told, {}, Move(), note, Status.DOUBTFUL)
        fixed = (pieces[key] for key in changed if self._is_fixed(pieces[key], sites[key]))
        problem = next((_FIXED.format(piece.place) for piece in fixed), None)
        move = next(iter(moves), None) or Move()
        return _Verdict(told, {} if problem else changed, move, problem)

    def _texts(self, group: list[Pair]) -> dict[SiteKey, str] | str:
        """The new texts of a group, or why there are none."""
        texts = fit(group, self._found.mapper_of)
        if not isinstance(texts, str):
            mapper = self._found.mapper_of(group[0].registry.layer.file)
            torn = (pair for pair in group if comes_apart(pair, texts, mapper))
            return next((_APART.format(pair.registry.place) for pair in torn), texts)
        return texts

    def _doubts(
        self,
        group: list[Pair],
        pieces: dict[SiteKey, Piece],
        known: dict[SiteKey, ImageSite],
        taken: SiteKey | None,
    ) -> Iterator[str]:
        """Why the texts may not be all of an image, or not what they seem."""
        complete = bool(known) and not any(site.needs_host for site in known.values())
        for pair in group:
            told = doubt(pair, self._found.mapper_of(pair.repository.layer.file), complete=complete)
            yield from [] if told is None else [told]
        doubtful = (site for site in known.values() if site.confidence is Confidence.DOUBTFUL)
        yield from (site.note or "" for site in doubtful if not is_partial(site))
        yield from [] if taken is None else [_TAKEN.format(pieces[taken].place)]
        yield from (self._found.guards[key].detail for key in pieces if key in self._found.guards)
        yield from (self._found.below[key] for key in pieces if key in self._found.below)

    def _answer(self, key: SiteKey, site: ImageSite) -> Change | Kept | None:
        """What something else decides over a text."""
        found = (other.decided(site, key[0]) for other in self._others)
        return next((answer for answer in found if answer is not None), None)

    def _is_fixed(self, piece: Piece, site: ImageSite | None) -> bool:
        """Whether a text can't change in this run."""
        return site is None or site.skip is not None or not self._writable(piece.layer.file)

    def _site(self, piece: Piece) -> ImageSite | None:
        return self._sites(piece.layer.file).get(piece.key)

    def _sites_of(self, file: str) -> dict[SiteKey, ImageSite]:
        """The sites of a file, by each of their texts."""
        try:
            found = self._scan(file).sites
        except SourceError:
            return {}
        return {_key(part, site, file): site for site in found for part in _parts(site)}


def _agrees(
    key: SiteKey, site: ImageSite, answer: Change | Kept, changed: dict[SiteKey, str]
) -> bool:
    """Whether something else makes of a text what its group does."""
    if not isinstance(answer, Change):
        return False
    part = next(part for part in _parts(site) if _key(part, site, key[0]) == key)
    start, end = (site.document.offset(at) for at in (part.scalar.start, part.scalar.end))
    theirs = [e for e in answer.edits if start <= e.span.start and e.span.end <= end]
    return theirs == ([_edit(site, part, changed[key])] if key in changed else [])


def _below(layers: list[ValuesLayer]) -> Iterator[tuple[SiteKey, str]]:
    """The values in layers beside one that sets one registry for all images."""
    for other in layers:
        key = global_registry(other.values)
        for layer in layers if key is not None else ():
            note = f"{key} may override it ({other.file}); only the chart can tell"
            if layer is not other:
                yield from ((layer.key(scalar), note) for _, scalar in scalars(layer.values))


def _contested(index: Index, reach: Reach) -> Iterator[tuple[SiteKey, str]]:
    """Values that a release or its patch sets, and a `targetPath` too: either may win (E3.3)."""
    found = [(*each, set(_target_paths(below(each[2], "spec")))) for each in release_specs(index)]
    found = [each for each in found if each[3]]
    patches = [patch for patch, _ in release_patches(index, reach)] if found else []
    for file, document, root, paths in found:
        blocks = {path[:-1] for path in paths if path[-1] in _IMAGE_KEYS}
        name = resource_of(root).name
        own = [(file, document, each) for each in scalars(below(root, "spec", "values"))]
        own += [
            (patch.file, patch.document, each)
            for patch in patches
            if patch.release in {None, name}
            for each in patch.values.items()
        ]
        for at, inner, (path, scalar) in own:
            if path in paths or path[:-1] in blocks:
                yield (at, inner.offset(scalar.start), scalar.value), _EITHER


def _target_paths(spec: Mapping) -> Iterator[ValuePath]:
    """The values that `targetPath`s set; one that can't be read sets none."""
    for item in spec.items("valuesFrom"):
        target = item.text("targetPath") if isinstance(item, Mapping) else None
        with suppress(ChartError):
            if target is not None:
                yield parse_target(target)
