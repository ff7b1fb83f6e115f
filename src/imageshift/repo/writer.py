"""One writing run over a tree: its turn, what it finds half done, and how it writes."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from msgspec import Struct, field

from imageshift.repo.interrupt import uninterrupted
from imageshift.repo.journal import forget, is_pending, note, undo
from imageshift.repo.lock import default_wait, locked
from imageshift.repo.place import Place, find_place
from imageshift.repo.write import PREFIX, Write, flush_folders, write_together

__all__ = ["Writer", "is_left_half_done", "writing"]


class Writer(Struct):
    """What writes files while it has the lock; `rolled_back` are files that a stopped run wrote."""

    place: Place
    marker: str
    rolled_back: tuple[Path, ...] = ()
    _written: list[Path] = field(default_factory=list)

    def write(self, writes: Sequence[Write]) -> None:
        """Replaces all the files, or none; also where the run is killed meanwhile.

        Raises:
            SourceError: as `write_together`.
        """
        if len(writes) > 1:
            noted, forgotten = partial(note, self.place, writes), partial(forget, self.place)
            write_together(writes, marker=self.marker, staged=noted, done=forgotten)
        else:
            write_together(writes, marker=self.marker)
            self._written += [write.path for write in writes]

    def flush(self) -> None:
        """Makes what single files were replaced by last."""
        flush_folders(self._written)


@contextmanager
def writing(root: Path, *, wait: float | None = None) -> Iterator[Writer]:
    """Takes the lock of the tree that a root lies in, and cleans up behind runs that were stopped.

    Raises:
        BusyError: another run writes to the tree for longer than `wait` seconds.
        SourceError: nothing can be written, or what was half done can't be undone.
    """
    place = find_place(root.resolve())
    with locked(place.folder, default_wait() if wait is None else wait) as lock:
        with uninterrupted():
            rolled_back = undo(place, lock.marker)
            if lock.dead:
                _sweep(place.base, lock.dead)
        writer = Writer(place, lock.marker, rolled_back)
        try:
            yield writer
        finally:
            with uninterrupted():
                writer.flush()


def is_left_half_done(root: Path) -> bool:
    """Whether a run over the tree is replacing files together, or was stopped while it did."""
    return is_pending(find_place(root.resolve()))


def _sweep(base: Path, dead: Sequence[str]) -> None:
    """Removes the temporary files of runs that were killed."""
    names = tuple(f"{PREFIX}{marker}-" for marker in dead)
    for folder, folders, files in os.walk(base):
        if ".git" in folders:
            folders.remove(".git")
        for name in files:
            if name.startswith(names):
                with suppress(OSError):
                    Path(folder, name).unlink()
