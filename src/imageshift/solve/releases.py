"""HelmReleases that another file patches.

An overlay that sets only `registry`, or only `repository`, of a base's image block is judged by
what the two make together.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct, field

from imageshift.cache import Mapped, Rule
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.inventory import FileScan, Index
from imageshift.links.model import SiteKey, place_text
from imageshift.links.reach import Reach
from imageshift.links.release_patches import VALUES, ReleasePatch, release_patches
from imageshift.reference import ImageReference, name_length
from imageshift.rewrite import Change, Mapper, Move, plan_site
from imageshift.sites import ImageSite, Role, SiteKind
from imageshift.sites.model import Path
from imageshift.solve.leaves import site_key
from imageshift.source import Edit

__all__ = [
    "Composed",
    "ReleaseDecisions",
    "decide_releases",
    "split_after",
]

_PARTS = (Role.REGISTRY, Role.REPOSITORY)


class Composed(Struct, frozen=True):
    """What happens to a site that another document completes."""

    before: ImageReference
    after: ImageReference
    rule: Rule
    edits: tuple[Edit, ...]
    move: Move


class ReleaseDecisions(Struct):
    """Sites that move together with a patch of theirs, and sites that stay."""

    composed: dict[SiteKey, Composed] = field(default_factory=dict)
    moves: dict[SiteKey, Move] = field(default_factory=dict)
    stays: dict[SiteKey, str] = field(default_factory=dict)


def decide_releases(
    index: Index,
    reach: Reach,
    mapper_of: Callable[[str], Mapper],
    scan: Callable[[str], FileScan],
    writable: Callable[[str], bool],
) -> ReleaseDecisions:
    """The decisions for every patched release."""
    decider = _Decider(mapper_of, scan, writable)
    bases: dict[SiteKey, tuple[str, ImageSite]] = {}
    patches: dict[SiteKey, list[ReleasePatch]] = {}
    for patch, files in release_patches(index, reach):
        for file in files:
            for site in _release_sites(scan(file), patch):
                key = site_key(site, file)
                bases[key] = file, site
                if patch not in patches.setdefault(key, []):
                    patches[key].append(patch)
    for key, (file, site) in sorted(bases.items(), key=lambda item: item[0]):
        decider.compose(file, site, patches[key])
    return decider.found


class _Decider:
    def __init__(
        self,
        mapper_of: Callable[[str], Mapper],
        scan: Callable[[str], FileScan],
        writable: Callable[[str], bool],
    ) -> None:
        self.found = ReleaseDecisions()
        self._mapper_of = mapper_of
        self._scan = scan
        self._writable = writable

    def compose(self, file: str, site: ImageSite, patches: list[ReleasePatch]) -> None:
        """Decides over one base image and the patches that set a part of it."""
        mapper, key, move = self._mapper_of(file), site_key(site, file), Move()
        planned = plan_site(site, mapper)
        if isinstance(planned, Change) and self._writable(file):
            names = split_after(site, planned.after, mapper)
            problem = self._compose_all(site, names, patches, move)
            if problem is None:
                self.found.moves[key] = move
                return
            self.found.stays[key] = problem
        parts = (site.part(role) for role in _PARTS)
        self._compose_all(site, [part.text if part else "" for part in parts], patches, move)

    def _compose_all(
        self, site: ImageSite, names: list[str], patches: list[ReleasePatch], move: Move
    ) -> str | None:
        """Decides over the patches of a base whose parts will be `names`; why it can't, or None."""
        made: dict[SiteKey, Composed] = {}
        for patch in patches:
            try:
                made |= self._composed(site, names, patch, move)
            except SourceError as error:
                place = place_text(patch.file, patch.document.place(patch.document.start))
                return f"the patch at {place} sets only a part of it: {error}"
        self.found.composed |= made
        return None

    def _composed(
        self, site: ImageSite, names: list[str], patch: ReleasePatch, move: Move
    ) -> dict[SiteKey, Composed]:
        """The change of the part that a patch sets; none where it fits as it is.

        Raises:
            SourceError: the two parts can't be made to fit.
        """
        parts = [site.part(role) for role in _PARTS]
        if parts[0] is None or parts[1] is None:
            return {}
        scalars = [patch.values.get(_values_path(part.path)) for part in parts if part]
        editable = [number for number, scalar in enumerate(scalars) if scalar is not None]
        if len(editable) != 1 or (scalar := scalars[editable[0]]) is None:
            return {}
        old = [s.value if s else p.text for s, p in zip(scalars, parts, strict=True) if p]
        new = [s.value if s else name for s, name in zip(scalars, names, strict=True)]
        mapper = self._mapper_of(patch.file)
        text = f"{old[0].rstrip('/')}/{old[1]}"
        try:
            before = mapper.parse(text)
        except InvalidReferenceError as error:
            raise SourceError(str(error)) from None
        outcome = mapper.map(before)
        wanted = mapper.split_names(outcome.target) if isinstance(outcome, Mapped) else (text,)
        spelled = _spell(new, editable[0], wanted)
        if spelled is None:
            raise SourceError("the two parts can't form a mapped name")
        if spelled == new or not isinstance(outcome, Mapped):
            return {}
        key = patch.file, patch.document.offset(scalar.start), scalar.value
        known = {site_key(other, patch.file) for other in self._scan(patch.file).sites}
        if key not in known or not self._writable(patch.file):
            raise SourceError("it can't be changed in this run")
        edit = patch.document.replace(scalar, scalar.value, spelled[editable[0]])
        return {key: Composed(before, outcome.target, outcome.rule, (edit,), move)}


def _release_sites(scanned: FileScan, patch: ReleasePatch) -> Iterator[ImageSite]:
    """The sites of a file that a patch sets a part of."""
    for site in scanned.sites:
        named = patch.release in {None, site.resource.name}
        if site.resource.kind == "HelmRelease" and site.kind is SiteKind.VALUES and named:
            parts = [part for role in _PARTS if (part := site.part(role)) is not None]
            if any(_values_path(part.path) in patch.values for part in parts):
                yield site


def _values_path(path: Path) -> tuple[str, ...]:
    return tuple(map(str, path[len(VALUES) :]))


def split_after(site: ImageSite, target: ImageReference, mapper: Mapper) -> list[str]:
    """Registry and repository as `plan_site` will write them."""
    registry, repository = (site.part(role) for role in _PARTS)
    old = repository.text if repository else ""
    if registry is None:
        return ["", mapper.whole_name(target)]
    name = old[: name_length(old)]
    spellings = mapper.split_names(target)
    for spelling in spellings:
        if spelling.endswith(f"/{name}"):
            return [spelling[: -len(name) - 1], old]
    head, _, tail = spellings[0].rpartition("/")
    return [head, tail + old[len(name) :]]


def _spell(texts: list[str], editable: int, wanted: tuple[str, ...]) -> list[str] | None:
    """The two parts with the editable one set so that they make one of the wanted names."""
    registry, repository = texts[0].rstrip("/"), texts[1]
    slash = "/" if texts[0].endswith("/") else ""
    for name in wanted:
        if editable == 0 and name.endswith(f"/{repository}"):
            return [name[: -len(repository) - 1] + slash, repository]
        if editable == 1 and name.startswith(f"{registry}/"):
            return [texts[0], name[len(registry) + 1 :]]
    return None
