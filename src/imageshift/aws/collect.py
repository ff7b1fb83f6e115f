"""From the plans of a run to the images in use."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.aws.used import UsedImage
from imageshift.cache import RuleSet
from imageshift.entry import split_image
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
    plans: Iterable[FilePlan],
    rules: RuleSet,
    shown: Callable[[str], str],
    tails: Callable[[ImageSite, str], Iterable[str]] = lambda _site, _file: (),
) -> tuple[UsedImage, ...]:
    """The images that plans move, find in the cache, or leave for want of a rule, each once.

    Doubtful and skipped ones are left out, and so are charts. `tails` gives the tags and digests
    for a site that is a name alone, as a newName is.
    """
    found: dict[tuple[ImageReference, ImageReference | None], _Gathered] = {}
    for plan in plans:
        for result in plan.results:
            if result.status in _USED and result.site.kind is not SiteKind.CHART:
                for made in _with_tails(result, tails(result.site, plan.file)):
                    _add(found, made, rules, shown(plan.file))
    return tuple(
        UsedImage(upstream, target, tuple(one.places), frozenset(one.resources))
        for (upstream, target), one in found.items()
    )


def _with_tails(result: Change | Kept, tails: Iterable[str]) -> Iterator[Change | Kept]:
    """The result for each tag and digest with which it is built; as it is where it has its own."""
    before, after = result.before, result.after
    known = list(tails)
    if before is None or before.identifier or not known:
        yield result
        return
    for tail in known:
        _, tag, digest = split_image(f"x{tail}")
        one, two = (
            None if name is None else replace(name, tag=tag or None, digest=digest or None)
            for name in (before, after)
        )
        yield replace(result, before=one, after=two)


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
