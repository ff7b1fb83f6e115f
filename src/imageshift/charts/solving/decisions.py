"""What the charts of a tree decide, and what a look back at it finds."""

from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.charts.rendering.render import Renderer
from imageshift.charts.solving.last_look import LastLook
from imageshift.charts.solving.solved import Solved
from imageshift.charts.solving.variants import Variants
from imageshift.charts.solving.verdicts import ChartProblem, Verdicts
from imageshift.inventory import Index
from imageshift.links.model import SiteKey
from imageshift.plan import FilePlan, Missing, Unproven
from imageshift.rewrite import Change, Kept, Move, Status
from imageshift.rot import Rot
from imageshift.sites import Confidence, ImageSite
from imageshift.solve.leaves import site_key

__all__ = ["ChartDecisions"]


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
