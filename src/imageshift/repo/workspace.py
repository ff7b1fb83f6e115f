"""The files of a repository: which are ours, and how they are read.

Paths are texts relative to the workspace's root, with `/`, as Git has them.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG

from msgspec import Struct, field

from imageshift.errors import ChangedError, NoFilesError, SourceError
from imageshift.repo.ignore import Patterns
from imageshift.repo.read import leads_out, read_below, read_here, resolve_below

__all__ = ["CONFIG_NAME", "Passed", "Workspace", "find_root", "has_config", "is_ours", "matching"]

CONFIG_NAME = ".imageshift.yaml"

_SUFFIXES = (".yaml", ".yml", ".json")
_IGNORE_FILES = (".sourceignore", ".gitignore")

# The most bytes of an ignore file, and the most patterns that hold for one folder.
_LARGEST_IGNORE = 1024 * 1024
_LARGEST_OTHER = 8 * 1024 * 1024
_MOST_PATTERNS = 10_000

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


# A CI system reads them, and no cluster.
_CI = frozenset(_FLUX_EXCLUDES.decode().replace("/", "").split())


def find_root(paths: Sequence[Path], given: Path | None = None) -> Path:
    """The folder that a run may know of: nothing outside it is ever read or written.

    `given`, else the nearest parent of the paths with .imageshift.yaml or .git, else the
    working directory if it holds them, else their common parent. A .git below the paths doesn't
    count, nor does a .imageshift.yaml in a folder that is itself a bare git repository. A link
    counts where it stands, so that it can't lead a run elsewhere; only one to a whole repository
    may, or one to a folder that stands in no repository.

    Raises:
        NoFilesError: a path doesn't exist, is outside the root, or is a link out of it.
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
        if has_config(folder) or (folder / ".git").exists():
            return folder
    return None


def has_config(folder: Path) -> bool:
    """Whether a folder has a configuration that counts.

    One that stands in a bare git repository doesn't: such a folder may come with a clone, and its
    own settings and filters would be those of the run.
    """
    path = folder / CONFIG_NAME
    return os.path.lexists(path) and not path.is_dir() and not _is_bare(folder)


def _is_bare(folder: Path) -> bool:
    """Whether Git would take a folder for a repository (its `is_git_directory`)."""
    has_parts = (folder / "objects").is_dir() and (folder / "refs").is_dir()
    return has_parts and os.path.lexists(folder / "HEAD")


