"""The files of a repository: which are ours, and how they are read.

Paths are texts relative to the workspace's root, with `/`, as Git has them.
"""

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from imageshift.errors import ChangedError, NoFilesError, SourceError
from imageshift.repo.ignore import Patterns

__all__ = ["CONFIG_NAME", "Workspace", "find_root", "matching"]

CONFIG_NAME = ".imageshift.yaml"

_SUFFIXES = (".yaml", ".yml", ".json")
_IGNORE_FILES = (".sourceignore", ".gitignore")

# What Flux's source-controller leaves out of every artifact (its docs, "Default exclusions").
_FLUX_EXCLUDES = b"""\
.github/
.circleci/
.forgejo/
.gitea/
.travis.yml
.gitlab-ci.yml
appveyor.yml
.drone.yml
cloudbuild.yaml
codeship-services.yml
codeship-steps.yml
"""


def find_root(paths: Sequence[Path], given: Path | None = None) -> Path:
    """The folder that a run may know of: nothing outside it is ever read or written.

    `given`, else the nearest parent of the paths with .imageshift.yaml or .git, else the
    working directory if it holds them, else their common parent. A link counts where it stands,
    so that it can't lead a run elsewhere; only one to a whole repository may, or one to a folder
    that stands in no repository.

    Raises:
        NoFilesError: a path doesn't exist, lies outside the root, or is a link out of it.
    """
    for path in paths:
        if not path.exists():
            raise NoFilesError(f"{path}: no such file or folder")
    root = given.resolve() if given is not None else _found_root(paths or [Path.cwd()])
    for path in paths:
        _refuse_outside(path, root)
    return root


def _found_root(paths: Sequence[Path]) -> Path:
    marked = _marked_above([Path(os.path.abspath(path)) for path in paths])  # noqa: PTH100 keeps links
    if marked is not None:
        return marked.resolve()
    places = [path.resolve() if path.is_dir() else _place(path) for path in paths]
    marked = _marked_above(places)
    if marked is not None:
        return marked
    common, working = _common_folder(places), Path.cwd()
    return working if common.is_relative_to(working) else common


def _place(path: Path) -> Path:
    """Where a path stands itself: links of its parents are followed, it isn't."""
    return path.parent.resolve() / path.name


def _common_folder(paths: Sequence[Path]) -> Path:
    common = Path(os.path.commonpath(paths))
    return common if common.is_dir() else common.parent


def _marked_above(paths: Sequence[Path]) -> Path | None:
    common = _common_folder(paths)
    for folder in (common, *common.parents):
        if (folder / CONFIG_NAME).is_file() or (folder / ".git").exists():
            return folder
    return None


def _refuse_outside(path: Path, root: Path) -> None:
    if path.resolve().is_relative_to(root):
        return
    if _place(path).is_relative_to(root):
        raise NoFilesError(
            f"{path} is a link out of the root {root}, which isn't followed",
            hint="name what it leads to, or a --root that holds both",
        )
    raise NoFilesError(f"{path} lies outside the root {root}")


_Layers = tuple[tuple[int, Patterns], ...]


class _Level(Struct, frozen=True):
    """The patterns of a folder and of those above it, the deeper first, by the file they are in.

    Each comes with the length of the path that its own paths begin behind. `all` are in the
    order in which they win.
    """

    flux: _Layers
    git: _Layers
    all: _Layers


