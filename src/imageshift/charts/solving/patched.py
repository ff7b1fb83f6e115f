"""Images that a release's post-renderers patch in, and that its entries then give another name.

Within a post-renderer patches run before `images:` (K11), so an entry meets the text that a patch
has just written. Such a text stays, and the entry takes it to its target.
"""

from collections.abc import Iterator

from imageshift.charts.model import Field, ObjectName, RenderedImage
from imageshift.charts.post_renderers.existing import PostRenderers
from imageshift.charts.releases.flux import ReleaseText
from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.links.model import SiteKey
from imageshift.links.patches import read_patches
from imageshift.links.texts import patch_texts
from imageshift.source import Mapping

__all__ = ["renamed_patches"]


def renamed_patches(index: Index, text: ReleaseText) -> Iterator[tuple[SiteKey, RenderedImage]]:
    """The image texts of a release's patches that an entry behind them may match."""
    spec, existing = text.spec_node, PostRenderers.read(text.release.post_renderers)
    renderers = [] if spec is None or not existing.entries else spec.items("postRenderers")
    for number, renderer in enumerate(renderers):
        kustomize = renderer.mapping("kustomize") if isinstance(renderer, Mapping) else None
        behind = existing.since(number)
        for key, image in () if kustomize is None else _images(index, text, kustomize):
            if behind.takes(image):
                yield key, image


def _images(
    index: Index, text: ReleaseText, kustomize: Mapping
) -> Iterator[tuple[SiteKey, RenderedImage]]:
    for patch in read_patches(text.file, text.document, kustomize, files=False):
        try:
            found = list(patch_texts(index, patch))
        except SourceError:
            continue
        for each in found:
            key = text.file, each.document.offset(each.scalar.start), each.scalar.value
            place = ObjectName("", each.kind, "", each.name)
            yield key, RenderedImage(each.scalar.value, place, (), Field.CONTAINER)
