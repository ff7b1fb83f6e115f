"""One writing run over a tree: its turn, what it finds half done, and how it writes."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct, field

from imageshift.interrupt import uninterrupted
from imageshift.repo.flush import flush_folders
from imageshift.repo.journal import forget, is_pending, note, undo
from imageshift.repo.lock import Turn, default_wait, locked, locked_tree, telling_unwritable
from imageshift.repo.place import Place, find_place
from imageshift.repo.write import PREFIX, Write, write_together

__all__ = ["Writer", "is_left_half_done", "writing"]


class Writer(Struct):
    """What writes files while it has the lock; `rolled_back` are files that a stopped run wrote."""

    place: Place
    turn: Turn
    rolled_back: tuple[Path, ...] = ()
    _written: list[Path] = field(default_factory=list)

    def write(self, writes: Sequence[Write]) -> None:
        """Replaces all the files, or none; also where the run is killed meanwhile.

        Raises:
            SourceError: as `write_together`.
        """
        if len(writes) > 1:
            noted, forgotten = partial(note, self.place, writes), partial(forget, self.place)
            write_together(writes, turn=self.turn, staged=noted, done=forgotten)
        else:
            write_together(writes, turn=self.turn)
            self._written += [write.path for write in writes]

    def flush(self) -> None:
        """Waits until the disk has the new names of files that were replaced alone."""
        flush_folders(self._written)


@contextmanager
def writing(root: Path, *, wait: float | None = None) -> Iterator[Writer]:
    """Takes the lock of the tree that a root is in, and cleans up behind runs that were stopped.

    Raises:
        BusyError: another run writes to the tree for longer than `wait` seconds.
        SourceError: nothing can be written, or what was half done can't be undone.
    """
    place = find_place(root.resolve())
    wait = default_wait() if wait is None else wait
    with locked(place.folder, place.base, wait) as turn:
        rolled_back = _recovered(place, turn)
        for other in _overlapping(place):
            with locked(other.folder, other.base, wait) as their_turn:
                rolled_back += _recovered(other, their_turn)
        writer = Writer(place, turn, rolled_back)
        try:
            yield writer
        finally:
            with uninterrupted():
                writer.flush()


def is_left_half_done(root: Path) -> bool:
    """Whether a run over the tree is replacing files together, or was stopped while it did."""
    return is_pending(find_place(root.resolve()))


def _recovered(place: Place, turn: Turn) -> tuple[Path, ...]:
    """Cleans up behind runs that were stopped; the files that are rolled back."""
    turn.left = bool(turn.dead)
    with uninterrupted():
        try:
            with telling_unwritable(place.folder):
                return undo(place, turn)
        finally:
            if turn.dead:
                turn.left = not _sweep(place.base, turn.dead)


def _overlapping(place: Place) -> list[Place]:
    """The places of trees without git that lie in this one, or around it, and are not free."""
    found: list[Place] = []
    for folder in sorted(place.among.iterdir()) if place.among is not None else ():
        tree = locked_tree(folder)
        if tree is not None and place.overlaps(tree):
            found.append(Place(tree, folder, place.among))
    return found


def _sweep(base: Path, dead: Sequence[str]) -> bool:
    """Removes the temporary files of runs that were stopped; whether none is left."""
    names, clean = tuple(f"{PREFIX}{marker}-" for marker in dead), True
    for folder, folders, files in os.walk(base):
        if ".git" in folders:
            folders.remove(".git")
        for name in files:
            if name.startswith(names):
                try:
                    Path(folder, name).unlink()
                except OSError:
                    clean = False
    return clean
