"""The tree of before (or of now) as a folder of its own, in which builds may leave traces.

A copy holds folders, regular files, and links that stay inside it: nothing that a build could
wait for, and nothing through which it could read what is outside.
"""

import errno
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct, field

from imageshift.errors import SourceError, ToolError, without_users
from imageshift.git import Revision, drop_links_out, remotes
from imageshift.repo.read import is_folder, read_below

__all__ = ["Snapshot"]

_LEFT_OUT = {".git", ".terraform", "node_modules", ".venv", "__pycache__"}
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Snapshot(Struct, frozen=True):
    """A copy of a tree; it goes when the `with` block ends.

    `unread` are the folders and files that couldn't be copied, each with the reason.
    """

    root: Path
    holder: "tempfile.TemporaryDirectory[str]"
    unread: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_folder(cls, folder: Path) -> "Snapshot":
        """A folder as it is now. Files are linked where the disk allows it, else copied.

        Raises:
            ToolError: there is no room for a copy.
        """
        return cls._filled(folder, lambda root: _Copy(folder.resolve(), root).make())

    @classmethod
    def of_revision(cls, folder: Path, revision: str) -> "Snapshot":
        """What a Git revision has of a folder.

        Raises:
            ConfigError: Git knows no such revision, or it doesn't have the folder.
            ToolError: Git can't be run, or there is no room for a copy.
        """
        found = Revision.find(folder, revision)
        return cls._filled(folder, found.extract)

    @classmethod
    def of_base(cls, base: str, root: Path) -> "Snapshot":
        """The tree that `--base` names: a folder, or a revision of the root's repository.

        Raises:
            ConfigError: it is neither.
            ToolError: as `of_folder` and `of_revision`.
        """
        return cls.of_folder(Path(base)) if is_folder(base) else cls.of_revision(root, base)

    def write(self, file: str, content: bytes) -> None:
        """Gives a file of the copy another content."""
        path = self.root / file
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    @classmethod
    def _filled(cls, folder: Path, fill: Callable[[Path], dict[str, str] | None]) -> "Snapshot":
        """A copy of a folder that `fill` makes in a new one; it may say what it left out."""
        holder = tempfile.TemporaryDirectory(prefix="imageshift-", ignore_cleanup_errors=True)
        root = Path(holder.name).resolve() / "tree"
        try:
            root.mkdir()
            unread = fill(root) or {}
            _keep_remotes(folder, root)
        except OSError as error:
            holder.cleanup()
            raise ToolError(f"the tree can't be copied: {error.strerror}") from None
        except BaseException:
            holder.cleanup()
            raise
        return cls(root, holder, unread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.holder.cleanup()


class _Copy(Struct):
    """A copy of a folder in the making."""

    source: Path
    target: Path
    unread: dict[str, str] = field(default_factory=dict)

    def make(self) -> dict[str, str]:
        """Copies all; gives the folders and files that can't be read, with the reasons."""
        waiting, links = [""], list[str]()
        while waiting:
            name = waiting.pop()
            for entry in self._entries(name):
                inner = f"{name}/{entry.name}" if name else entry.name
                if entry.is_symlink():
                    links.append(inner)
                elif entry.is_dir():
                    waiting.append(inner)
                elif entry.is_file():
                    self._add_file(inner)
        self._add_links(links)
        return self.unread

    def _entries(self, name: str) -> list["os.DirEntry[str]"]:
        """What a folder holds, once its copy is there."""
        try:
            with os.scandir(self.source / name) as found:
                entries = [entry for entry in found if entry.name not in _LEFT_OUT]
            (self.target / name).mkdir(exist_ok=True)
        except OSError as error:
            if not name or error.errno in _FULL:
                raise
            self.unread[name] = f"can't be read: {error.strerror}"
            return []
        return entries

    def _add_file(self, name: str) -> None:
        # imageshift replaces files and never writes into them, so that a link keeps the old bytes.
        try:
            os.link(self.source / name, self.target / name, follow_symlinks=False)
        except OSError:
            try:
                content = read_below(self.source, name)
            except SourceError as error:
                self.unread[name] = str(error)
            else:
                (self.target / name).write_bytes(content)

    def _add_links(self, names: list[str]) -> None:
        for name in names:
            with suppress(OSError):
                (self.target / name).symlink_to((self.source / name).readlink())
        drop_links_out(self.target, names)


def _keep_remotes(folder: Path, root: Path) -> None:
    """Which repository it is a checkout of, since Flux sources name it by its URL.

    Builds can read what the copy holds, so users and passwords are left out.
    """
    urls = [without_users(url) for url in remotes(folder)]
    if urls:
        lines = (f'[remote "{number}"]\nurl = {url}\n' for number, url in enumerate(urls))
        (root / ".git").mkdir(exist_ok=True)
        (root / ".git" / "config").write_text("".join(lines), "utf-8")
