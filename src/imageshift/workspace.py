"""The files of a repository: which are ours, how they are read, and how they are written.

Paths are texts relative to the workspace's root, with `/`, as Git has them.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec

from imageshift.errors import NoFilesError, SourceError

__all__ = ["CONFIG_NAME", "Workspace", "Write", "find_root", "write_together"]

CONFIG_NAME = ".imageshift.yaml"

_SUFFIXES = (".yaml", ".yml", ".json")
_IGNORE_FILES = (".gitignore", ".sourceignore")

# What Flux's source-controller leaves out of every artifact (its docs, "Default exclusions").
_FLUX_EXCLUDES = (
    ".git/",
    ".github/",
    ".circleci/",
    ".forgejo/",
    ".gitea/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
)


def find_root(paths: Sequence[Path], given: Path | None = None) -> Path:
    """The folder that a run may know of: nothing above it is ever read.

    `given`, else the nearest parent of the paths with .imageshift.yaml or .git, else the
    working directory if it holds them, else their common parent.

    Raises:
        NoFilesError: a path doesn't exist or lies outside the given root.
    """
    resolved = [path.resolve() for path in paths] or [Path.cwd()]
    for path, real in zip(paths, resolved, strict=False):
        if not real.exists():
            raise NoFilesError(f"{path}: no such file or folder")
    common = Path(os.path.commonpath(resolved))
    common = common if common.is_dir() else common.parent
    if given is not None:
        if not common.is_relative_to(given.resolve()):
            raise NoFilesError(f"{common} lies outside the root {given}")
        return given.resolve()
    for folder in (common, *common.parents):
        if (folder / CONFIG_NAME).is_file() or (folder / ".git").exists():
            return folder
    working = Path.cwd()
    return working if common.is_relative_to(working) else common


@dataclass(frozen=True, slots=True)
class _Ignore:
    """The patterns of one folder, and of all above it."""

    base: str
    spec: GitIgnoreSpec
    above: "_Ignore | None"

    def excludes(self, path: str, *, folder: bool) -> bool:
        """Whether a path is left out; patterns of deeper folders win, as in Git."""
        shown = f"{path}/" if folder else path
        level: _Ignore | None = self
        while level is not None:
            result = level.spec.check_file(shown[len(level.base) :])
            if result.include is not None:
                return result.include
            level = level.above
        return False


@dataclass(slots=True)
class Workspace:
    """A root folder with its ignore rules; `exclude` are patterns as in .gitignore."""

    root: Path
    exclude: tuple[str, ...] = ()
    _levels: dict[str, _Ignore] = field(default_factory=dict)

    def relative(self, path: Path) -> str:
        """The workspace's name of a path.

        Raises:
            NoFilesError: it lies outside the root.
        """
        real = path.resolve()
        if not real.is_relative_to(self.root):
            raise NoFilesError(f"{path} lies outside the root {self.root}")
        name = real.relative_to(self.root).as_posix()
        return "" if name == "." else name

    def absolute(self, name: str) -> Path:
        """The path of a name."""
        return self.root / name

    def walk(self, names: Iterable[str] = ("",)) -> Iterator[str]:
        """The YAML and JSON files under the names, each once, in path order.

        Ignore rules hold for named files too. Links aren't followed.
        """
        seen: set[str] = set()
        for name in sorted(names):
            for file in self._under(name):
                if file not in seen:
                    seen.add(file)
                    yield file

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            SourceError: it can't be read (reason `unwritable`).
        """
        try:
            with open(f"{self.root}/{name}", "rb") as stream:  # noqa: PTH123 the hot path
                return stream.read()
        except OSError as error:
            raise SourceError(f"can't be read: {error.strerror}", reason="unwritable") from None

    def is_excluded(self, name: str) -> bool:
        """Whether a rule leaves out a file, or a folder above it."""
        parts = name.split("/")
        folders = ["/".join(parts[:count]) for count in range(1, len(parts))]
        above = any(
            self._level(folder.rpartition("/")[0]).excludes(folder, folder=True)
            for folder in folders
        )
        return above or self._level(name.rpartition("/")[0]).excludes(name, folder=False)

    def _under(self, name: str) -> Iterator[str]:
        path = self.absolute(name)
        if path.is_dir():
            if not name or not self.is_excluded(f"{name}/."):
                yield from self._walk(name)
        elif path.is_file() and not self.is_excluded(name) and _is_ours(path.name):
            yield name

    def _walk(self, folder: str) -> Iterator[str]:
        prefix = f"{folder}/" if folder else ""
        entries: list[tuple[str, bool]] = []
        # A folder that can't be listed, or is gone meanwhile, holds no file of ours.
        with suppress(OSError), os.scandir(f"{self.root}/{folder}") as scan:
            entries = sorted(
                (entry.name, entry.is_dir()) for entry in scan if not entry.is_symlink()
            )
        ignore = self._level(folder, {name for name, _ in entries})
        for name, is_folder in entries:
            path = prefix + name
            if is_folder:
                if not ignore.excludes(path, folder=True):
                    yield from self._walk(path)
            elif _is_ours(name) and not ignore.excludes(path, folder=False):
                yield path

    def _level(self, folder: str, names: Collection[str] = _IGNORE_FILES) -> _Ignore:
        found = self._levels.get(folder)
        if found is None:
            found = self._levels[folder] = self._read_level(folder, names)
        return found

    def _read_level(self, folder: str, names: Collection[str]) -> _Ignore:
        lines: list[str] = []
        for name in _IGNORE_FILES:
            if name not in names:
                continue
            with suppress(OSError, UnicodeDecodeError):
                lines += (self.absolute(folder) / name).read_text("utf-8").splitlines()
        if not folder:
            lines = [*_FLUX_EXCLUDES, *lines, *self.exclude]
            return _Ignore("", GitIgnoreSpec.from_lines(lines), None)
        above = self._level(folder.rpartition("/")[0])
        return _Ignore(f"{folder}/", GitIgnoreSpec.from_lines(lines), above) if lines else above


