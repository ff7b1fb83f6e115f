"""Images that only other builds of a release render, from values or patches of their own."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from imageshift.charts.model import RenderedImage, Way
from imageshift.charts.post_renderers.existing import PostRenderers
from imageshift.charts.post_renderers.postrender import entry_for
from imageshift.charts.releases.flux import ReleaseText
from imageshift.charts.releases.layers import FileSpan
from imageshift.charts.solving.override import ONLY_KUSTOMIZE, ImageOutcome, Override
from imageshift.charts.solving.run_files import RunFiles
from imageshift.charts.solving.variants import VariantImage
from imageshift.errors import InvalidReferenceError
from imageshift.links.model import SiteKey
from imageshift.mapper import text_target
from imageshift.reference import name_length
from imageshift.rewrite import Mapper, Status, plan_site
from imageshift.sites import ImageSite, SiteKind
from imageshift.solve.leaves import site_key

__all__ = ["OtherBuilds", "behind_entries"]

_VALUES = frozenset({SiteKind.VALUES, SiteKind.PATCH})
"""How values are found: where they are written, or by the path of a patch's operation."""
_BEYOND = "only another build of the release renders it, and no post-renderer can reach it there"


class OtherBuilds:
    """Says of other builds' images where they are named, or how the release has to move them.

    `tails` are the tags and digests of the images that a site's name meets there.
    """

    def __init__(self, files: RunFiles) -> None:
        self._files = files
        self.tails: dict[SiteKey, tuple[str, ...]] = {}

    def outcomes(
        self, text: ReleaseText, result: Override, found: Iterable[VariantImage]
    ) -> Iterable[ImageOutcome]:
        """Outcomes for images that only other builds render, where no text of theirs names them."""
        existing = PostRenderers.read(text.release.post_renderers)
        missing = self._files.index.missing.get((text.file, text.offset), frozenset())
        # Values that move the base's image do nothing for another build's own.
        known = {each.image.text for each in result.outcomes if each.way is not Way.VALUES}
        moved = {each.image.text for each in result.outcomes} - known
        made: dict[str, ImageOutcome] = {}
        # What stays in one build comes first: there it needs an entry.
        for item in sorted(found, key=lambda each: each.moved):
            image = item.image
            named = None if image.text in missing else self._site_of(item, text)
            if named is not None:
                tails = self.tails.get(named, ())
                tail = image.text[len(image.raw_name) :]
                self.tails[named] = tuple(sorted({*tails, tail}))
            elif image.text not in known and not (item.moved and image.text in moved):
                outcome = _outcome(item)
                if existing.takes(image):
                    outcome = behind_entries(text, image, self._files.mapper_of)
                made.setdefault(image.text, outcome)
        return made.values()

    def _site_of(self, item: VariantImage, text: ReleaseText) -> SiteKey | None:
        """The site that names an image, and moves or is in the cache.

        It is one of the build's own values, or of the chart's.
        """
        in_chart = {e.span for e in text.layers if e.in_chart and e.span is not None}
        others = {layer.file for layer in text.layers if not layer.in_chart}
        own = {span for span in item.variant.spans if span.file not in others}
        spans = own | in_chart
        for file in sorted(filter(self._files.writable, {span.file for span in spans})):
            mapper = self._files.mapper_of(file)
            for site in self._files.scan(file).sites:
                if not _may_name(site, file, item.image, spans):
                    continue
                told = plan_site(site, mapper)
                if told.before is None or told.status not in (Status.REWRITE, Status.CACHED):
                    continue
                with suppress(InvalidReferenceError):
                    if told.before.full_name == mapper.parse(item.image.text).full_name:
                        return site_key(site, file)
        return None


def behind_entries(
    text: ReleaseText, image: RenderedImage, mapper_of: Callable[[str], Mapper]
) -> ImageOutcome:
    """What happens to a text that an entry behind it takes."""
    existing = PostRenderers.read(text.release.post_renderers)
    final = existing.apply(image)
    target = text_target(mapper_of(text.file))(final)
    if target is None or target == final:
        return ImageOutcome(image, None, Way.UNCHANGED)
    if existing.edit_for(image, target) is None:
        return ImageOutcome(image, target, Way.LEFT, ONLY_KUSTOMIZE)
    return ImageOutcome(image, target, Way.POST_RENDERER)


def _may_name(site: ImageSite, file: str, image: RenderedImage, spans: Iterable[FileSpan]) -> bool:
    """Whether a site stands in values of some spans, and spells an image as it is rendered."""
    name = site.main.text[: name_length(site.main.text)]
    offset = site.document.offset(site.main.scalar.start)
    return (
        site.kind in _VALUES
        and image.raw_name.endswith(name)
        and any(span.file == file and offset in span for span in spans)
    )


def _outcome(item: VariantImage) -> ImageOutcome:
    """What happens to an image that only a variant renders."""
    if item.target is None:
        return ImageOutcome(item.image, None, Way.UNCHANGED, elsewhere=True)
    if item.moved:
        return ImageOutcome(item.image, item.target, Way.VALUES, elsewhere=True)
    way = Way.LEFT if entry_for(item.image, item.target) is None else Way.POST_RENDERER
    return ImageOutcome(item.image, item.target, way, _BEYOND, elsewhere=True)
