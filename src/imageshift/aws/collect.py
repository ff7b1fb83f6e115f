"""From the plans of a run to the images in use."""

from collections.abc import Callable, Iterable

from msgspec import Struct, field

from imageshift.aws.used import UsedImage
from imageshift.cache import RuleSet
from imageshift.plan import FilePlan
from imageshift.reference import ImageReference
from imageshift.rewrite import Change, Kept, Status
from imageshift.sites import ImageSite, SiteKind

__all__ = ["collect_images"]

_USED = frozenset({Status.REWRITE, Status.CACHED, Status.NO_RULE})


class _Gathered(Struct):
    places: list[str] = field(default_factory=list)
    resources: set[str] = field(default_factory=set)


def collect_images(
    plans: Iterable[FilePlan], rules: RuleSet, shown: Callable[[str], str]
) -> tuple[UsedImage, ...]:
    """The images that plans move, find in the cache, or leave for want of a rule, each once.

    Doubtful and skipped ones are left out, and so are charts.
    """
    found: dict[tuple[ImageReference, ImageReference | None], _Gathered] = {}
    for plan in plans:
        for result in plan.results:
            if result.status in _USED and result.site.kind is not SiteKind.CHART:
                _add(found, result, rules, shown(plan.file))
    return tuple(
        UsedImage(upstream, target, tuple(one.places), frozenset(one.resources))
        for (upstream, target), one in found.items()
    )


def _add(
    found: dict[tuple[ImageReference, ImageReference | None], _Gathered],
    result: Change | Kept,
    rules: RuleSet,
    file: str,
) -> None:
    if result.before is None:
        return
    target = None if result.status is Status.NO_RULE else result.after
    upstream = None if target is None else rules.unmap(target)
    upstream = upstream or rules.normalize(result.before)
    gathered = found.setdefault((upstream, target), _Gathered())
    place = result.site.place
    gathered.places.append(f"{file}:{place.line}:{place.column}")
    gathered.resources |= _resource(result.site)


def _resource(site: ImageSite) -> set[str]:
    resource = site.resource
    return {f"{resource.api_version}/{resource.kind}"} if resource.kind else set()
