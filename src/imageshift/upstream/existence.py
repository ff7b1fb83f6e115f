"""Many images asked for at once: few at a time of each registry, not too fast, and remembered."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock, Semaphore

import msgspec
from msgspec import Struct, field

from imageshift.aws.used import UsedImage
from imageshift.charts.store import Store
from imageshift.net import Registry, Transport, registry_login
from imageshift.reference import ImageReference
from imageshift.upstream.ask import Answer, Question, State, candidates

__all__ = ["Existence", "Missing", "find_missing"]

_AT_ONCE = 4
_WORKERS = 16
_PER_SECOND = 20.0
"""How many questions a registry gets in a second; Docker Hub answers many more."""
_GOOD_FOR = 24 * 3600.0


class Missing(Struct, frozen=True):
    """An image that isn't there as it is named, or that nobody could be asked for."""

    state: State
    image: ImageReference
    places: tuple[str, ...]
    detail: str


class _Kept(Struct):
    state: State
    detail: str
    asked: float


class _Site(Struct):
    """One registry, with what keeps it from being asked too much."""

    registry: Registry
    gate: Semaphore
    lock: Lock = field(default_factory=Lock)
    next: float = 0.0
    busy: str = ""

    def wait(self) -> None:
        """Wait for this question's turn."""
        with self.lock:
            now = time.monotonic()
            turn = max(self.next, now)
            self.next = turn + 1 / _PER_SECOND
        time.sleep(max(turn - now, 0))


class Existence:
    """Asks registries; good answers of the last day are taken from the user's cache.

    Logins are those of Docker's configuration. Offline, only what was asked before is known.
    """

    def __init__(
        self,
        transport: Transport,
        store: Store | None = None,
        platforms: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._transport = transport
        self._store = Store.default() if store is None else store
        self._platforms = tuple(platforms)
        self._docker = _docker(os.environ if environment is None else environment)
        self._sites: dict[str, _Site] = {}

    def ask(
        self, images: Iterable[ImageReference], advance: Callable[[], None] = lambda: None
    ) -> dict[ImageReference, Answer]:
        """The answers for images, each asked for once."""
        listed = list(dict.fromkeys(images))
        for image in listed:
            for known in (image, *candidates(image)):
                self._add_site(known.registry)

        def answered(image: ImageReference) -> Answer:
            answer = self._answer(image)
            advance()
            return answer

        with ThreadPoolExecutor(_WORKERS) as pool:
            return dict(zip(listed, pool.map(answered, listed), strict=True))

    def _add_site(self, host: str) -> None:
        if host not in self._sites:
            login = registry_login((self._docker,), host)
            made = _Site(Registry(host, login, self._transport), Semaphore(_AT_ONCE))
            self._sites[host] = made

    def _answer(self, image: ImageReference) -> Answer:
        site = self._sites[image.registry]
        kept = self._recall(image, site)
        if kept is not None:
            return kept
        with site.gate:
            if site.busy:
                return Answer(State.UNKNOWN, site.busy)
            site.wait()
            others = {host: each.registry for host, each in self._sites.items()}
            answer = Question(image, self._platforms).ask(site.registry, others)
            if answer.busy:
                site.busy = answer.detail
        if answer.state is not State.UNKNOWN:
            text = msgspec.json.encode(_Kept(answer.state, answer.detail, time.time()))
            self._store.keep(text, *self._key(image, site))
        return answer

    def _recall(self, image: ImageReference, site: _Site) -> Answer | None:
        """What is known of an image: good news for a day, and offline anything."""
        content = self._store.get(*self._key(image, site))
        if content is None:
            return None
        try:
            kept = msgspec.json.decode(content, type=_Kept)
        except msgspec.DecodeError:
            return None
        age = max(time.time() - kept.asked, 0)
        if self._transport.offline or (kept.state is State.THERE and age < _GOOD_FOR):
            return Answer(kept.state, kept.detail, age)
        return None

    def _key(self, image: ImageReference, site: _Site) -> tuple[str, ...]:
        login = "login" if site.registry.login.header else ""
        return ("an image upstream", image.normalized, login, *self._platforms)


def _docker(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 it never raises
    return Path(environment.get("DOCKER_CONFIG") or Path(home, ".docker"), "config.json")


def find_missing(
    used: Iterable[UsedImage], existence: Existence, advance: Callable[[], None] = lambda: None
) -> list[Missing]:
    """What isn't there of the images with a rule, by their first places."""
    wanted = [one for one in used if one.target is not None]
    answers = existence.ask([one.upstream for one in wanted], advance)
    found = [
        Missing(answer.state, one.upstream, one.places, _aged(answer))
        for one in wanted
        if (answer := answers[one.upstream]).state is not State.THERE
    ]
    return sorted(found, key=lambda one: (_order(one.places[0]), one.image.normalized))


def _order(place: str) -> tuple[str, int, int]:
    """Where `path:line:col` comes in a report."""
    file, line, column = place.rsplit(":", 2)
    return file, int(line), int(column)


def _aged(answer: Answer) -> str:
    minutes = int(answer.age // 60)
    if not minutes:
        return answer.detail
    hours = minutes // 60
    return f"{answer.detail} (asked {f'{hours} h' if hours else f'{minutes} min'} ago)"
