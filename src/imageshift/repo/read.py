"""The one way that files are read: regular ones, below a folder where one is given, up to a size.

A link in a foreign repository may lead to any file of the machine, to a device that never ends,
or to a pipe that nobody writes to. None of them is opened for reading here.
"""

import os
import stat
from pathlib import Path

from imageshift.errors import SourceError

__all__ = [
    "LARGEST",
    "is_folder",
    "leads_out",
    "read_below",
    "read_file",
    "read_here",
    "resolve_below",
]

LARGEST = 64 * 1024 * 1024
"""The most bytes that a file of a repository may have."""

# A pipe that is opened so gives no bytes instead of waiting for some. Windows has but the last.
_FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY"))
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_CHUNK = 1024 * 1024


def read_file(path: Path | str, *, largest: int = LARGEST) -> bytes:
    """The bytes of a regular file, wherever it is and through whatever links.

    For files that the user names or that belong to the user's own set-up; what a repository
    names goes through `read_below`.

    Raises:
        SourceError: it can't be read, is no regular file or has more than `largest` bytes
            (reason `unwritable`).
    """
    return _read(path, _FLAGS, largest)


def read_below(root: Path, name: str, *, largest: int = LARGEST) -> bytes:
    """The bytes of a regular file below a folder; a link that leads out of it is refused.

    `root` is a resolved path, `name` relative to it.

    Raises:
        SourceError: as `read_file`, and for what is outside the root.
    """
    return _read(resolve_below(root, name), _FLAGS | _NO_LINK, largest)


def read_here(path: Path | str, *, largest: int = LARGEST) -> bytes:
    """The bytes of a regular file that is no link itself; its folder is trusted.

    Raises:
        SourceError: as `read_file`, and for a link.
    """
    return _read(path, _FLAGS | _NO_LINK, largest)


def resolve_below(root: Path, name: str) -> Path:
    """Where a name below a folder leads to, through all links.

    Raises:
        SourceError: it leads out of the folder, or can be no name (reason `unwritable`).
    """
    try:
        path = Path(os.path.realpath(root / name))
    except ValueError as error:  # a name with a zero byte
        raise SourceError(f"can't be read: {error}", reason="unwritable") from None
    if not path.is_relative_to(root):
        raise SourceError("can't be read: it leads out of the root", reason="unwritable")
    return path


def leads_out(root: Path, name: str) -> bool:
    """Whether a name below a folder leads out of it, as `resolve_below` finds."""
    try:
        resolve_below(root, name)
    except SourceError:
        return True
    return False


def is_folder(name: str) -> bool:
    """Whether a name is that of a folder; names that no file can have are none."""
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def _read(path: Path | str, flags: int, largest: int) -> bytes:
    try:
        handle = os.open(path, flags)
    except OSError as error:
        raise SourceError(f"can't be read: {error.strerror}", reason="unwritable") from None
    except ValueError as error:  # a name with a zero byte
        raise SourceError(f"can't be read: {error}", reason="unwritable") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError("can't be read: it isn't a regular file", reason="unwritable")
        if status.st_size > largest:
            raise _too_large(largest)
        return _contents(handle, status.st_size, largest)
    except OSError as error:
        raise SourceError(f"can't be read: {error.strerror}", reason="unwritable") from None
    finally:
        os.close(handle)


def _contents(handle: int, size: int, largest: int) -> bytes:
    data = os.read(handle, size + 1)
    if size and len(data) == size:
        return data
    # Files under /proc say that they have no bytes, and others grow or shrink meanwhile.
    parts, total = [data], len(data)
    while data:
        if total > largest:
            raise _too_large(largest)
        data = os.read(handle, _CHUNK)
        parts.append(data)
        total += len(data)
    return b"".join(parts)


def _too_large(largest: int) -> SourceError:
    return SourceError(f"can't be read: it is larger than {largest >> 20} MiB", reason="unwritable")
