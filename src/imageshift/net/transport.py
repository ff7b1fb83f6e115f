"""HTTP for charts and registries: with limits, and with logins that stay where they belong.

Redirects are followed here, not by the library, since each is a decision: a server may lead
neither from https to http nor from a public host to a private one, and no login goes along.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from threading import Timer
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from imageshift.errors import AnswerError, NetworkError
from imageshift.lazy import lazy_re
from imageshift.net.address import Route, look_up
from imageshift.net.credentials import Login
from imageshift.net.url import Origin, Url, login_in, parse_url

__all__ = ["Response", "Transport"]

_LARGEST = 128 * 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_BUSY = frozenset({429, 500, 502, 503, 504})
_LONGEST_PAUSE = 30.0
_SECONDS = lazy_re(r"[0-9]{1,5}")
_SILENT = "timed out"


class Response(Struct, frozen=True):
    """What a server answered, after redirects; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Request(Struct, frozen=True):
    """One request on its way: `login` is empty once it has left the login's own origin."""

    url: Url
    headers: Mapping[str, str]
    login: Login
    until: float
    largest: int
    method: str = "GET"

    @property
    def left(self) -> float:
        """The seconds that it may still take."""
        return self.until - time.monotonic()

    @property
    def all_headers(self) -> dict[str, str]:
        """Its headers, and the login's."""
        return {"User-Agent": "imageshift", **self.login.header, **self.headers}

    def to(self, url: Url) -> "_Request":
        """The request sent on to another place, with the login only at the same origin."""
        if url.origin == self.url.origin:
            return replace(self, url=url)
        kept = {name: text for name, text in self.headers.items() if name != "Authorization"}
        return replace(self, url=url, headers=kept, login=Login())


class _NoAnswerError(Exception):
    """A request failed on the way, its server `reached` or not.

    `final` says that another try would only take as long again.
    """

    def __init__(self, reason: str, *, reached: bool, final: bool = False) -> None:
        super().__init__(reason)
        self.reached = reached
        self.final = final


