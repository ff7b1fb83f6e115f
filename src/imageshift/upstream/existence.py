"""Whether many images are there, asked at once and remembered."""

import time
from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec import Struct

from imageshift.aws.used import UsedImage
from imageshift.charts.fetch.store import Store
from imageshift.net import Transport
from imageshift.reference import ImageReference
from imageshift.upstream.ask import Answer, Question, State, candidates
from imageshift.upstream.sites import BusyError, Site, Sites, ask_each

__all__ = ["Existence", "Missing", "find_missing"]

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
        self._sites = Sites(transport, environment)

    def ask(
        self, images: Iterable[ImageReference], advance: Callable[[], None] = lambda: None
    ) -> dict[ImageReference, Answer]:
        """The answers for images, each asked for once."""
        listed = list(images)
        named = (one for image in listed for one in (image, *candidates(image)))
        self._sites.add(one.registry for one in named)
        return ask_each(listed, self._answer, advance)

    def _answer(self, image: ImageReference) -> Answer:
        site = self._sites[image.registry]
        kept = self._recall(image, site)
        if kept is not None:
            return kept
        try:
            with site.turn() as registry:
                question = Question(image, self._platforms)
                answer = question.ask(registry, self._sites.registries)
            if answer.busy:
                site.busy = answer.detail
        except BusyError as error:
            return Answer(State.UNKNOWN, str(error))
        if answer.state is not State.UNKNOWN:
            text = msgspec.json.encode(_Kept(answer.state, answer.detail, time.time()))
            self._store.keep(text, *self._key(image, site))
        return answer

    def _recall(self, image: ImageReference, site: Site) -> Answer | None:
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

    def _key(self, image: ImageReference, site: Site) -> tuple[str, ...]:
        login = "login" if site.registry.login.header else ""
        return ("an image upstream", image.normalized, login, *self._platforms)


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
