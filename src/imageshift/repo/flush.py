"""Waiting until the disk has the contents and the names of files."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["flush_folders", "write_flushed"]


def write_flushed(handle: int, content: bytes) -> None:
    """Writes a content to an open file, and waits until the disk has it.

    Raises:
        OSError: it can't be written.
    """
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]
    os.fsync(handle)


def flush_folders(paths: Iterable[Path]) -> None:
    """Waits until the disk has the names in the folders of files, where it can be asked to."""
    for folder in sorted({path.parent for path in paths}):
        with suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