def _is_ours(name: str) -> bool:
    return name.endswith(_SUFFIXES) or name == "Kustomization"


@dataclass(frozen=True, slots=True)
class Write:
    """The new content of a file, and the content that it was planned on."""

    path: Path
    before: bytes
    after: bytes


def write_together(writes: Sequence[Write]) -> None:
    """Replaces all the files, or none; mode and ownership stay.

    Every new content is staged beside its file first. Whatever happens then, Ctrl-C included,
    each file is whole, and those already replaced are put back.

    Raises:
        SourceError: a file has changed since it was read (`changed`) or can't be written
            (`unwritable`).
    """
    staged: list[tuple[Write, Path]] = []
    replaced: list[Write] = []
    try:
        for write in writes:
            staged.append((write, _stage(write.path, write.after)))  # noqa: PERF401 staged ones must be known when one fails
        for write in writes:
            _refuse_changed(write)
        for write, temporary in staged:
            replaced.append(write)
            temporary.replace(write.path)
    except BaseException as error:
        for write in replaced:
            _restore(write)
        if isinstance(error, OSError):
            raise SourceError(f"can't be written: {error.strerror}", reason="unwritable") from None
        raise
    finally:
        for _, temporary in staged:
            temporary.unlink(missing_ok=True)


def _stage(path: Path, content: bytes) -> Path:
    if not os.access(path, os.W_OK):
        raise PermissionError(13, "no permission")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".imageshift", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        shutil.copystat(path, temporary)
        status = path.stat()
        temporary.chmod(stat.S_IMODE(status.st_mode))
        with suppress(PermissionError):
            os.chown(temporary, status.st_uid, status.st_gid)
        os.utime(temporary)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _refuse_changed(write: Write) -> None:
    if write.path.read_bytes() != write.before:
        raise SourceError("the file has changed since it was read", reason="changed")


def _restore(write: Write) -> None:
    # One that can't be put back must not keep the others from it.
    with suppress(OSError):
        if write.path.read_bytes() == write.after:
            _stage(write.path, write.before).replace(write.path)
