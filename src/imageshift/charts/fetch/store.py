"""The cache of downloaded charts and indexes on disk.

It saves time and nothing else: what is missing, damaged or can't be kept is fetched again.
"""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.repo.read import read_file

__all__ = ["Store", "write_whole"]

_LARGEST = 160 * 1024 * 1024
_DIGEST = hashlib.sha256().digest_size
# A folder that others may write to is good only where it keeps them from each other's files.
_SHARED = stat.S_IWGRP | stat.S_IWOTH


class Store(Struct, frozen=True):
    """A folder of contents by their keys; None if there is nowhere to keep one.

    The names of its files are hashes of the keys, and a content that isn't the one that was kept
    counts as none. It is used only while nobody else can write to it.
    """

    folder: Path | None

    @classmethod
    def default(cls) -> "Store":
        """The store in the user's cache folder."""
        from platformdirs import user_cache_path  # noqa: PLC0415 not needed with a folder given

        try:
            return cls(user_cache_path("imageshift") / "charts")
        except RuntimeError:  # no home
            return cls(None)

    def get(self, *key: str) -> bytes | None:
        """What is kept under a key."""
        path = self._path(key)
        if path is None or not os.path.lexists(path):
            return None
        try:
            kept = read_file(path, largest=_LARGEST)
        except SourceError:
            return None
        digest, data = kept[:_DIGEST], kept[_DIGEST:]
        return data if hashlib.sha256(data).digest() == digest else None

    def keep(self, data: bytes, *key: str) -> None:
        """Keep a content, if that can be done."""
        path = self._path(key)
        if path is not None:
            with suppress(OSError):
                write_whole(path, hashlib.sha256(data).digest() + data)

    def _path(self, key: tuple[str, ...]) -> Path | None:
        if self.folder is None or not _is_private(self.folder):
            return None
        return self.folder / hashlib.sha256("\0".join(key).encode()).hexdigest()


def _is_private(folder: Path) -> bool:
    """Whether the folder is there, made if need be, and is the user's alone.

    A folder of another user, or a link of theirs, could lead what is written elsewhere.
    """
    try:
        for path in (folder.parent, folder):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_trusted(path.lstat()) or not _is_trusted(path.stat()):
                return False
    except OSError:
        return False
    return True


def _is_trusted(status: os.stat_result) -> bool:
    if stat.S_ISLNK(status.st_mode):
        return status.st_uid in {0, os.geteuid()}
    shared = status.st_mode & _SHARED and not status.st_mode & stat.S_ISVTX
    return status.st_uid in {0, os.geteuid()} and not shared


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that no reader ever sees a part of it, and the user alone any of it.

    Raises:
        OSError: it can't be written; nothing of it is left.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
