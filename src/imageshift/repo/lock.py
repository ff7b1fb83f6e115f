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
from imageshift.repo.interrupt import uninterrupted

__all__ = ["Lock", "default_wait", "locked"]

_NAME = "lock"
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_POLL = 0.1
_WAIT = 60.0
_LARGEST = 4096


class Lock(Struct, frozen=True):
    """What a lock file says of the run that holds it.

    `marker` is a part of the names of its temporary files. `dead` are the markers of runs that
    ended without cleaning up.
    """

    pid: int
    host: str
    since: str
    marker: str
    dead: tuple[str, ...] = ()


def default_wait() -> float:
    """How many seconds a run waits for another one: a minute, or IMAGESHIFT_LOCK_WAIT."""
    try:
        return float(os.environ["IMAGESHIFT_LOCK_WAIT"])
    except (KeyError, ValueError):
        return _WAIT


@contextmanager
def locked(folder: Path, wait: float) -> Iterator[Lock]:
    """Holds the lock of a folder, which is made, and removed afterwards if it is empty.

    Raises:
        BusyError: another run still holds it after `wait` seconds.
        SourceError: the folder can't be written (reason `unwritable`).
    """
    try:
        handle = _taken(folder, time.monotonic() + wait)
    except OSError as error:
        raise SourceError(
            f"{folder}: can't be written: {error.strerror}; nothing was changed",
            reason="unwritable",
            hint="imageshift keeps its lock there: make it writable, or set XDG_STATE_HOME",
        ) from None
    try:
        yield _signed(handle)
    finally:
        _release(folder, handle)


def _taken(folder: Path, until: float) -> int:
    while True:
        with uninterrupted():
            handle, holder = _tried(folder)
        if handle is not None:
            return handle
        if time.monotonic() >= until:
            raise _busy(folder, holder)
        time.sleep(_POLL)


def _tried(folder: Path) -> tuple[int | None, Lock | None]:
    """The open lock file if the lock is ours now, else what is known of its holder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(folder / _NAME, _FLAGS, 0o666)
    except FileNotFoundError:  # a run that has just ended took the folder away
        return None, None
    if _is_ours(handle, folder / _NAME):
        return handle, None
    holder = _read(handle)
    os.close(handle)
    return None, holder


def _is_ours(handle: int, path: Path) -> bool:
    """Whether the lock is ours now, and its file still the one that others find."""
    import fcntl  # noqa: PLC0415 absent on Windows, where nothing is written

    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "the lock is no regular file")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(handle), path.lstat())
    return False


def _signed(handle: int) -> Lock:
    """Writes who holds the lock, and which runs held it that didn't clean up behind them."""
    before = _read(handle)
    lock = Lock(
        pid=os.getpid(),
        host=os.uname().nodename,
        since=time.strftime("%Y-%m-%d %H:%M:%S %z"),
        marker=os.urandom(8).hex(),
        dead=() if before is None else (*before.dead, before.marker),
    )
    content = msgspec.json.encode(lock)
    os.pwrite(handle, content, 0)
    os.ftruncate(handle, len(content))
    os.fsync(handle)
    return lock


def _read(handle: int) -> Lock | None:
    try:
        return msgspec.json.decode(os.pread(handle, _LARGEST, 0), type=Lock)
    except (OSError, msgspec.MsgspecError):
        return None


def _release(folder: Path, handle: int) -> None:
    with uninterrupted():
        # Removed while it is held: whoever has opened it meanwhile sees that it is gone.
        with suppress(OSError):
            (folder / _NAME).unlink()
        os.close(handle)
        with suppress(OSError):
            folder.rmdir()


def _busy(folder: Path, holder: Lock | None) -> BusyError:
    who = "another run"
    if holder is not None:
        who = f"process {holder.pid} on {holder.host}, since {holder.since},"
    return BusyError(
        f"{who} writes to this tree; nothing was changed",
        hint=f"wait until it has ended; its lock is {folder / _NAME}",
    )
