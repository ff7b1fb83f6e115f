"""The tree of before (or of now) as a folder of its own, in which builds may leave traces."""

import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from imageshift.errors import ConfigError, ToolError

__all__ = ["Snapshot"]

_LEFT_OUT = {".git", ".terraform", "node_modules", ".venv", "__pycache__"}


class Snapshot(Struct, frozen=True):
    """A copy of a tree; it goes when the `with` block ends."""

    root: Path
    holder: "tempfile.TemporaryDirectory[str]"

    @classmethod
    def of_folder(cls, folder: Path) -> "Snapshot":
        """A folder as it is now. Files are linked where the disk allows it, else copied."""
        made = cls._empty()
        shutil.copytree(
            folder,
            made.root,
            symlinks=True,
            ignore=lambda _, names: _LEFT_OUT & {*names},
            copy_function=_link,
            dirs_exist_ok=True,
        )
        _keep_remotes(folder, made.root)
        return made

    @classmethod
    def of_revision(cls, folder: Path, revision: str) -> "Snapshot":
        """What a Git revision has of a folder.

        Raises:
            ConfigError: Git knows no such revision.
            ToolError: there is no Git.
        """
        data = _archive(folder, revision)
        made = cls._empty()
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            archive.extractall(made.root, filter="tar")
        _keep_remotes(folder, made.root)
        return made

    @classmethod
    def of_base(cls, base: str, root: Path) -> "Snapshot":
        """The tree that `--base` names: a folder, or a revision of the root's repository.

        Raises:
            ConfigError: it is neither.
            ToolError: there is no Git.
        """
        folder = Path(base)
        return cls.of_folder(folder) if folder.is_dir() else cls.of_revision(root, base)

    def write(self, file: str, content: bytes) -> None:
        """Gives a file of the copy another content."""
        path = self.root / file
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    @classmethod
    def _empty(cls) -> "Snapshot":
        holder = tempfile.TemporaryDirectory(prefix="imageshift-", ignore_cleanup_errors=True)
        root = Path(holder.name).resolve() / "tree"
        root.mkdir()
        return cls(root, holder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.holder.cleanup()


def _link(source: str, target: str) -> str:
    # imageshift replaces files and never writes into them, so that a link keeps the old bytes.
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        # What can't be read, pipes and the like among it, isn't compared either.
        with suppress(PermissionError, shutil.SpecialFileError):
            shutil.copy2(source, target, follow_symlinks=False)
    return target


def _keep_remotes(folder: Path, root: Path) -> None:
    """Which repository it is a checkout of, since Flux sources name it by its URL."""
    config = folder / ".git" / "config"
    if config.is_file():
        (root / ".git").mkdir(exist_ok=True)
        shutil.copy2(config, root / ".git" / "config")


def _archive(folder: Path, revision: str) -> bytes:
    if revision.startswith("-"):
        raise ConfigError(f"{revision!r} is neither a folder nor a Git revision")
    try:
        done = subprocess.run(  # noqa: S603 no option can hide in the revision
            ["git", "archive", "--format=tar", revision, "."],  # noqa: S607 as the user has it
            cwd=folder,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise ToolError(f"git can't be run: {error.strerror}") from None
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise ConfigError(f"{revision!r} is neither a folder nor a Git revision: {why}")
    return done.stdout
