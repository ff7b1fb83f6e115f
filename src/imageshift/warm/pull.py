"""The pulls, and their results."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from msgspec import Struct

from imageshift.errors import ToolError
from imageshift.reference import ImageReference
from imageshift.warm.plan import Pin, Pull, WarmPlan
from imageshift.warm.registry import Absent, Manifest

__all__ = ["PinResult", "PullResult", "WarmReport", "check_pins", "pull_all"]


class Manifests(Protocol):
    """Something that answers for manifests: `RegistryClient`."""

    def manifest(self, repository: str, identifier: str) -> Manifest | Absent:
        """The manifest of a tag or digest."""


class PinResult(Struct, frozen=True):
    """Whether a pinned digest can be pulled from the target; `tag_digest` is its tag's now."""

    pin: Pin
    is_cached: bool
    tag_digest: str | None = None

    @property
    def remedy(self) -> str | None:
        """What to do when it can't be pulled."""
        if self.is_cached:
            return None
        source, target = self.pin.upstream, self.pin.target
        copy = f"copy it: crane copy {source.full_name}@{source.digest} {target.normalized}"
        moved = self.tag_digest not in {None, target.digest}
        return f"{copy}, or pin it again: its tag is {self.tag_digest} now" if moved else copy


class PullResult(Struct, frozen=True):
    """One tag's pull: its digest, or why it failed; and its pins.

    It isn't tried where a rate limit of its upstream was reached before.
    """

    pull: Pull
    digest: str | None
    error: str | None
    pins: tuple[PinResult, ...] = ()
    is_tried: bool = True


class WarmReport(Struct, frozen=True):
    """The results of a plan: the pulls, and the pins without a tag."""

    pulls: tuple[PullResult, ...]
    untagged: tuple[PinResult, ...]

    @property
    def failed(self) -> tuple[PullResult, ...]:
        """The pulls that failed."""
        return tuple(one for one in self.pulls if one.error is not None)

    @property
    def not_cached(self) -> tuple[PinResult, ...]:
        """The pinned digests that can't be pulled: the warning `digest-not-cached`."""
        pins = (pin for pull in self.pulls for pin in pull.pins)
        return tuple(pin for pin in (*pins, *self.untagged) if not pin.is_cached)


def pull_all(
    plan: WarmPlan,
    registry: Manifests,
    *,
    platform: str | None = None,
    jobs: int = 4,
    on_progress: Callable[[PullResult], None] = lambda _: None,
) -> WarmReport:
    """Pulls every tag of a plan, then asks for the digests that it is pinned to.

    With a platform (`linux/amd64`) the image of that platform is asked for too. Where a rate limit
    is reached, no more is pulled of the upstream.

    Raises:
        ToolError: the registry can't be reached, or doesn't accept the login.
    """
    busy = set[str]()
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        results = []
        try:
            for result in pool.map(lambda one: _pull(one, registry, platform, busy), plan.pulls):
                results.append(result)
                on_progress(result)
            untagged = tuple(pool.map(lambda pin: _ask(pin, registry, None), plan.untagged))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return WarmReport(tuple(results), untagged)


def check_pins(plan: WarmPlan, has: Callable[[ImageReference], bool]) -> tuple[PinResult, ...]:
    """Whether each pinned digest of a plan is cached, without pulling anything.

    Raises:
        ToolError: the registry refused or can't be reached.
    """
    return tuple(PinResult(pin, has(pin.target)) for pin in plan.pins)


def _pull(pull: Pull, registry: Manifests, platform: str | None, busy: set[str]) -> PullResult:
    """One pull, but of an upstream in `busy`, to which those are added whose limit is reached."""
    upstream = pull.upstream.registry
    if upstream in busy:
        why = f"not tried, since a rate limit of {upstream} is reached: run it again later"
        return PullResult(pull, None, why, is_tried=False)
    answer = registry.manifest(pull.target.repository, pull.target.tag or "latest")
    if isinstance(answer, Absent) and answer.busy:
        busy.add(upstream)
        return PullResult(pull, None, answer.message)
    if isinstance(answer, Absent):
        pins = tuple(_ask(pin, registry, None) for pin in pull.pins)
        return PullResult(pull, None, answer.message, pins)
    error = _platform_error(pull, registry, platform, answer)
    pins = tuple(_ask(pin, registry, answer.digest) for pin in pull.pins)
    return PullResult(pull, answer.digest, error, pins)


def _platform_error(
    pull: Pull, registry: Manifests, platform: str | None, index: Manifest
) -> str | None:
    if platform is None or not index.platforms:
        return None
    digest = index.platforms.get(platform)
    if digest is None:
        digest = next(
            (one for name, one in index.platforms.items() if name.startswith(f"{platform}/")), None
        )
    if digest is None:
        return f"there is no image for {platform}, only {', '.join(sorted(index.platforms))}"
    answer = registry.manifest(pull.target.repository, digest)
    return f"the image for {platform}: {answer.message}" if isinstance(answer, Absent) else None


def _ask(pin: Pin, registry: Manifests, tag_digest: str | None) -> PinResult:
    if pin.target.digest is None:
        raise ToolError(f"{pin.target} isn't pinned")
    answer = registry.manifest(pin.target.repository, pin.target.digest)
    return PinResult(pin, isinstance(answer, Manifest), tag_digest)
