"""Registries that are asked much at once: few questions at a time, and not too many in a second."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Semaphore
from typing import TypeVar

from msgspec import Struct, field

from imageshift.errors import NetworkError
from imageshift.net import Registry, Transport, registry_login
from imageshift.reference import ImageReference

__all__ = ["BusyError", "Site", "Sites", "ask_each"]

T = TypeVar("T")

_AT_ONCE = 4
_WORKERS = 16
_PER_SECOND = 20.0
"""How many questions a registry gets in a second; Docker Hub answers many more."""


class BusyError(NetworkError):
    """A registry's rate limit was reached before, so it isn't asked again in this run."""


class Site(Struct):
    """One registry, with what keeps it from being asked too much; `busy` says that it refused."""

    registry: Registry
    gate: Semaphore = field(default_factory=lambda: Semaphore(_AT_ONCE))
    lock: Lock = field(default_factory=Lock)
    next: float = 0.0
    busy: str = ""

    @contextmanager
    def turn(self) -> Iterator[Registry]:
        """The registry, when it is this question's turn.

        Raises:
            BusyError: its rate limit is reached.
        """
        with self.gate:
            if self.busy:
                raise BusyError(self.busy)
            self._wait()
            yield self.registry

    def _wait(self) -> None:
        with self.lock:
            now = time.monotonic()
            turn = max(self.next, now)
            self.next = turn + 1 / _PER_SECOND
        time.sleep(max(turn - now, 0))


class Sites:
    """The registries of a run by their hosts, with the logins of Docker's configuration."""

    def __init__(self, transport: Transport, environment: Mapping[str, str] | None = None) -> None:
        self._transport = transport
        self._docker = _docker(os.environ if environment is None else environment)
        self._sites: dict[str, Site] = {}

    def add(self, hosts: Iterable[str]) -> None:
        """Make the registries of hosts known, before threads ask for them."""
        for host in hosts:
            if host not in self._sites:
                login = registry_login((self._docker,), host)
                self._sites[host] = Site(Registry(host, login, self._transport))

    def __getitem__(self, host: str) -> Site:
        return self._sites[host]

    @property
    def registries(self) -> dict[str, Registry]:
        """All that are known, by their hosts."""
        return {host: site.registry for host, site in self._sites.items()}


def ask_each(
    images: Iterable[ImageReference],
    ask: Callable[[ImageReference], T],
    advance: Callable[[], None] = lambda: None,
) -> dict[ImageReference, T]:
    """The answers for images, each asked for once, many at a time."""
    listed = list(dict.fromkeys(images))

    def answered(image: ImageReference) -> T:
        answer = ask(image)
        advance()
        return answer

    with ThreadPoolExecutor(_WORKERS) as pool:
        return dict(zip(listed, pool.map(answered, listed), strict=True))


def _docker(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 it never raises
    return Path(environment.get("DOCKER_CONFIG") or Path(home, ".docker"), "config.json")
