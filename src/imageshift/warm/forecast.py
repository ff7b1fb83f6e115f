"""What a roll-out pulls and costs, with and without the cache: counts, limits, and arithmetic.

Nothing is estimated: sizes are those that registries tell, and the report says of how many images
they are known, and why not of the others. A node keeps each layer once, whatever image it is of;
ECR keeps it once in each repository, since it doesn't share layers between them (facts 12.8).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

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
from imageshift.upstream.sizes import Blobs, Size

__all__ = [
    "NODES",
    "Forecast",
    "SizeReport",
    "SizeSource",
    "UpstreamCount",
    "forecast",
    "forecast_lines",
    "forecast_sentence",
    "size_report",
]

_GB = 1_000_000_000
_HOURS = 24
_NAMED = 3

NODES = 10
"""The nodes of a roll-out where nobody says how many."""


class SizeSource(StrEnum):
    """Who is asked for sizes: the upstreams of the images, or ECR for those that it has."""

    UPSTREAM = "upstream"
    ECR = "ecr"


class UpstreamCount(Struct, frozen=True):
    """The images of one registry: how many, named how often, how many of them cached by a rule."""

    upstream: str
    images: int
    references: int
    cached: int


class RegistrySize(Struct, frozen=True):
    """What nodes pull of one registry's images: the bytes of those that are known.

    `unknown` are the others by the reason why.
    """

    upstream: str
    images: int
    known: int
    size: int
    unknown: Mapping[str, Sequence[str]]


class SizeReport(Struct, frozen=True):
    """Who told the sizes, for which platform; and what ECR keeps of how many images."""

    source: SizeSource
    platform: str
    registries: tuple[RegistrySize, ...]
    kept: int
    kept_images: int

    @property
    def images(self) -> int:
        """How many images were asked for."""
        return sum(one.images for one in self.registries)

    @property
    def pulled(self) -> int:
        """The bytes that a node pulls."""
        return sum(one.size for one in self.registries)


class Forecast(Struct, frozen=True):
    """The counts by registry, the nodes, and the sizes where they were asked for."""

    upstreams: tuple[UpstreamCount, ...]
    nodes: int
    sizes: SizeReport | None = None

    @property
    def hub(self) -> UpstreamCount:
        """Docker Hub's part."""
        none = UpstreamCount(DOCKER_HUB, 0, 0, 0)
        return next((one for one in self.upstreams if one.upstream == DOCKER_HUB), none)

    @property
    def cached(self) -> int:
        """How many images come through the cache."""
        return sum(one.cached for one in self.upstreams)


def forecast(used: Iterable[UsedImage], nodes: int, sizes: SizeReport | None = None) -> Forecast:
    """The forecast for images in use."""
    counts = tuple(
        UpstreamCount(
            host,
            len(images),
            sum(len(one.places) for one in images),
            sum(one.target is not None for one in images),
        )
        for host, images in _by_host(used)
    )
    return Forecast(counts, nodes, sizes)


def size_report(
    used: Iterable[UsedImage],
    sizes: Mapping[ImageReference, Size],
    source: SizeSource,
    platform: str,
) -> SizeReport:
    """The sizes of the images that come through the cache, by their names upstream."""
    cached = [image for image in used if image.target is not None]
    kept = [
        (image.target.repository, found)
        for image in cached
        if image.target is not None and (found := sizes[image.upstream].kept) is not None
    ]
    return SizeReport(
        source,
        platform,
        tuple(_registry_size(host, images, sizes) for host, images in _by_host(cached)),
        sum({(name, digest): size for name, of in kept for digest, size in of.items()}.values()),
        len(kept),
    )


def _registry_size(
    host: str, images: Sequence[UsedImage], sizes: Mapping[ImageReference, Size]
) -> RegistrySize:
    pulled: list[Blobs] = []
    unknown: dict[str, list[str]] = {}
    for image in images:
        size = sizes[image.upstream]
        if size.pulled is None:
            unknown.setdefault(size.detail, []).append(image.upstream.familiar)
        else:
            pulled.append(size.pulled)
    layers = {digest: size for one in pulled for digest, size in one.items()}
    return RegistrySize(host, len(images), len(pulled), sum(layers.values()), unknown)


