"""How files are written: whole, together with those they belong to, or not at all."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.interrupt import uninterrupted
from imageshift.repo.exchange import exchange
from imageshift.repo.flush import flush_folders, write_flushed
from imageshift.repo.lock import Turn
from imageshift.repo.read import read_file

__all__ = ["PREFIX", "Write", "write_together", "write_whole"]

PREFIX = ".imageshift-"
"""How the names of temporary files begin; no walk takes them for files of ours."""

_CHANGED = "the file has changed since it was read"


class Write(Struct, frozen=True):
    """The new content of a file, and the content that it was planned on; None: there is none."""

    path: Path
    before: bytes | None
    after: bytes


def write_together(
    writes: Sequence[Write],
    *,
    turn: Turn | None = None,
    staged: Callable[[], None] = lambda: None,
    done: Callable[[], None] = lambda: None,
) -> None:
    """Replaces all the files, or none; mode, owner and extended attributes stay.

    Every new content is written and flushed beside its file first; then `staged` is called, the
    files are replaced, checked and flushed, and `done` is called. Whatever fails, each file is
    whole, and those already replaced are put back, which takes no room on the disk. What would
    end the run waits until then. The marker of the `turn` becomes a part of the temporary names.
    A file's further hard links keep the old content. The folder of a single file is left to be
    flushed by others.

    Raises:
        SourceError: a file has changed since it was read (`changed`) or can't be written
            (`unwritable`); its `path` says which, where it is about one.
    """
    with uninterrupted():
        files = [_Replacement(write, turn or Turn()) for write in writes]
        try:
            _replace_all(files, staged, done)
        finally:
            for file in files:
                file.clean()


def write_whole(path: Path, content: bytes) -> None:
    """Makes or replaces a file in one step: who reads it sees the old content or the new one.

    Its mode, owner and extended attributes stay.

    Raises:
        SourceError: it can't be written (`unwritable`).
    """
    with uninterrupted(), _as_source_error():
        file = _Replacement(Write(path, b"" if path.exists() else None, content), Turn())
        try:
            file.stage().replace(path)
        finally:
            file.clean()


def _replace_all(
    files: Sequence["_Replacement"], staged: Callable[[], None], done: Callable[[], None]
) -> None:
    try:
        _each(files, _Replacement.stage)
        _each(files, _Replacement.refuse_changed)
        staged()
        _each(files, _Replacement.replace)
        if len(files) > 1:
            flush_folders(file.write.path for file in files)
        _each(files, _Replacement.refuse_lost)
        done()
    except BaseException as error:
        with _as_source_error():
            _go_back(files)
            done()
        if isinstance(error, OSError):
            raise _unwritable(error) from None
        raise


def _each(files: Sequence["_Replacement"], step: Callable[["_Replacement"], object]) -> None:
    """Takes one step for each file; an error says which file it is about."""
    for file in files:
        try:
            with _as_source_error():
                step(file)
        except SourceError as error:
            error.path = file.write.path
            raise


def _go_back(files: Sequence["_Replacement"]) -> None:
    """Puts every old content back; one that can't be must not keep the others from it."""
    stuck: list[OSError] = []
    for file in files:
        try:
            file.go_back()
        except OSError as error:
            stuck.append(error)
    flush_folders(file.write.path for file in files)
    if stuck:
        raise stuck[0]


@contextmanager
def _as_source_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> SourceError:
    return SourceError(f"can't be written: {error.strerror}", reason="unwritable")


class _Replacement(Struct):
    """A file, its new content beside it, and its old one once it is replaced."""

    write: Write
    turn: Turn
    new: Path | None = None
    old: Path | None = None
    replaced: bool = False

    def stage(self) -> Path:
        """Writes the new content beside the file, and gives its place."""
        path = self.write.path
        if self.write.before is None:
            self.new = self._beside(0o666)
            _fill(self.new, self.write.after)
            return self.new
        # Opening tells whether it may be written, by rights, attributes and file system.
        os.close(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
        self.new = self._beside(0o600)
        _fill(self.new, self.write.after, like=path)
        return self.new

    def refuse_changed(self) -> None:
        if not self._holds(self.write.before):
            raise SourceError(_CHANGED, reason="changed")

    def replace(self) -> None:
        """Puts the new content in place; the old one stays under another name."""
        assert self.new is not None  # noqa: S101 it is staged
        if self.write.before is None:
            self._make(self.new)
        elif exchange(self.new, self.write.path):
            self.old, self.new = self.new, None
        else:
            self.old = self._second_name()
            self.new.replace(self.write.path)
        self.replaced = True
        self.refuse_lost()

    def refuse_lost(self) -> None:
        """Looks at what was really replaced: it may have changed since the check before."""
        if self.old is not None and _read(self.old) != self.write.before:
            raise SourceError(_CHANGED, reason="changed")

    def go_back(self) -> None:
        """Puts the old content back, unless somebody has changed the file since."""
        if not self.replaced or not self._holds(self.write.after):
            return
        if self.old is None:
            self.write.path.unlink()
        elif not exchange(self.old, self.write.path):
            self.old.replace(self.write.path)
        elif _read(self.old) != self.write.after:
            exchange(self.old, self.write.path)

    def clean(self) -> None:
        """Removes what is left beside the file; a content that stands nowhere else is kept."""
        try:
            if self.new is not None:
                self.new.unlink(missing_ok=True)
            if self.old is None or not os.path.lexists(self.old):
                return
            if read_file(self.old) in {self.write.before, self.write.after}:
                self.old.unlink()
            else:
                self.old.rename(f"{self.write.path}.imageshift-saved")
        except (OSError, SourceError):
            self.turn.left = True

    def _make(self, new: Path) -> None:
        """Gives a new file its name, which nobody else may have taken meanwhile."""
        try:
            self.write.path.hardlink_to(new)
        except FileExistsError:
            raise SourceError(_CHANGED, reason="changed") from None

    def _holds(self, content: bytes | None) -> bool:
        """Whether the file has a content; with None, whether it isn't there."""
        if content is None:
            return not os.path.lexists(self.write.path)
        return _read(self.write.path) == content

    def _second_name(self) -> Path:
        """Another name for the file; where the file system has no links, it becomes a copy."""
        name = self._beside(0o600)
        name.unlink()
        try:
            name.hardlink_to(self.write.path)
        except OSError:
            _copy(self.write, name)
        return name

    def _beside(self, mode: int) -> Path:
        """A new empty file in the folder of the file."""
        path = self.write.path.parent / f"{PREFIX}{self.turn.marker}-{os.urandom(6).hex()}"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
        return path


def _read(path: Path) -> bytes | None:
    """What a file holds; None where it isn't one, or can't be read."""
    try:
        return None if path.is_symlink() else read_file(path)
    except SourceError:
        return None


def _fill(path: Path, content: bytes, *, like: Path | None = None) -> None:
    """Gives a file its content and the owner, mode and attributes of another."""
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        if like is not None:
            _be_like(path, like)
        write_flushed(handle, content)
    finally:
        os.close(handle)


def _copy(write: Write, name: Path) -> None:
    try:
        name.touch(0o600)
        _fill(name, write.before or b"", like=write.path)
    except OSError:
        name.unlink(missing_ok=True)
        raise


def _be_like(path: Path, other: Path) -> None:
    import shutil  # noqa: PLC0415 for runs that write

    shutil.copystat(other, path)
    status = other.stat()
    with suppress(PermissionError):
        os.chown(path, status.st_uid, status.st_gid)
    # Changing the owner takes away special bits.
    path.chmod(stat.S_IMODE(status.st_mode))
    os.utime(path)
