"""Chart folders: the files in them, through links as far as a boundary."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from imageshift.charts.fetch.archive import Budget, plain_name
from imageshift.charts.model import ChartError
from imageshift.errors import SourceError
from imageshift.repo.ignore import Patterns
from imageshift.repo.read import read_below, resolve_below

__all__ = ["read_folder"]

_DEEPEST = 50
_MOST_LINKS = 1000


def read_folder(folder: Path, boundary: Path, budget: Budget) -> dict[str, bytes]:
    """The files of a chart's folder by their path in it; .helmignore is obeyed.

    Both folders are resolved ones. As Helm does, it follows links, but not out of the boundary.

    Raises:
        ChartError: a link leads out, a file isn't a regular one or can't be read, or it is all
            more than the budget has left.
    """
    reader = _Folder(folder, boundary, budget)
    return {path: reader.read(name) for name, path in list(reader.names())}


class _Folder:
    def __init__(self, folder: Path, boundary: Path, budget: Budget) -> None:
        self._folder = folder
        self._boundary = boundary
        self._budget = budget
        self._links = 0
        # Where each folder leads to: links behind links take long to follow again and again.
        self._real = {folder: folder}
        has_patterns = os.path.lexists(folder / ".helmignore")
        self._patterns = Patterns.read(self.read(".helmignore") if has_patterns else b"")

    def names(self) -> Iterator[tuple[str, str]]:
        """Every file's name below the folder, as the system has it and as text."""
        for here, folders, names in os.walk(self._folder, followlinks=True, onerror=self._fail):
            parent = Path(here)
            folders[:] = sorted(name for name in folders if self._is_entered(parent / name))
            for name in sorted(names):
                self._budget.take_file(str(self._folder))
                found = str((parent / name).relative_to(self._folder))
                if not self._is_ignored(found, folder=False):
                    yield found, plain_name(os.fsencode(found)).replace("\\", "%5C")

    def _is_entered(self, path: Path) -> bool:
        """Whether a folder is read; a link to one above it has no end."""
        self._budget.take_file(str(self._folder))
        inside = path.relative_to(self._folder)
        if path.name == ".git" or self._is_ignored(str(inside), folder=True):
            return False
        if len(inside.parts) > _DEEPEST:
            raise ChartError(f"{self._folder}: folders deeper than {_DEEPEST} levels")
        above = self._real[path.parent]
        real = above / path.name
        if real.is_symlink():
            real = self._follow(real, str(inside))
        self._real[path] = real
        return not above.is_relative_to(real)

    def _follow(self, link: Path, name: str) -> Path:
        """Where a link to a folder leads to; a few that lead to links again make many folders."""
        self._links += 1
        if self._links > _MOST_LINKS:
            raise ChartError(f"{self._folder}: more than {_MOST_LINKS:,} links to folders")
        try:
            return resolve_below(self._boundary, str(link))
        except SourceError as error:
            raise self._error(name, str(error)) from None

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        path = self._folder / name
        real = self._real[path.parent] / path.name
        try:
            content = read_below(self._boundary, str(real.relative_to(self._boundary)))
        except SourceError as error:
            raise self._error(name, str(error)) from None
        self._budget.take(len(content), str(self._folder))
        return content

    def _is_ignored(self, name: str, *, folder: bool) -> bool:
        if name == "Chart.yaml":
            return False
        # Helm's own pattern `templates/.?*`, which holds beside those of every .helmignore.
        hidden = re.fullmatch(r"templates/\.[^/]+", name) is not None
        return hidden or bool(self._patterns.verdict(os.fsencode(name), folder=folder))

    def _fail(self, error: OSError) -> None:
        raise ChartError(f"{self._folder}: a folder can't be read: {error.strerror}")

    def _error(self, name: str, why: str) -> ChartError:
        return ChartError(f"{self._folder}: {plain_name(os.fsencode(name))}: {why}")