def _by_host(used: Iterable[UsedImage]) -> list[tuple[str, list[UsedImage]]]:
    found: dict[str, list[UsedImage]] = {}
    for image in used:
        found.setdefault(image.upstream.registry, []).append(image)
    return sorted(found.items())


def forecast_lines(found: Forecast) -> Iterator[str]:
    """The forecast as text, each figure with its arithmetic."""
    for one in found.upstreams:
        through = f"{one.cached} through the cache"
        times = counted(one.references, "reference")
        yield f"{one.upstream}: {counted(one.images, 'image')}, {times}, {through}"
    if found.hub.images:
        yield from _hub_lines(found.hub, found.nodes)
    yield from _size_lines(found.sizes, found.nodes)


def forecast_sentence(found: Forecast) -> str:
    """The forecast as one line, without sizes; empty where there is no image."""
    if not found.upstreams:
        return ""
    counts = (
        f"{one.upstream} {counted(one.images, 'image')} in {counted(one.references, 'reference')}"
        for one in found.upstreams
    )
    hub, nodes = found.hub, found.nodes
    if not hub.images:
        return f"forecast: {', '.join(counts)}"
    past = nodes * (hub.images - hub.cached)
    return (
        f"forecast: {', '.join(counts)}; a roll of {counted(nodes, 'node')} makes "
        f"{nodes} x {hub.images} = {counted(nodes * hub.images, 'pull')} from Docker Hub without "
        f"the cache, where {ANONYMOUS_PULLS} an hour are free without a login, and at most "
        f"{hub.cached + past} with it"
    )


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


def _size_lines(sizes: SizeReport | None, nodes: int) -> Iterator[str]:
    if sizes is None:
        yield "sizes aren't known: --sizes upstream asks the registries of the images for them"
        return
    who = "ECR" if sizes.source is SizeSource.ECR else "the upstreams"
    yield f"sizes by {who} for {sizes.platform}, each layer once in a registry:"
    for one in sizes.registries:
        known = f"{one.known} of {counted(one.images, 'image')}"
        yield f"  {one.upstream}: {_gb(one.size)} for {known}"
        for reason, images in one.unknown.items():
            yield f"    {counted(len(images), 'image')} not known: {reason}: {_some(images)}"
    if sizes.kept_images:
        yield from _storage_lines(sizes)
    if sizes.pulled:
        yield from _transfer_lines(sizes.pulled, nodes)
    yield f"prices of {PRICES_OF}"


def _storage_lines(sizes: SizeReport) -> Iterator[str]:
    kept = sizes.kept / _GB
    platforms = "" if sizes.source is SizeSource.ECR else "all platforms, "
    known = f"{sizes.kept_images} of {counted(sizes.images, 'image')}"
    yield f"storage of {known}, {platforms}each layer once in a repository:"
    yield f"  {kept:.2f} GB x ${STORAGE_PER_GB:.2f} = ${kept * STORAGE_PER_GB:.2f} a month"


def _transfer_lines(pulled: int, nodes: int) -> Iterator[str]:
    moved = pulled * nodes / _GB
    yield f"a roll moves {nodes} x {_gb(pulled)} = {moved:.2f} GB:"
    yield f"  through a NAT gateway {moved:.2f} GB x ${NAT_PER_GB:.3f} = ${moved * NAT_PER_GB:.2f}"
    yield "  free inside the Region by VPC endpoints of ECR and S3's gateway"


def _gb(size: int) -> str:
    return f"{size / _GB:.2f} GB"


def _some(images: Sequence[str]) -> str:
    """The first few of some images, and how many more there are."""
    more = len(images) - _NAMED
    return ", ".join(images[:_NAMED]) + (f" and {more} more" if more > 0 else "")
