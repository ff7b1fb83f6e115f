"""Which images versions of charts use by default, as far as this machine has rendered them.

It tells an override that has gone stale, since some version of the chart took that image, from one
that a team has put there on purpose. It holds hashes of names alone.
"""

from collections.abc import Iterable

from msgspec import Struct

from imageshift.charts.fetch.store import Store
from imageshift.charts.model import ChartSource, ValuePath
from imageshift.errors import without_users
from imageshift.reference import ImageReference

__all__ = ["History"]

_SEEN = b"seen"


class History(Struct, frozen=True):
    """Images by their charts, kept in the user's cache; without one nothing is known."""

    store: Store = Store(None)

    def note(self, chart: ChartSource, version: str, images: Iterable[ImageReference]) -> None:
        """Remember that a version of a chart uses these images by default."""
        for image in dict.fromkeys(images):
            for text in dict.fromkeys((image.full_name, image.normalized)):
                self._note(chart, version, text)

    def note_registry(
        self, chart: ChartSource, version: str, value: ValuePath, registry: str
    ) -> None:
        """Remember that a version of a chart uses a registry from one of its own values."""
        self._note(chart, version, _registry(value, registry))

    def has_left_registry(
        self, chart: ChartSource, version: str, value: ValuePath, registry: str
    ) -> bool:
        """Whether another version used a registry from one of its values, and this one doesn't."""
        return self._has_left(chart, version, _registry(value, registry))

    def has_left(
        self, chart: ChartSource, version: str, image: ImageReference, *, tagged: bool
    ) -> bool:
        """Whether another version of a chart used an image by default, and this one doesn't.

        One that this version uses as well, wherever that is, may stand in another's place on
        purpose. With `tagged` it has to be the same tag.
        """
        return self._has_left(chart, version, image.normalized if tagged else image.full_name)

    def _has_left(self, chart: ChartSource, version: str, text: str) -> bool:
        now = self.store.get(*_key(chart, _versioned(text, version)))
        return now is None and self.store.get(*_key(chart, text)) is not None

    def _note(self, chart: ChartSource, version: str, text: str) -> None:
        for key in (_key(chart, text), _key(chart, _versioned(text, version))):
            if self.store.get(*key) is None:
                self.store.keep(_SEEN, *key)


def _versioned(text: str, version: str) -> str:
    return f"{text} in {version}"


def _registry(value: ValuePath, registry: str) -> str:
    return f"{'.'.join(map(str, value))}={registry}"


def _key(chart: ChartSource, text: str) -> tuple[str, ...]:
    """The chart wherever it comes from, in any version; archives lie beside each other."""
    path = chart.path
    folder = "" if path is None else str(path if path.is_dir() else path.parent)
    return "an image of a chart", without_users(chart.url), folder, chart.name, text
