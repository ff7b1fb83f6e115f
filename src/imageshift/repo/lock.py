"""One writing run at a time over a tree. The kernel frees the lock of a run that has died."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from imageshift.errors import BusyError, SourceError
from imageshift.interrupt import uninterrupted
from imageshift.repo.flush import flush_folders, write_flushed

__all__ = ["Turn", "default_wait", "locked", "locked_tree", "telling_unwritable"]

_NAME = "lock"
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_POLL = 0.1
_WAIT = 60.0
_LARGEST = 1 << 20


class Turn(Struct):
    """The turn of a run: its marker, and those of runs that ended without cleaning up.

    A marker is a part of the names of a run's temporary files. `left` says that some of them
    couldn't be removed, so that the next run has to do it.
    """

    marker: str = ""
    dead: tuple[str, ...] = ()
    left: bool = False


class _Holder(Struct, frozen=True):
    """What a lock file says about a run that holds it, or held it and was killed."""

    pid: int
    host: str
    since: str
    marker: str
    tree: bytes


def default_wait() -> float:
    """How many seconds a run waits for another one: a minute, or IMAGESHIFT_LOCK_WAIT."""
    try:
        return float(os.environ["IMAGESHIFT_LOCK_WAIT"])
    except (KeyError, ValueError):
        return _WAIT


@contextmanager
def locked(folder: Path, tree: Path, wait: float) -> Iterator[Turn]:
    """Holds the lock of a tree in a folder, which is made, and removed afterwards if it is empty.

    Raises:
        BusyError: another run still holds it after `wait` seconds.
        SourceError: the folder can't be written (reason `unwritable`).
    """
    file = _LockFile(folder, tree)
    try:
        with telling_unwritable(folder):
            turn = file.take(time.monotonic() + wait)
        yield turn
    finally:
        file.release()


@contextmanager
def telling_unwritable(folder: Path) -> Iterator[None]:
    """Says of an OSError inside that the folder of the lock can't be written.

    Raises:
        SourceError: there was one (reason `unwritable`).
    """
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{folder}: can't be written: {error.strerror}; nothing was changed",
            reason="unwritable",
            hint="imageshift keeps its lock there: make it writable, or set XDG_STATE_HOME",
        ) from None


class _LockFile(Struct):
    """A lock file, open while it is ours. Signals wait while it is taken or released."""

    folder: Path
    tree: Path
    handle: int | None = None
    turn: Turn | None = None

    def take(self, until: float) -> Turn:
        """Waits for the lock, and says in its file who has it."""
        while True:
            with uninterrupted():
                self.handle, holder = _tried(self.folder)
                if self.handle is not None:
                    self.turn = _signed(self.folder / _NAME, self.tree, self.handle)
            if self.turn is not None:
                return self.turn
            if time.monotonic() >= until:
                raise _busy(self.folder, holder)
            time.sleep(_POLL)

    def release(self) -> None:
        """Gives the lock back. The file stays where another run has to clean up."""
        if self.handle is None:
            return
        with uninterrupted():
            # Removed while it is held: whoever has opened it meanwhile sees that it is gone.
            with suppress(OSError):
                left = bool(_read(self.handle)) if self.turn is None else self.turn.left
                if not left:
                    (self.folder / _NAME).unlink()
            os.close(self.handle)
            with suppress(OSError):
                self.folder.rmdir()


def _tried(folder: Path) -> tuple[int | None, _Holder | None]:
    """The open lock file if the lock is ours now, else what is known of its holder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(folder / _NAME, _FLAGS, 0o666)
    except FileNotFoundError:  # a run that has just ended took the folder away
        return None, None
    if _is_ours(handle, folder / _NAME):
        return handle, None
    holders = _read(handle)
    os.close(handle)
    return None, holders[-1] if holders else None


def _is_ours(handle: int, path: Path) -> bool:
    """Whether the lock is ours now, and its file still the one that others find."""
    import fcntl  # noqa: PLC0415 absent on Windows, where nothing is written

    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "the lock isn't a regular file")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.lstat())
    return False


def _signed(path: Path, tree: Path, handle: int) -> Turn:
    """Adds who holds the lock behind the runs that held it and didn't clean up."""
    dead = tuple(found.marker for found in _read(handle))
    own = _Holder(
        pid=os.getpid(),
        host=os.uname().nodename,
        since=time.strftime("%Y-%m-%d %H:%M:%S %z"),
        marker=os.urandom(8).hex(),
        tree=os.fsencode(tree),
    )
    os.lseek(handle, 0, os.SEEK_END)
    write_flushed(handle, b"\n" + msgspec.json.encode(own))
    flush_folders([path])
    return Turn(own.marker, dead)


def _read(handle: int) -> list[_Holder]:
    """The runs that a lock file names, one a line, the last of them its holder."""
    found: list[_Holder] = []
    for line in os.pread(handle, _LARGEST, 0).splitlines():
        with suppress(msgspec.MsgspecError):  # one that was killed while it wrote
            found.append(msgspec.json.decode(line, type=_Holder))
    return found


def locked_tree(folder: Path) -> Path | None:
    """The tree whose lock is in a folder, also of a run that was killed; None where it is free."""
    try:
        handle = os.open(folder / _NAME, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        holders = _read(handle)
    except OSError:
        return None
    finally:
        os.close(handle)
    return Path(os.fsdecode(holders[-1].tree)) if holders else None


def _busy(folder: Path, holder: _Holder | None) -> BusyError:
    who = "another run"
    if holder is not None:
        who = f"process {holder.pid} on {holder.host}, since {holder.since},"
    return BusyError(
        f"{who} is writing to this tree; nothing was changed",
        hint=f"wait until it ends; its lock is {folder / _NAME}",
    )
