"""How the files that rules are read from are found and read.

The file or folder that the user names may be anywhere. What a folder holds, and what files name
in their turn, is read only inside the repository that it lies in.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from imageshift.errors import SourceError
from imageshift.repo.read import read_below, read_file
from imageshift.repo.workspace import find_root
from imageshift.source import SourceText

__all__ = ["SourceFiles", "walk_files"]

_LARGEST = 16 * 1024 * 1024
_SKIPPED = frozenset({".git", ".terraform", "node_modules"})


class SourceFiles:
    """Reads the files of one source."""

    def __init__(self, source: Path) -> None:
        """A reader for a file or folder that exists."""
        self._root = find_root([source.resolve()])
        self._named = source

    def read(self, path: Path) -> bytes:
        """The bytes of a file.

        Raises:
            SourceError: it can't be read, or lies outside the repository.
        """
        if path == self._named:
            return read_file(path)
        name = os.path.relpath(os.path.realpath(path), self._root)
        return read_below(self._root, name)

    def text(self, path: Path) -> str:
        """The text of a file, without a byte order mark.

        Raises:
            SourceError: as `read`, and for one that is no UTF-8 or larger than 16 MiB.
        """
        content = self.read(path)
        if len(content) > _LARGEST:
            raise SourceError(f"more than {_LARGEST >> 20} MiB is too much for a source of rules")
        return SourceText.decode(content).text.removeprefix("\ufeff")

    def is_inside(self, folder: Path) -> bool:
        """Whether a folder lies in the repository of the source."""
        return folder.resolve().is_relative_to(self._root)


def walk_files(folder: Path, problems: list[tuple[Path, SourceError]]) -> Iterator[Path]:
    """The files below a folder in path order; links to folders aren't followed.

    Folders that can't be listed are added to the problems.
    """

    def fail(error: OSError) -> None:
        why = SourceError(f"the folder can't be read: {error.strerror}", reason="unwritable")
        problems.append((Path(error.filename), why))

    for root, folders, files in os.walk(folder, onerror=fail):
        folders[:] = sorted(set(folders) - _SKIPPED)
        yield from (Path(root, name) for name in sorted(files))
