"""Where a tree's lock and journal are: where no clone brings them and `git status` is silent."""

import os
import re
from pathlib import Path

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.repo.read import read_file

__all__ = ["Place", "find_place"]

_SMALL = 1024 * 1024
_WORKTREE = re.compile(rb"^[ \t]*worktree[ \t]*=[ \t]*(.+?)[ \t\r]*$", re.MULTILINE)


class Place(Struct, frozen=True):
    """A tree and the folder of its lock and journal; names in the journal are below `base`.

    `among` is the folder in which the places of other trees are too, None in a git folder.
    """

    base: Path
    folder: Path
    among: Path | None = None

    def overlaps(self, base: Path) -> bool:
        """Whether another tree lies in this one, or around it."""
        return base != self.base and (
            base.is_relative_to(self.base) or self.base.is_relative_to(base)
        )


def find_place(root: Path) -> Place:
    """The place for the tree that a resolved root lies in.

    It is `imageshift` in the git folder of the work tree, which only git's own layout names:
    a `.git` file counts only if the git folder that it leads to says that the work tree is its
    own. Everything else has a folder in the user's state folder, by the hash of the path.
    """
    for base in (root, *root.parents):
        if os.path.lexists(base / ".git"):
            git = _git_folder(base)
            usable = git is not None and os.access(git, os.W_OK | os.X_OK)
            return Place(base, git / "imageshift") if git and usable else _users(base)
    return _users(root)


def _users(base: Path) -> Place:
    import hashlib  # noqa: PLC0415 only where there is no git folder

    from platformdirs import user_state_path  # noqa: PLC0415 as above

    name, among = hashlib.sha256(os.fsencode(base)).hexdigest()[:32], user_state_path("imageshift")
    return Place(base, among / name, among)


def _git_folder(base: Path) -> Path | None:
    """The git folder of a work tree, None where it isn't certain."""
    entry = base / ".git"
    if entry.is_symlink():
        return None
    if entry.is_dir():
        return entry if _is_git_folder(entry) else None
    named = _content(entry).removeprefix(b"gitdir:").strip()
    folder = Path(os.path.realpath(base / os.fsdecode(named))) if named else None
    return folder if folder and _is_git_folder(folder) and _belongs(folder, base) else None


def _is_git_folder(folder: Path) -> bool:
    own = (folder / "objects").is_dir() and (folder / "refs").is_dir()
    linked = (folder / "commondir").is_file()
    return (folder / "HEAD").is_file() and (own or linked) and _is_own(folder / "imageshift")


def _is_own(folder: Path) -> bool:
    """Whether a folder is none yet, or one and no link to elsewhere."""
    return not os.path.lexists(folder) or (folder.is_dir() and not folder.is_symlink())


def _belongs(folder: Path, base: Path) -> bool:
    """Whether a git folder says that a work tree is its own: a linked one, or a submodule."""
    linked = _content(folder / "gitdir").strip()
    if linked:
        return Path(os.path.realpath(folder / os.fsdecode(linked))) == base / ".git"
    named = _WORKTREE.search(_content(folder / "config"))
    return named is not None and (
        Path(os.path.realpath(folder / os.fsdecode(named[1].strip(b'"')))) == base
    )


def _content(path: Path) -> bytes:
    try:
        return read_file(path, largest=_SMALL)
    except SourceError:
        return b""
