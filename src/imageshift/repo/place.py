"""Where a tree's lock and journal are: in no clone, and not in what `git status` lists."""

import os
from pathlib import Path

from msgspec import Struct

from imageshift.repo.work_tree import find_git_dir, find_top

__all__ = ["Place", "find_place"]


class Place(Struct, frozen=True):
    """A tree and the folder of its lock and journal; names in the journal are below `base`.

    `among` is the folder in which the places of other trees are too, None in a git folder.
    """

    base: Path
    folder: Path
    among: Path | None = None

    def overlaps(self, base: Path) -> bool:
        """Whether another tree is in this one, or around it."""
        return base != self.base and (
            base.is_relative_to(self.base) or self.base.is_relative_to(base)
        )


def find_place(root: Path) -> Place:
    """The place for the tree that a resolved root is in.

    It is `imageshift` in the Git directory of the work tree. Where that isn't certain or can't be
    written, it is a folder in the user's state folder, by the hash of the path.
    """
    top = find_top(root)
    found = None if top is None else find_git_dir(top)
    if top and found and _is_git_folder(found[0]) and os.access(found[0], os.W_OK | os.X_OK):
        return Place(top, found[0] / "imageshift")
    return _users(top or root)


def _users(base: Path) -> Place:
    import hashlib  # noqa: PLC0415 only where there is no git folder

    from platformdirs import user_state_path  # noqa: PLC0415 as above

    name, among = hashlib.sha256(os.fsencode(base)).hexdigest()[:32], user_state_path("imageshift")
    return Place(base, among / name, among)


def _is_git_folder(folder: Path) -> bool:
    own = (folder / "objects").is_dir() and (folder / "refs").is_dir()
    linked = (folder / "commondir").is_file()
    return (folder / "HEAD").is_file() and (own or linked) and _is_own(folder / "imageshift")


def _is_own(folder: Path) -> bool:
    """Whether a folder is missing, or a real one and no link."""
    return not os.path.lexists(folder) or (folder.is_dir() and not folder.is_symlink())
