"""What a long run is working on, for whoever watches it.

The parts of a run that may take long say how many pieces of work they expect, and mark each. They
may do so from several threads, and nothing happens unless somebody watches.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Watcher", "expect", "step", "watched_by"]


class Watcher(Protocol):
    """Somebody who is shown what a run works on."""

    def expect(self, number: int) -> None:
        """Learns how many more pieces of work there will be."""

    def begin(self, name: str) -> None:
        """Learns that the work on something begins."""

    def end(self) -> None:
        """Learns that a piece of work is done."""


_watchers: list[Watcher] = []


def expect(number: int) -> None:
    """Announces pieces of work."""
    for watcher in tuple(_watchers):
        watcher.expect(number)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Marks the work on one thing, from beginning to end."""
    watching = tuple(_watchers)
    for watcher in watching:
        watcher.begin(name)
    try:
        yield
    finally:
        for watcher in watching:
            watcher.end()


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Shows a watcher what the run works on meanwhile."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)
