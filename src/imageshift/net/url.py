"""URLs of http and https, shown without secrets."""

from urllib.parse import quote, unquote, urljoin, urlsplit

from msgspec import Struct

from imageshift.errors import NetworkError
from imageshift.lazy import lazy_re
from imageshift.net.credentials import Login

__all__ = ["Origin", "Url", "login_in", "parse_url"]

Origin = tuple[str, str, int]
"""Scheme, host and port: what a login belongs to."""

_PORTS = {"http": 80, "https": 443}
_HOST = lazy_re(r"[a-z0-9_][a-z0-9._-]*|[0-9a-f:.]+")
_SAFE = "/%:@!$&'()*+,;=~"
_LONGEST, _LONGEST_SHOWN = 8192, 80


class Url(Struct, frozen=True, kw_only=True):
    """Where a request goes; `target` is the path with the query. Its text shows no query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> Origin:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def site(self) -> str:
        """The origin as text, without a port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    def join(self, reference: str) -> "Url":
        """The URL that a reference in an answer of this one means.

        Raises:
            NetworkError: it isn't an http or https URL.
        """
        try:
            return parse_url(urljoin(self.site + self.target, reference))
        except ValueError:
            raise NetworkError(f"{self} leads to something that isn't a URL") from None

    def __str__(self) -> str:
        return self.site + self.target.partition("?")[0]


def parse_url(text: str) -> Url:
    """The parts of a URL; a user and password in it are left out (`login_in` reads them).

    Raises:
        NetworkError: it isn't an http or https URL.
    """
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
        query = f"?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else ""
        target = (quote(parts.path, safe=_SAFE) or "/") + query
    except ValueError:  # also for halves of characters, which JSON can have
        port, host, target, parts = None, "", "", urlsplit("")
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or len(text) > _LONGEST:
        # Where a URL can't be read, whatever stands before an @ counts as a user.
        scheme, colon, rest = text.partition("?")[0].partition(":")
        shown = f"{scheme}{colon}{rest[rest.rfind('@') + 1 :]}"[:_LONGEST_SHOWN]
        raise NetworkError(f"{shown!r} isn't an http or https URL")
    return Url(scheme=parts.scheme, host=host, port=port or _PORTS[parts.scheme], target=target)


def login_in(text: str) -> Login:
    """The user and password in a URL; an empty login where it has none."""
    try:
        parts = urlsplit(text)
        return Login(unquote(parts.username or ""), unquote(parts.password or ""))
    except ValueError:
        return Login()
