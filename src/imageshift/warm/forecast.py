"""What a roll-out pulls and costs, with and without the cache: counts, limits, and arithmetic.

Nothing is estimated: sizes are those of images that ECR has, and the report says how many images
have one.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from imageshift.aws.used import UsedImage
from imageshift.data.prices import (
    ANONYMOUS_PULLS,
    NAT_PER_GB,
    PERSONAL_PULLS,
    PRICES_OF,
    STORAGE_PER_GB,
)
from imageshift.reference import DOCKER_HUB, ImageReference
from imageshift.reports.words import counted

__all__ = ["Forecast", "UpstreamCount", "forecast", "forecast_lines"]

_GB = 1_000_000_000
_HOURS = 24


class UpstreamCount(Struct, frozen=True):
    """The images of one registry: how many, named how often, how many of them cached by a rule."""

    upstream: str
    images: int
    references: int
    cached: int


class Forecast(Struct, frozen=True):
    """The counts by registry, the nodes, and the bytes of the images whose size is known."""

    upstreams: tuple[UpstreamCount, ...]
    nodes: int
    sized: int
    size: int

    @property
    def hub(self) -> UpstreamCount:
        """Docker Hub's part."""
        none = UpstreamCount(DOCKER_HUB, 0, 0, 0)
        return next((one for one in self.upstreams if one.upstream == DOCKER_HUB), none)

    @property
    def cached(self) -> int:
        """How many images come through the cache."""
        return sum(one.cached for one in self.upstreams)


def forecast(
    used: Iterable[UsedImage],
    nodes: int,
    size_of: Callable[[ImageReference], int | None] = lambda _: None,
) -> Forecast:
    """The forecast for images in use; `size_of` tells the bytes of one at its target, or None."""
    by_host: dict[str, list[UsedImage]] = {}
    sizes: list[int] = []
    for image in used:
        by_host.setdefault(image.upstream.registry, []).append(image)
        size = None if image.target is None else size_of(image.target)
        if size is not None:
            sizes.append(size)
    counts = tuple(
        UpstreamCount(
            host,
            len(images),
            sum(len(one.places) for one in images),
            sum(one.target is not None for one in images),
        )
        for host, images in sorted(by_host.items())
    )
    return Forecast(counts, nodes, len(sizes), sum(sizes))


def forecast_lines(found: Forecast) -> Iterator[str]:
    """The forecast as text, each figure with its arithmetic."""
    for one in found.upstreams:
        through = f"{one.cached} through the cache"
        times = counted(one.references, "reference")
        yield f"{one.upstream}: {counted(one.images, 'image')}, {times}, {through}"
    if found.hub.images:
        yield from _hub_lines(found.hub, found.nodes)
    yield from _size_lines(found)


def _hub_lines(hub: UpstreamCount, nodes: int) -> Iterator[str]:
    pulls, rest = nodes * hub.images, nodes * (hub.images - hub.cached)
    images = counted(hub.images, "image")
    yield f"a roll of {counted(nodes, 'node')}, each pulling each image once, from Docker Hub:"
    yield f"  without the cache {nodes} x {images} = {counted(pulls, 'pull')}"
    yield f"    without a login {_limit(pulls, ANONYMOUS_PULLS)}, for all nodes behind one address"
    yield f"    with a personal account {_limit(pulls, PERSONAL_PULLS)}"
    yield (
        f"  with it at most {counted(hub.cached, 'pull')} in {_HOURS} hours by the rule's account, "
        f"{_limit(hub.cached, PERSONAL_PULLS)}"
    )
    if rest:
        yield f"    and {nodes} x {hub.images - hub.cached} = {rest} past it"


def _limit(pulls: int, hourly: int) -> str:
    hours = -(-pulls // hourly)
    return f"{pulls} / {hourly} an hour = {counted(hours, 'hour')}"


def _size_lines(found: Forecast) -> Iterator[str]:
    if not found.sized:
        yield "sizes aren't known: --sizes asks ECR for those of the images that it has"
        return
    size, nodes = found.size / _GB, found.nodes
    yield f"ECR knows the size of {found.sized} of {counted(found.cached, 'image')}: {size:.2f} GB"
    yield (
        f"  storage {size:.2f} GB x ${STORAGE_PER_GB:.2f} = "
        f"${size * STORAGE_PER_GB:.2f} a month; repositories share no layers"
    )
    through = size * nodes
    yield (
        f"  a roll moves {nodes} x {size:.2f} GB = {through:.2f} GB; through a NAT gateway "
        f"{through:.2f} GB x ${NAT_PER_GB:.3f} = ${through * NAT_PER_GB:.2f}, free inside the "
        "Region by VPC endpoints of ECR and S3's gateway"
    )
    yield f"  prices of {PRICES_OF}"
