"""Which Git directory a folder belongs to, found without Git."""

import os
from pathlib import Path

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.repo.read import read_file

__all__ = ["find_git_dir", "find_top", "read_settings"]

_SMALL = 1024 * 1024
_SECTION = lazy_re(r'\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')


def find_top(folder: Path) -> Path | None:
    """The nearest folder at or above a resolved one that has a `.git`."""
    return next((f for f in (folder, *folder.parents) if os.path.lexists(f / ".git")), None)


def find_git_dir(top: Path) -> tuple[Path, Path] | None:
    """What the `.git` of a resolved folder stands for, if it belongs to that folder.

    The first is the work tree's own, the second what all work trees of the repository share.

    A link isn't followed. A file may name another place, as in work trees and submodules, when
    that place names the folder in turn: else a tree could choose a foreign repository.
    """
    place = top / ".git"
    if place.is_symlink():
        return None
    if place.is_dir():
        return place, place
    text = _line(place) or ""
    own = _real(top, text.removeprefix("gitdir: ")) if text.startswith("gitdir: ") else None
    if own is None or not _names_back(own, top):
        return None
    return own, own.parent.parent if (own / "commondir").is_file() else own


def _names_back(own: Path, top: Path) -> bool:
    back = _line(own / "gitdir")
    if back is not None:  # a work tree
        return _real(own, back) == top / ".git"
    trees = [value for *key, value in read_settings(own) if key == ["core", "worktree"]]
    return any(_real(own, tree) == top for tree in trees)  # a submodule


def read_settings(git_dir: Path) -> list[tuple[str, str, str]]:
    """Section, key and value of a repository's settings, as far as they stand on one line."""
    try:
        text = read_file(git_dir / "config", largest=_SMALL).decode("utf-8", "replace")
    except SourceError:
        return []
    found, section = [], ""
    for line in text.split("\n"):
        head = _SECTION.match(line.strip())
        if head is not None:
            section = head[1].lower()
            continue
        key, equals, value = line.partition("=")
        if equals:
            found.append((section, key.strip().lower(), value.strip().strip('"')))
    return found


def _line(path: Path) -> str | None:
    """The text of a small file of one line."""
    try:
        return os.fsdecode(read_file(path, largest=_SMALL)).rstrip("\r\n")
    except SourceError:
        return None


def _real(folder: Path, name: str) -> Path | None:
    try:
        return Path(os.path.realpath(folder / name))
    except ValueError:  # a name with a zero byte
        return None
