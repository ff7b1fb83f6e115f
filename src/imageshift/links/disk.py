"""What is on disk under a name that a file gives, whatever the name looks like."""

from collections.abc import Callable
from pathlib import Path

from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.repo.read import resolve_below

__all__ = ["is_file", "is_folder", "read_text"]


def is_file(index: Index, name: str) -> bool:
    """Whether a name is that of a file below the root; names that no file can have are none."""
    return _is(Path.is_file, index, name)


def is_folder(index: Index, name: str) -> bool:
    """Whether a name is that of a folder below the root; the empty one is the root."""
    return not name or _is(Path.is_dir, index, name)


def _is(kind: Callable[[Path], bool], index: Index, name: str) -> bool:
    try:
        return kind(resolve_below(index.workspace.root, name))
    except (SourceError, OSError):
        return False


def read_text(index: Index, name: str) -> str:
    """The text of a file, empty when it can't be read."""
    try:
        return index.workspace.read(name).decode("utf-8", errors="replace")
    except SourceError:
        return ""