def _refuse_outside(path: Path, root: Path) -> None:
    if path.resolve().is_relative_to(root):
        return
    if _place(path).is_relative_to(root):
        raise NoFilesError(
            f"{path} is a link out of the root {root}, which isn't followed",
            hint="name the file that it points to, or a --root that contains both",
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


class Passed(Struct, frozen=True):
    """What a walk had to pass over: its name, why, and whether it couldn't be read.

    What could be read and is none of ours by its nature, a link or a device, isn't `unread`.
    """

    name: str
    detail: str
    unread: bool = True


class Workspace(Struct):
    """A root folder with its ignore rules; `exclude` are patterns as in .gitignore.

    All of them mean what they mean to Git. `exclude` wins over Flux's .sourceignore, and that
    over .gitignore, as with Git a pattern of the command line wins over one in a file.
    """

    root: Path
    exclude: tuple[str, ...] = ()
    _levels: dict[str, _Level] = field(default_factory=dict)
    _pins: dict[str, int | None] = field(default_factory=dict)
    _passed: dict[str, Passed] = field(default_factory=dict)
    _others: set[str] = field(default_factory=set)
    _safe: set[str] = field(default_factory=lambda: {""})
    _given: Patterns = Patterns(())

    def __post_init__(self) -> None:
        self._given = Patterns.read(os.fsencode("\n".join(self.exclude)))

    def relative(self, path: Path) -> str:
        """The workspace's name of a path.

        Raises:
            NoFilesError: it is outside the root.
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

    @property
    def passed(self) -> tuple[Passed, ...]:
        """What the walks so far had to pass over, in path order."""
        return tuple(self._passed[name] for name in sorted(self._passed))

    def others(self) -> Iterator[str]:
        """The files that the walks so far met and whose format isn't ours, in path order.

        Those of CI systems count, although Flux leaves them out.
        """
        for name in sorted(self._others):
            parts = name.split("/")
            ci = next((number for number, part in enumerate(parts) if part in _CI), None)
            if ci is None:
                if not self.is_excluded(name):
                    yield name
            elif not self._given.covers(os.fsencode(name)):
                yield from self._files_below(name)

    def _files_below(self, name: str) -> Iterator[str]:
        """A file, or the regular files in a folder, whatever ignore rules say."""
        path = self.absolute(name)
        if not path.is_dir():
            yield name
            return
        for folder, _, files in os.walk(path):
            inside = os.path.relpath(folder, self.root)
            found = (f"{inside}/{file}" for file in sorted(files))
            yield from (file for file in found if not _is_link(f"{self.root}/{file}"))

    def read(self, name: str) -> bytes:
        """The bytes of a regular file below the root, the same at every reading.

        Decisions hold for the bytes of the first reading; where a file couldn't be read, they
        hold as long as it can't.

        Raises:
            SourceError: it can't be read, leads out of the root or is too large (reason
                `unwritable`).
            ChangedError: it isn't any more what it was when it was read first.
        """
        try:
            content = self._read(name)
        except SourceError:
            if self._pins.setdefault(name, None) is not None:
                raise ChangedError(name) from None
            raise
        # Python's own keyed hash: eight bytes a file, and nothing to import.
        if self._pins.setdefault(name, hash(content)) != hash(content):
            raise ChangedError(name)
        return content

    def read_other(self, name: str) -> bytes:
        """The bytes of a file that decides nothing; one of more than 8 MiB isn't looked at.

        Raises:
            SourceError: it can't be read, leads out of the root or is larger.
        """
        return read_below(self.root, name, largest=_LARGEST_OTHER)

    def behind_link(self, name: str) -> str:
        """The file of this root to which a path leads over links; the path where there are none."""
        try:
            real, root = (self.root / name).resolve(), self.root.resolve()
        except (OSError, RuntimeError, ValueError):
            # Python 3.12 and older raise RuntimeError for a link to itself; a NUL is ValueError.
            return name
        return real.relative_to(root).as_posix() if real.is_relative_to(root) else name

    def read_failures_again(self) -> None:
        """Makes sure that what couldn't be read still can't.

        Raises:
            ChangedError: a file can be read by now, and things were decided without it.
        """
        for name in [name for name, pin in self._pins.items() if pin is None]:
            with suppress(SourceError):
                self.read(name)

    def pin(self, name: str, content: bytes) -> None:
        """Says what a file holds from now on, since this run has written it."""
        self._pins[name] = hash(content)

    def forget(self) -> None:
        """Reads every file afresh from now on, whatever it held before."""
        self._pins.clear()
        self._levels.clear()

    def _read(self, name: str) -> bytes:
        folder = name.rpartition("/")[0]
        # Resolving every path would cost as much as reading: each folder is looked at once.
        if folder not in self._safe:
            resolve_below(self.root, folder)
            self._safe.add(folder)
        try:
            return read_here(f"{self.root}/{name}")
        except SourceError:
            if not _is_link(f"{self.root}/{name}"):
                raise
            return read_below(self.root, name)

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
        elif path.is_file() and is_ours(path.name) and not self.is_excluded(name):
            yield name
        elif path.is_file():
            self._others.add(name)

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
        entries, odd = self._entries(folder)
        if folder in self._safe:
            self._safe.update(prefix + name for name, is_folder in entries if is_folder)
        self._level(folder, {name for name, _ in entries})
        for name in odd:
            self._note_odd(prefix + name)
        self._others.update(
            prefix + name
            for name, is_folder in entries
            if name in _CI or not (is_folder or is_ours(name))
        )
        return [
            (prefix + name, is_folder)
            for name, is_folder in reversed(entries)
            if (is_folder or is_ours(name)) and not self._excludes(prefix + name, folder=is_folder)
        ]

    def _entries(self, folder: str) -> tuple[list[tuple[str, bool]], list[str]]:
        """The files and folders in a folder, with which are folders; and what is neither."""
        found: list[tuple[str, bool]] = []
        odd: list[str] = []
        try:
            with os.scandir(f"{self.root}/{folder}") as scan:
                for entry in scan:
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if is_folder or entry.is_file(follow_symlinks=False):
                        found.append((entry.name, is_folder))
                    else:
                        odd.append(entry.name)
        except FileNotFoundError:
            pass  # gone meanwhile
        except OSError as error:
            self._pass(folder or ".", f"can't be read: {error.strerror}")
        return sorted(found), odd

    def _note_odd(self, name: str) -> None:
        """Notes a link that leads out of the root, and a device or pipe with a name of ours."""
        path = f"{self.root}/{name}"
        is_link = _is_link(path)
        leads_on = is_link and os.path.isdir(path)  # noqa: PTH112 as below
        if not (leads_on or is_ours(name.rpartition("/")[2])):
            return
        if self._excludes(name, folder=False):
            return
        if not is_link:
            self._pass(name, "not a regular file, but a device, pipe or socket", unread=False)
        elif leads_out(self.root, name):
            self._pass(name, "a link out of the root, which isn't followed", unread=False)

    def _pass(self, name: str, detail: str, *, unread: bool = True) -> None:
        self._passed[name] = Passed(name, detail, unread)

    def _level(self, folder: str, names: Collection[str] = _IGNORE_FILES) -> _Level:
        found = self._levels.get(folder)
        if found is None:
            missing = [folder]
            while (above := missing[-1].rpartition("/")[0]) not in self._levels and missing[-1]:
                missing.append(above)
            for name in reversed(missing):
                known = names if name == folder else _IGNORE_FILES
                found = self._levels[name] = self._read_level(name, known)
            assert found is not None  # noqa: S101 the folder itself comes last
        return found

    def _read_level(self, folder: str, names: Collection[str]) -> _Level:
        """The patterns of a folder, when those of the folder above it are known."""
        if folder:
            above = self._levels[folder.rpartition("/")[0]]
        else:
            above = _Level(((0, Patterns.read(_FLUX_EXCLUDES)),), (), ())
        left = _MOST_PATTERNS - sum(patterns.count for _, patterns in above.all)
        flux, git = (
            self._layer(folder, name, left) if name in names else () for name in _IGNORE_FILES
        )
        if folder and not (flux or git):
            return above
        flux, git = flux + above.flux, git + above.git
        given = ((0, self._given),) if self._given else ()
        return _Level(flux, git, given + flux + git)

    def _layer(self, folder: str, name: str, left: int) -> _Layers:
        """The patterns of an ignore file, none of one that holds more than may be `left`."""
        path = f"{folder}/{name}" if folder else name
        full = f"{self.root}/{path}"
        # Git reads no ignore file through a link, and a pipe would never end.
        if not os.path.lexists(full) or not S_ISREG(os.lstat(full).st_mode):
            return ()
        try:
            patterns = Patterns.read(read_here(full, largest=_LARGEST_IGNORE))
        except SourceError as error:
            self._pass(path, f"its patterns are ignored: {error}")
            return ()
        if patterns.count > left:
            self._pass(path, f"its patterns are ignored: there are too many ({patterns.count})")
            return ()
        return ((len(os.fsencode(folder)) + bool(folder), patterns),) if patterns else ()


def matching(patterns: Collection[str], names: Iterable[str]) -> Iterable[str]:
    """The names that patterns of a configuration match, written as in .gitignore."""
    if not patterns:
        return ()
    read = Patterns.read(os.fsencode("\n".join(patterns)))
    return [name for name in names if read.covers(os.fsencode(name))]


def _is_link(path: str) -> bool:
    """Whether a path is a link; False as well where that can't be told."""
    return os.path.islink(path)  # noqa: PTH114 pathlib's raises where a folder may not be searched


def is_ours(name: str) -> bool:
    """Whether a file of this name is of a format that is read."""
    return name.removesuffix(".gotmpl").endswith(_SUFFIXES) or name == "Kustomization"
