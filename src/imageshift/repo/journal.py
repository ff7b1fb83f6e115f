"""What a run notes before it replaces files that hold only together, and undoing it."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.repo.flush import flush_folders, write_flushed
from imageshift.repo.lock import Turn
from imageshift.repo.place import Place
from imageshift.repo.read import read_file
from imageshift.repo.write import Write, write_together

__all__ = ["forget", "is_pending", "note", "undo"]

_NAME = "journal"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
_LARGEST = 1 << 30


class _Entry(Struct, frozen=True):
    """A file by its name below the base, its old content, and the digest of its new one."""

    name: bytes
    before: bytes | None
    after: bytes


class _Journal(Struct, frozen=True):
    files: tuple[_Entry, ...]


def is_pending(place: Place) -> bool:
    """Whether a run is replacing files together, or was stopped while it did."""
    return os.path.lexists(place.folder / _NAME)


def note(place: Place, writes: Sequence[Write]) -> None:
    """Notes what will be replaced, so that it lasts.

    Raises:
        OSError: it can't be written.
    """
    files = tuple(
        _Entry(os.fsencode(w.path.relative_to(place.base)), w.before, _digest(w.after))
        for w in writes
    )
    staged = place.folder / f"{_NAME}.new"
    handle = os.open(staged, _FLAGS, 0o600)
    try:
        write_flushed(handle, msgspec.msgpack.encode(_Journal(files)))
    finally:
        os.close(handle)
    staged.replace(place.folder / _NAME)
    flush_folders([place.folder / _NAME, place.folder])


def forget(place: Place) -> None:
    """Removes what was noted, so that it doesn't come back after a loss of power.

    Raises:
        OSError: it can't be removed.
    """
    (place.folder / f"{_NAME}.new").unlink(missing_ok=True)
    if is_pending(place):
        (place.folder / _NAME).unlink()
        flush_folders([place.folder / _NAME])


def undo(place: Place, turn: Turn) -> tuple[Path, ...]:
    """Rolls back what a stopped run has replaced, unless it had replaced all; which files.

    Raises:
        SourceError: a file has changed since and stays as it is (`changed`); or the journal
            can't be used, or a file can't be written, and then the journal stays (`unwritable`).
    """
    if not is_pending(place):
        (place.folder / f"{_NAME}.new").unlink(missing_ok=True)
        return ()
    found = _noted(place)
    replaced = [file for file in found if file.is_replaced]
    if len(replaced) == len(found):
        replaced = []
    _roll_back(replaced, turn)
    flush_folders(file.path for file in found)
    forget(place)
    _refuse_others([file for file in found if not (file.is_replaced or file.now == file.old)])
    return tuple(file.path for file in replaced)


class _Noted(Struct, frozen=True):
    """A file of a journal: what it held, the digest of what it was to hold, what it holds."""

    path: Path
    old: bytes | None
    new: bytes
    now: bytes | None

    @property
    def is_replaced(self) -> bool:
        return self.now is not None and _digest(self.now) == self.new


def _noted(place: Place) -> list[_Noted]:
    file = place.folder / _NAME
    try:
        content = b"" if file.is_symlink() else read_file(file, largest=_LARGEST)
        journal = msgspec.msgpack.decode(content, type=_Journal)
        paths = [_path(place.base, os.fsdecode(entry.name)) for entry in journal.files]
    except (SourceError, msgspec.MsgspecError, ValueError) as error:
        raise SourceError(
            f"{file}: the journal of an interrupted run can't be used: {error}",
            reason="unwritable",
            hint="look at git diff, then remove the file",
        ) from None
    return [
        _Noted(path, entry.before, entry.after, _now(path))
        for path, entry in zip(paths, journal.files, strict=True)
    ]


def _path(base: Path, name: str) -> Path:
    """The path of a name, which no link on the way and no `..` may take out of the base.

    Raises:
        ValueError: it leads elsewhere.
    """
    path, own = base / name, PurePosixPath(name)
    plain = not own.is_absolute() and ".." not in own.parts and "\0" not in name
    if not plain or Path(os.path.realpath(path.parent)) != path.parent:
        raise ValueError(f"{name!r} leads elsewhere")
    return path


def _now(path: Path) -> bytes | None:
    try:
        return None if path.is_symlink() else read_file(path)
    except SourceError:
        return None


def _roll_back(files: Sequence[_Noted], turn: Turn) -> None:
    try:
        write_together(
            [Write(file.path, file.now, file.old) for file in files if file.old is not None],
            turn=turn,
        )
        for file in files:
            if file.old is None:
                file.path.unlink()
    except (SourceError, OSError) as error:
        names = ", ".join(str(file.path) for file in files)
        raise SourceError(
            f"{names}: can't be rolled back: {error}",
            reason="unwritable",
            hint="a run was interrupted while writing them; the next one tries again",
        ) from None


def _refuse_others(files: Sequence[_Noted]) -> None:
    if files:
        raise SourceError(
            "\n".join(
                f"{file.path}: has changed since a run was interrupted while writing this file "
                "together with others; it stays as it is, and the others were restored"
                for file in files
            ),
            reason="changed",
            hint="look at git diff, then run it again",
        )


def _digest(content: bytes) -> bytes:
    import hashlib  # noqa: PLC0415 only for runs that write

    return hashlib.sha256(content).digest()
