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
from imageshift.charts.guards import Guard, chart_guards
from imageshift.charts.layers import scalars
from imageshift.charts.model import ChartError, ValuePath
from imageshift.charts.value_pairs import (
    Pair,
    Piece,
    blocks_of,
    comes_apart,
    doubt,
    evidence,
    fit,
    groups,
    pairs_of,
)
from imageshift.charts.value_stacks import Stack, ValuesLayer, read_stacks_of, release_specs
from imageshift.charts.values import parse_target
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.inventory import FileScan, Index
from imageshift.links.model import SiteKey
from imageshift.plan import Decisions
from imageshift.rewrite import Change, Kept, Mapper, Move, Status, keep, plan_site
from imageshift.sites import Confidence, ImageSite, Part, Role, SkipReason
from imageshift.sites.model import below
from imageshift.sites.values import REPOSITORY_KEYS, global_registry, is_partial
from imageshift.solve.leaves import site_key
from imageshift.source import Edit, Mapping

__all__ = ["Stacks", "read_stacks"]

_IMAGE_KEYS = frozenset({"registry", "tag", "digest", *REPOSITORY_KEYS})
_EITHER = "a targetPath of valuesFrom sets it, or a part of it, as well, and either may win"
_APART = "the values at {} would change at another time: Flux builds the chart later"
_TAKEN = "the text at {} takes part in other images, which decide over it"
_FIXED = "the values at {} set a part of it, which can't be changed"


class _Verdict(Struct, frozen=True):
    """What becomes of the texts of a group: they move together, or all stay for one reason."""

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
    moves: dict[str, set[Move]] = field(default_factory=dict)

    def decided(self, site: ImageSite, file: str) -> Change | Kept | None:
        """What becomes of a site; None where its own text says all."""
        if not (self.verdicts or self.below or self.apart or self.guards):
            return None
        held = self._held(site, file) if self.guards else None
        if held is not None:
            return held
        key, mapper = site_key(site, file), self.mapper_of(file)
        note = self.below.get(key)
        if note is not None and _is_sure(site):
            made = plan_site(site.doubtful(note), mapper)
            return made if made.status is Status.DOUBTFUL else None
        verdict = self.verdicts.get(key)
        if verdict is not None and site.skip is None:
            return _by_verdict(site, file, verdict, mapper)
        apart = self.apart.get(key)
        if apart is None or site.apart is not None or not site.needs_host:
            return None
        return plan_site(replace(site, apart=apart), mapper)

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


