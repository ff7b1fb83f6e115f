"""Where the repository names images, by the names that nodes pull, moved or not."""

from collections.abc import Callable, Iterable

from msgspec import Struct, field

from imageshift.cache import RuleSet
from imageshift.plan import FilePlan
from imageshift.reference import ImageReference
from imageshift.rewrite import Change, Kept, Status
from imageshift.sites import Origin, Resource

__all__ = ["GitImages", "Mention"]


class Mention(Struct, frozen=True):
    """A place in the repository that names an image, or the release whose chart contains it.

    `moved` says that it already names the image in the cache, `why` why it stays where it is.
    """

    place: str
    resource: Resource
    origin: Origin
    image: ImageReference
    moved: bool
    why: str | None = None


class GitImages(Struct):
    """The mentions by the upstream's full name."""

    rules: RuleSet
    _found: dict[str, list[Mention]] = field(default_factory=dict)

    def add(self, plans: Iterable[FilePlan], shown: Callable[[str], str]) -> None:
        """Takes the images of files in."""
        for plan in plans:
            for result in plan.results:
                self._add(result, shown(plan.file))

    def of(self, image: ImageReference) -> list[Mention]:
        """What names an image, in any version."""
        return self._found.get(image.full_name, [])

    def _add(self, result: Change | Kept, shown: str) -> None:
        if result.before is None:
            return
        normal = self.rules.normalize(result.before)
        moved = isinstance(result, Kept) and result.status is Status.CACHED
        image = (self.rules.unmap(normal) or normal) if moved else normal
        at = result.site.place
        why = None if isinstance(result, Change) or moved else (result.detail or result.status)
        mention = Mention(
            f"{shown}:{at.line}:{at.column}",
            result.site.resource,
            result.site.origin,
            image,
            moved,
            why,
        )
        self._found.setdefault(image.full_name, []).append(mention)
