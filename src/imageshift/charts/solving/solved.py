"""A solved release, and which of its values the scalars of its files are."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import RenderedImage, ValuePath
from imageshift.charts.releases.edits import ValueEdit
from imageshift.charts.releases.flux import ReleaseText, Tool
from imageshift.charts.releases.layers import Layer, scalars
from imageshift.charts.rendering.jobs import AppliedJobs
from imageshift.charts.solving.evaluate import Judge
from imageshift.charts.solving.moves import ReleaseMoves
from imageshift.charts.solving.override import Override
from imageshift.charts.solving.variants import PlacedEdit
from imageshift.charts.stale.rot import Rotten
from imageshift.inventory import FileScan
from imageshift.links.model import SiteKey
from imageshift.reference import name_length
from imageshift.rewrite import Change, Mapper, plan_site
from imageshift.sites import ImageSite, Part, Role, SkipReason
from imageshift.solve.leaves import site_key
from imageshift.source import Scalar

__all__ = ["Leaves", "Solved", "ignored_leaves", "text_moves"]


class Solved(Struct, frozen=True):
    """A release with its chart, override and moves.

    `refused` are sites that make no image and have to stay, with why; `patched` those of patches
    whose texts stay for an entry behind them; `jobs` are those that can't change, if any.
    """

    text: ReleaseText
    result: Override
    moves: ReleaseMoves
    chart: ChartFiles
    judge: Judge
    refused: Mapping[SiteKey, tuple[SkipReason, str]]
    patched: Mapping[SiteKey, RenderedImage]
    rotten: Rotten = Rotten()
    jobs: AppliedJobs | None = None

    @classmethod
    def unrendered(
        cls, text: ReleaseText, chart: ChartFiles, judge: Judge, jobs: AppliedJobs | None
    ) -> "Solved":
        """A release that its chart rejects until a build's patches give it what it needs."""
        nothing = Override(
            edits=(), entries=(), entry_edits=(), patches=(), outcomes=(), gated=False, renders=0
        )
        return cls(text, nothing, ReleaseMoves((), {}, {}), chart, judge, {}, {}, jobs=jobs)

    def chart_changes(self) -> dict[tuple[str, int], Any]:
        """What happens to texts that other releases may take too, by file and offset."""
        places = Leaves(self.text).places
        found = ((places.get(path), value) for path, value in self.moves.values.items())
        return {
            (at[0].file, at[0].document.offset(at[1].start)): value
            for at, value in found
            if at is not None and self._may_be_shared(at[0])
        }

    def _may_be_shared(self, layer: Layer) -> bool:
        return layer.in_chart or (self.text.tool is Tool.ARGO and layer is not self.text.own)

    def changed_by(self, claims: Mapping[tuple[str, int], Any]) -> list[PlacedEdit]:
        """The edits for other releases that change a value of this one."""
        found: list[PlacedEdit] = []
        for path, (layer, scalar) in Leaves(self.text).places.items():
            key = (layer.file, layer.document.offset(scalar.start))
            if key in claims and path not in self.moves.values:
                edit = ValueEdit(path, claims[key], scalar.value, written=True)
                found.append(PlacedEdit(edit, layer))
        return found


def ignored_leaves(text: ReleaseText, scan: Callable[[str], FileScan]) -> frozenset[ValuePath]:
    """The leaves of a release's values that a comment says to leave alone."""
    leaves = Leaves(text)
    return frozenset(
        path
        for file in leaves.files
        for site in scan(file).sites
        if site.skip in {SkipReason.IGNORED, SkipReason.UNPROVEN}
        for path in leaves.of(site, file)
    )


def text_moves(
    text: ReleaseText,
    scan: Callable[[str], FileScan],
    mapper_of: Callable[[str], Mapper],
    moves: ReleaseMoves,
) -> Iterator[tuple[SiteKey, dict[ValuePath, str]]]:
    """The sites of a release's texts that move by their text alone, with the values they change."""
    leaves = Leaves(text)
    made = {segment.leaf for fate in moves.fates for segment in fate.image.segments}
    for file in leaves.files:
        for site in scan(file).sites:
            result = None if made & leaves.of(site, file) else plan_site(site, mapper_of(file))
            changes = leaves.changes(result, file) if isinstance(result, Change) else {}
            if isinstance(result, Change) and changes:
                yield site_key(site, file), changes


class Leaves:
    """Which value leaf a scalar of a file is, where no layer above decides over it."""

    def __init__(self, text: ReleaseText) -> None:
        self._paths: dict[tuple[str, int], list[ValuePath]] = {}
        self._hidden: set[tuple[str, int]] = set()
        self.places: dict[ValuePath, tuple[Layer, Scalar]] = {}
        for layer in text.layers:
            for path, scalar in scalars(layer.values):
                key = (layer.file, layer.document.offset(scalar.start))
                if self.places.setdefault(path, (layer, scalar))[0] is layer:
                    self._paths.setdefault(key, []).append(path)
                else:
                    self._hidden.add(key)
        self.files = tuple(dict.fromkeys(layer.file for layer in text.layers))

    def changes(self, change: Change, file: str) -> dict[ValuePath, str]:
        """The values that a change gives to the parts of its site."""
        new: dict[ValuePath, str] = {}
        document = change.site.document
        for part in change.site.parts:
            start, end = document.offset(part.scalar.start), document.offset(part.scalar.end)
            edits = [e for e in change.edits if start <= e.span.start and e.span.end <= end]
            for path in self._paths.get((file, start), ()) if edits else ():
                new[path] = _part_after(change, part)
        return new

    def hides(self, site: ImageSite, file: str) -> bool:
        """Whether a layer above decides over all that a site says."""
        keys = {
            (file, site.document.offset(part.scalar.start))
            for part in site.parts
            if part.role not in (Role.TAG, Role.DIGEST)
        }
        return not keys & self._paths.keys() and bool(keys & self._hidden)

    def of(self, site: ImageSite, file: str) -> set[ValuePath]:
        """The leaves that a site's scalars are, or that it stands in."""
        found: set[ValuePath] = set()
        for part in site.parts:
            if part.role not in (Role.TAG, Role.DIGEST):
                offset = site.document.offset(part.scalar.start)
                found.update(self._paths.get((file, offset), ()))
        document = site.document
        while not found and document.outer is not None:
            document, holder, _ = document.outer
            found.update(self._paths.get((file, document.offset(holder.start)), ()))
        return found


def _part_after(change: Change, part: Part) -> str:
    """A part's whole scalar as a change by its text makes it."""
    text, target = part.scalar.value, change.after.full_name
    if part.role is Role.REFERENCE:
        return text[: part.lead] + target + part.text[name_length(part.text) :]
    registry = change.site.part(Role.REGISTRY)
    if registry is None:
        return target + part.text[name_length(part.text) :]
    name = change.site.main.text
    fits = target.endswith(f"/{name}")
    head = target[: -len(name) - 1] if fits else target.rpartition("/")[0]
    return head if part.role is Role.REGISTRY else (name if fits else target.rpartition("/")[2])
