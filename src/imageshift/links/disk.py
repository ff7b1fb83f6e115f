"""What is on disk under a name that a file gives, whatever the name looks like."""

from imageshift.errors import SourceError
from imageshift.inventory import Index

__all__ = ["is_file", "is_folder", "read_text"]


def is_file(index: Index, name: str) -> bool:
    """Whether a name is that of a file; names that no file can have are none."""
    try:
        return index.workspace.absolute(name).is_file()
    except OSError:
        return False


def is_folder(index: Index, name: str) -> bool:
    """Whether a name is that of a folder; the empty one is the root."""
    try:
        return not name or index.workspace.absolute(name).is_dir()
    except OSError:
        return False


def read_text(index: Index, name: str) -> str:
    """The text of a file, empty when it can't be read."""
    try:
        return index.workspace.read(name).decode("utf-8", errors="replace")
    except (SourceError, ValueError):
        return ""