def read_stacks(
    index: Index,
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
    for stack in read_stacks_of(index):
        layers = stack.layers
        if guarded and stack.folder is not None:
            found.guards.update(_guarded(index, stack))
        if len(layers) > 1:
            found.below.update(_below(layers))
            found.apart.update(_apart(layers))
            for pair in pairs_of(layers):
                pairs.setdefault((pair.registry.key, pair.repository.key), pair)
    found.below.update(_contested(index))
    judge = _Judge(found, scan, writable, others)
    for group in groups(pairs.values()):
        judge.decide(group)
    return found


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
            for piece in (pair.registry, pair.repository):
                self._found.verdicts[piece.key] = verdict
                if verdict.problem is None and verdict.texts:
                    moves = self._found.moves.setdefault(piece.layer.file, set())
                    moves.add(verdict.move)

    def _verdict(self, group: list[Pair]) -> _Verdict:
        told = {piece.key: pair for pair in group for piece in (pair.registry, pair.repository)}
        pieces = {p.key: p for pair in group for p in (pair.registry, pair.repository)}
        texts = fit(group, self._found.mapper_of)
        if isinstance(texts, str):
            return _Verdict(told, {}, Move(), texts)
        mapper = self._found.mapper_of(group[0].registry.layer.file)
        torn = next((pair for pair in group if comes_apart(pair, texts, mapper)), None)
        if torn is not None:
            return _Verdict(told, {}, Move(), _APART.format(torn.registry.place))
        changed = {key: pieces[key].rewritten(new) for key, new in texts.items()}
        changed = {key: new for key, new in changed.items() if new != pieces[key].scalar.value}
        if not changed:
            return _Verdict(told, {}, Move())
        doubts = self._doubts(group, pieces)
        note = next(doubts, None)
        if note is not None:
            return _Verdict(told, {}, Move(), note, Status.DOUBTFUL)
        fixed = next((p for key, p in pieces.items() if key in changed and self._is_fixed(p)), None)
        if fixed is not None:
            return _Verdict(told, {}, Move(), _FIXED.format(fixed.place))
        return _Verdict(told, changed, Move())

    def _doubts(self, group: list[Pair], pieces: dict[SiteKey, Piece]) -> Iterator[str]:
        """Why the texts may not be all of an image, or not what they seem."""
        known = [(p, site) for p in pieces.values() if (site := self._site(p)) is not None]
        sites = [site for _, site in known]
        complete = bool(sites) and not any(site.needs_host for site in sites)
        for pair in group:
            told = doubt(pair, self._found.mapper_of(pair.repository.layer.file), complete=complete)
            if told is not None:
                yield told
        for site in sites:
            if site.confidence is Confidence.DOUBTFUL and not is_partial(site):
                yield site.note or ""
        taken = (p for p, site in known if self._is_decided(p, site))
        yield from (_TAKEN.format(piece.place) for piece in taken)
        yield from (self._found.guards[key].detail for key in pieces if key in self._found.guards)
        yield from (self._found.below[key] for key in pieces if key in self._found.below)

    def _is_fixed(self, piece: Piece) -> bool:
        """Whether a text can't change in this run."""
        site = self._site(piece)
        return site is None or site.skip is not None or not self._writable(piece.layer.file)

    def _is_decided(self, piece: Piece, site: ImageSite) -> bool:
        """Whether something else than values decides over a text."""
        file = piece.layer.file
        return any(other.decided(site, file) is not None for other in self._others)

    def _site(self, piece: Piece) -> ImageSite | None:
        return self._sites(piece.layer.file).get(piece.key)

    def _sites_of(self, file: str) -> dict[SiteKey, ImageSite]:
        """The sites of a file, by each of their texts."""
        try:
            found = self._scan(file).sites
        except SourceError:
            return {}
        return {_key(part, site, file): site for site in found for part in _parts(site)}


def _guarded(index: Index, stack: Stack) -> Iterator[tuple[SiteKey, Guard]]:
    """The values that stay as the chart of a stack is written."""
    jobs = not (index.rewrite_jobs or stack.forced)
    guards = chart_guards(index, stack.folder or "", upgrades=stack.upgrades, jobs=jobs)
    for layer in stack.layers:
        for path, scalar in scalars(layer.values):
            guard = guards.at(tuple(map(str, path)))
            if guard is not None:
                yield layer.key(scalar), guard


def _apart(layers: list[ValuesLayer]) -> Iterator[tuple[SiteKey, str]]:
    """The registries and repositories beside which some layer has more of the name."""
    for path, blocks in blocks_of(layers).items():
        if any(block.registry for block in blocks):
            found = evidence(layers, path)
            pieces = [piece for block in blocks for piece in block.pieces] if found else []
            yield from ((piece.key, found or "") for piece in pieces)


def _below(layers: list[ValuesLayer]) -> Iterator[tuple[SiteKey, str]]:
    """The values in layers beside one that sets one registry for all images."""
    for other in layers:
        key = global_registry(other.values)
        for layer in layers if key is not None else ():
            note = f"{key} may override it ({other.file}); only the chart can tell"
            if layer is not other:
                yield from ((layer.key(scalar), note) for _, scalar in scalars(layer.values))


def _contested(index: Index) -> Iterator[tuple[SiteKey, str]]:
    """Values that a release sets and that a `targetPath` sets, too: either may win (E3.3)."""
    for file, document, root in release_specs(index):
        spec = below(root, "spec")
        paths = set(_target_paths(spec))
        blocks = {path[:-1] for path in paths if path[-1] in _IMAGE_KEYS}
        for path, scalar in scalars(spec.mapping("values")) if paths else ():
            if path in paths or path[:-1] in blocks:
                yield (file, document.offset(scalar.start), scalar.value), _EITHER


def _target_paths(spec: Mapping) -> Iterator[ValuePath]:
    """The values that `targetPath`s set; one that can't be read sets none."""
    for item in spec.items("valuesFrom"):
        target = item.text("targetPath") if isinstance(item, Mapping) else None
        with suppress(ChartError):
            if target is not None:
                yield parse_target(target)