class Transport(Struct, kw_only=True):
    """GET and HEAD over HTTP; `offline` refuses every request.

    `timeout` is the longest silence, `deadline` the longest time that a request takes as a whole,
    with its redirects and further tries; `patience` is what all failures of a run may take.
    A host that can't be reached isn't tried again in the same run, nor one that was silent twice.
    """

    timeout: float = 20.0
    deadline: float = 120.0
    patience: float = 300.0
    largest: int = _LARGEST
    tries: int = 3
    backoff: float = 0.2
    offline: bool = False
    _routes: dict[Origin, Route] = {}
    _dead: dict[str, str] = {}
    _lost: dict[str, float] = {}

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The hosts that gave no answer in this run."""
        return tuple(self._dead)

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        login: Login | None = None,
        led_by: str | None = None,
        largest: int | None = None,
        head: bool = False,
    ) -> Response:
        """The answer, whatever its status; with `head` without its body.

        The login (else the one in the URL), an Authorization header and TLS files go to the URL's
        own origin alone. `led_by` is the URL whose answer named this one.

        Raises:
            AnswerError: the answer is too large, or leads where it may not.
            NetworkError: no answer in time, or none may be asked for.
        """
        here = parse_url(url)
        if self.offline:
            raise NetworkError(f"{here} isn't in the cache", hint="run without --offline")
        if led_by is not None:
            self._check_step(parse_url(led_by), here)
        request = _Request(
            here,
            dict(headers or {}),
            login or login_in(url),
            time.monotonic() + self.deadline,
            self.largest if largest is None else largest,
            "HEAD" if head else "GET",
        )
        if self.patience <= 0:
            raise NetworkError(f"{here}: not contacted, since too many servers failed before it")
        try:
            return self._followed(request)
        except NetworkError:
            self.patience -= self.deadline - request.left
            raise

    def _followed(self, request: _Request) -> Response:
        """The answer after redirects, each of which is judged."""
        first = request.url
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._answer(request)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            there = request.url.join(answer.headers["location"])
            self._check_step(request.url, there)
            request = request.to(there)
        raise AnswerError(f"{first}: more than {_MOST_REDIRECTS} redirects")

    def _check_step(self, here: Url, there: Url) -> None:
        """Refuses a step that only a malicious or badly configured server asks for."""
        if (here.scheme, there.scheme) == ("https", "http"):
            raise AnswerError(f"{here} leads to {there}: refused, since that isn't encrypted")
        try:
            reach = self._route(there).reach
        except NetworkError as error:
            raise AnswerError(f"{here} leads elsewhere: {error}") from None
        if reach < self._route(here).reach:
            raise AnswerError(f"{here} leads to {there}: refused, since that is a private address")

    def _route(self, url: Url) -> Route:
        if url.origin not in self._routes:
            self._routes[url.origin] = look_up(url)
        return self._routes[url.origin]

    def _answer(self, request: _Request) -> Response:
        """The answer to one request; a host that costs too much time is remembered."""
        site, started = request.url.site, time.monotonic()
        if site in self._dead:
            raise NetworkError(f"{request.url}: {self._dead[site]}")
        try:
            return self._tried(request)
        except _NoAnswerError as error:
            lost = self._lost.get(site, 0) + time.monotonic() - started
            self._lost[site] = lost
            if not error.reached or lost >= 2 * self.timeout:
                self._dead[site] = str(error)
            raise NetworkError(f"{request.url}: {error}") from None

    def _tried(self, request: _Request) -> Response:
        """The answer after a few tries, where the server is busy or breaks off."""
        for number in range(self.tries - 1):
            wait = self.backoff * 2**number
            try:
                answer = self._exchange(request)
            except _NoAnswerError as error:
                if error.final:
                    raise
            else:
                wait = max(wait, _retry_after(answer))
                if answer.status not in _BUSY or wait > request.left:
                    return answer
            time.sleep(max(min(wait, request.left), 0))
        return self._exchange(request)

    def _exchange(self, request: _Request) -> Response:
        """One request on a connection of its own, ended from outside when its time is over."""
        from imageshift.net.connection import connect_to  # noqa: PLC0415 it needs urllib3

        route, url = self._route(request.url), request.url
        longest = max(min(self.timeout, request.left), 0.001)
        connection = connect_to(url, route.addresses, request.login, longest)
        watch = Timer(max(request.left, 0), connection.interrupt)
        watch.daemon = True
        watch.start()
        try:
            with _failures(request, connection):
                headers = request.all_headers
                connection.request(
                    request.method, url.target, headers=headers, preload_content=False
                )
                with closing(connection.getresponse()) as answer:
                    body = answer.read(request.largest + 1)
        finally:
            watch.cancel()
            connection.end()
        if len(body) > request.largest:
            raise AnswerError(f"{url}: more than {_size(request.largest)}")
        return Response(answer.status, {k.lower(): v for k, v in answer.headers.items()}, body)


@contextmanager
def _failures(request: _Request, connection: Any) -> Iterator[None]:
    """Turns the libraries' errors into messages that quote nothing of the exchange."""
    from http.client import HTTPException  # noqa: PLC0415 as urllib3

    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    reason = None
    try:
        yield
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        reason = _reason(error)
    reached = connection.is_made
    # An answer that was cut off at the end of its time may look like a whole one.
    if request.left <= 0:
        raise _NoAnswerError("it took too long", reached=reached, final=True)
    if reason is not None:
        raise _NoAnswerError(reason, reached=reached, final=reason == _SILENT)


def _reason(error: Exception) -> str:
    from ssl import SSLError  # noqa: PLC0415 as urllib3

    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return _SILENT
    if isinstance(error, SSLError):
        return getattr(error, "verify_message", "") or error.reason or "TLS failed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"no answer that can be read ({type(error).__name__})"


def _retry_after(answer: Response) -> float:
    text = answer.headers.get("retry-after", "")
    return min(float(text), _LONGEST_PAUSE) if _SECONDS.fullmatch(text) else 0.0


def _size(count: int) -> str:
    return f"{count >> 20} MiB" if count >> 20 else f"{count >> 10} KiB"
