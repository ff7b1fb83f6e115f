"""How files are written: whole, together with those they belong to, or not at all."""

import os
import shutil
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from imageshift.errors import SourceError

__all__ = ["Write", "write_together"]


class Write(Struct, frozen=True):
    """The new content of a file, and the content that it was planned on."""

    path: Path
    before: bytes
    after: bytes


def write_together(writes: Sequence[Write]) -> None:
    """Replaces all the files, or none; mode, owner and extended attributes stay.

    Every new content is staged beside its file first. Whatever happens then, each file is whole,
    and those already replaced are put back, which takes no room on the disk. Ctrl-C waits until
    that is done. A file's further hard links keep the old content.

    Raises:
        SourceError: a file has changed since it was read (`changed`) or can't be written
            (`unwritable`).
    """
    with _uninterrupted():
        _replace_all([_Replacement(write) for write in writes])


def _replace_all(files: Sequence["_Replacement"]) -> None:
    try:
        for file in files:
            file.stage()
        for file in files:
            file.refuse_changed()
        for file in files:
            file.replace(may_go_back=len(files) > 1)
    except BaseException as error:
        for file in files:
            file.go_back()
        if isinstance(error, OSError):
            raise SourceError(f"can't be written: {error.strerror}", reason="unwritable") from None
        raise
    finally:
        for file in files:
            file.clean()


class _Replacement(Struct):
    """A file with its new content beside it and, once it is replaced, its old one."""

    write: Write
    new: Path | None = None
    old: Path | None = None

    def stage(self) -> None:
        """Writes the new content beside the file."""
        # Opening tells whether it may be written, by rights, attributes and file system.
        os.close(os.open(self.write.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
        self.new = _beside(self.write.path)
        _fill(self.new, self.write.after, like=self.write.path)

    def refuse_changed(self) -> None:
        if self.write.path.read_bytes() != self.write.before:
            raise SourceError("the file has changed since it was read", reason="changed")

    def replace(self, *, may_go_back: bool) -> None:
        """Puts the new content in place; the old one is kept under another name."""
        if may_go_back:
            self.old = _beside(self.write.path)
            _give_second_name(self.write, self.old)
        if self.new is not None:
            self.new.replace(self.write.path)

    def go_back(self) -> None:
        """Puts the old content back, unless somebody has changed the file since."""
        # One that can't be put back must not keep the others from it.
        with suppress(OSError):
            if self.old is not None and self.write.path.read_bytes() == self.write.after:
                self.old.replace(self.write.path)

    def clean(self) -> None:
        """Removes what is left beside the file."""
        for path in filter(None, (self.new, self.old)):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _give_second_name(write: Write, name: Path) -> None:
    """Links a name to a file; where the file system has no links, it becomes a copy."""
    name.unlink()
    try:
        name.hardlink_to(write.path)
    except OSError:
        _fill(name, write.before, like=write.path)


def _beside(path: Path) -> Path:
    """A new empty file in the folder of another, whose name no walk takes for one of ours."""
    handle, name = tempfile.mkstemp(prefix=".imageshift-", dir=path.parent)
    os.close(handle)
    return Path(name)


def _fill(path: Path, content: bytes, *, like: Path) -> None:
    """Gives a file its content, and the owner, mode and attributes of another."""
    path.write_bytes(content)
    shutil.copystat(like, path)
    status = like.stat()
    with suppress(PermissionError):
        os.chown(path, status.st_uid, status.st_gid)
    # Changing the owner takes away special bits.
    path.chmod(stat.S_IMODE(status.st_mode))
    os.utime(path)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Puts Ctrl-C off until the end, where it would be raised at all."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    pressed: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if pressed:
            raise KeyboardInterrupt