@dataclass(slots=True)
class Workspace:
    """A root folder with its ignore rules; `exclude` are patterns as in .gitignore.

    All of them mean what they mean to Git. `exclude` wins over Flux's .sourceignore, and that
    over .gitignore, as with Git a pattern of the command line wins over one in a file.
    """

    root: Path
    exclude: tuple[str, ...] = ()
    _levels: dict[str, _Level] = field(default_factory=dict)
    _pins: dict[str, int] = field(default_factory=dict)
    _given: Patterns = field(init=False)

    def __post_init__(self) -> None:
        self._given = Patterns.read(os.fsencode("\n".join(self.exclude)))

    def relative(self, path: Path) -> str:
        """The workspace's name of a path.

        Raises:
            NoFilesError: it lies outside the root.
        """
        _refuse_outside(path, self.root)
        name = path.resolve().relative_to(self.root).as_posix()
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
        """The bytes of a file, the same at every reading: what is decided on them holds for them.

        Raises:
            SourceError: it can't be read (reason `unwritable`).
            ChangedError: it isn't any more what it was when it was read first.
        """
        try:
            content = self._read(name)
        except SourceError:
            if name in self._pins:
                raise ChangedError(name) from None
            raise
        # Python's own keyed hash: eight bytes a file, and nothing to import.
        if self._pins.setdefault(name, hash(content)) != hash(content):
            raise ChangedError(name)
        return content

    def pin(self, name: str, content: bytes) -> None:
        """Says what a file holds from now on, since this run has written it."""
        self._pins[name] = hash(content)

    def forget(self) -> None:
        """Reads every file afresh from now on, whatever it held before."""
        self._pins.clear()
        self._levels.clear()

    def _read(self, name: str) -> bytes:
        try:
            path = f"{self.root}/{name}"
            with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 the hot path
                return stream.read()
        except OSError as error:
            raise SourceError(f"can't be read: {error.strerror}", reason="unwritable") from None

    def is_excluded(self, name: str) -> bool:
        """Whether a rule leaves out a file, or a folder above it."""
        parts = name.split("/")
        folders = ("/".join(parts[:count]) for count in range(1, len(parts)))
        above = any(self._excludes(folder, folder=True) for folder in folders)
        return above or self._excludes(name, folder=False)

    def _excludes(self, name: str, *, folder: bool) -> bool:
        """Whether the rules of the folder that holds it leave out a path."""
        parent, _, last = name.rpartition("/")
        if last == ".git":
            return True
        path = os.fsencode(name)
        for skip, patterns in self._level(parent).all:
            verdict = patterns.verdict(path[skip:], folder=folder)
            if verdict is not None:
                return verdict
        return False

    def _under(self, name: str) -> Iterator[str]:
        path = self.absolute(name)
        if path.is_dir():
            if not name or not self.is_excluded(f"{name}/."):
                yield from self._walk(name)
        elif path.is_file() and not self.is_excluded(name) and _is_ours(path.name):
            yield name

    def _walk(self, folder: str) -> Iterator[str]:
        waiting = self._inside(folder)
        while waiting:
            path, is_folder = waiting.pop()
            if is_folder:
                waiting += self._inside(path)
            else:
                yield path

    def _inside(self, folder: str) -> list[tuple[str, bool]]:
        """What a folder has of ours, the last first, and which of it are folders."""
        prefix = f"{folder}/" if folder else ""
        entries = _entries(f"{self.root}/{folder}")
        self._level(folder, {name for name, _ in entries})
        return [
            (prefix + name, is_folder)
            for name, is_folder in reversed(entries)
            if (is_folder or _is_ours(name)) and not self._excludes(prefix + name, folder=is_folder)
        ]

    def _level(self, folder: str, names: Collection[str] = _IGNORE_FILES) -> _Level:
        found = self._levels.get(folder)
        if found is None:
            found = self._levels[folder] = self._read_level(folder, names)
        return found

    def _read_level(self, folder: str, names: Collection[str]) -> _Level:
        if folder:
            above = self._level(folder.rpartition("/")[0])
        else:
            above = _Level(((0, Patterns.read(_FLUX_EXCLUDES)),), (), ())
        flux, git = (self._layer(folder, name) if name in names else () for name in _IGNORE_FILES)
        if folder and not (flux or git):
            return above
        flux, git = flux + above.flux, git + above.git
        given = ((0, self._given),) if self._given else ()
        return _Level(flux, git, given + flux + git)

    def _layer(self, folder: str, name: str) -> _Layers:
        path = self.absolute(folder) / name
        try:
            # Git reads no ignore file through a link, and a pipe would never end.
            content = path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else b""
        except OSError:
            return ()
        patterns = Patterns.read(content)
        return ((len(os.fsencode(folder)) + bool(folder), patterns),) if patterns else ()


def matching(patterns: Collection[str], names: Iterable[str]) -> Iterable[str]:
    """The names that patterns of a configuration match, written as in .gitignore."""
    if not patterns:
        return ()
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 few configurations have any

    return GitIgnoreSpec.from_lines(patterns).match_files(names)


def _entries(folder: str) -> list[tuple[str, bool]]:
    """The files and folders in a folder, no links and no devices, and which of them are folders.

    One that can't be listed, or is gone meanwhile, holds none.
    """
    found: list[tuple[str, bool]] = []
    with suppress(OSError), os.scandir(folder) as scan:
        for entry in scan:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder or entry.is_file(follow_symlinks=False):
                found.append((entry.name, is_folder))
    return sorted(found)


def _is_ours(name: str) -> bool:
    return name.removesuffix(".gotmpl").endswith(_SUFFIXES) or name == "Kustomization"
