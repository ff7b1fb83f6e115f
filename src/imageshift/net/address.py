"""Addresses of hosts. Each host is looked up once in a run, and judged before it is contacted.

Connections go only to the addresses that were judged, so that a name which resolves to another
one a moment later (DNS rebinding) gains nothing. How an address is spelled (decimal, octal, inside
an IPv6 address) makes no difference.
"""

import socket
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from msgspec import Struct

from imageshift.errors import NetworkError
from imageshift.net.url import Url

__all__ = ["Reach", "Route", "judge", "look_up"]

# Where clouds answer with credentials to whoever asks, besides the link-local addresses.
# Sources: AWS EC2 and EKS user guides, Alibaba Cloud, Oracle Cloud, Azure, Google Cloud and
# Scaleway on instance metadata.
_METADATA = tuple(
    ip_network(text)
    for text in (
        "fd00:ec2::/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "168.63.129.16/32",
        "fd20:ce::254/128",
        "fd00:42::42/128",
        "0.0.0.0/8",
    )
)
_MOST = 4
_NAT64 = ip_network("64:ff9b::/96")
_COMPATIBLE = ip_network("::/96")


class Reach(IntEnum):
    """Who can reach an address; a server may redirect only to others at least as public."""

    MACHINE = 0
    PRIVATE = 1
    PUBLIC = 2


class Route(Struct, frozen=True):
    """The addresses of a host, and the reach of the least public of them."""

    addresses: tuple[str, ...]
    reach: Reach


def look_up(url: Url) -> Route:
    """The route to a URL's host, by DNS. Every connection of the package passes here.

    Raises:
        NetworkError: the host has no address, or one that is never contacted.
    """
    try:
        found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no such host"
        raise NetworkError(f"{url}: {why}") from None
    addresses = tuple(dict.fromkeys(str(row[4][0]) for row in found))
    reaches = [judge(address) for address in addresses]
    if None in reaches or not addresses:
        raise NetworkError(f"{url}: refused, since its address is link-local or special")
    return Route(addresses[:_MOST], min(reach for reach in reaches if reach is not None))


def judge(address: str) -> Reach | None:
    """How public an address is; None for one that is never contacted.

    >>> judge("::ffff:169.254.169.254") is None, judge("10.0.0.1").name
    (True, 'PRIVATE')
    """
    found = _innermost(ip_address(address.partition("%")[0]))
    special = found.is_link_local or found.is_multicast or found.is_unspecified
    if special or any(found in network for network in _METADATA):
        return None
    if found.is_loopback:
        return Reach.MACHINE
    return Reach.PUBLIC if found.is_global else Reach.PRIVATE


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one that stands for it; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address.teredo is not None:
        inner = address.teredo[1]
    compatible = address in _COMPATIBLE and int(address) > 1
    if inner is None and (address in _NAT64 or compatible):
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address
