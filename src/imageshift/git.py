"""Reading a Git repository without obeying it: its objects, by revision, and its remotes' URLs.

Git runs in a directory of our own that borrows the objects and references of the repository and
nothing else. So no setting of the repository counts: no filter, hook, fsmonitor, textconv,
attribute, alias or transport of its runs. Only `rev-parse`, `ls-tree` and `cat-file` are used,
which give what is stored as it is stored.
"""

import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from imageshift.errors import ConfigError, SourceError, ToolError
from imageshift.lazy import lazy_re
from imageshift.repo.read import LARGEST, leads_out, read_below
from imageshift.repo.work_tree import find_git_dir, find_top, read_settings
from imageshift.tool import Limits, Outcome, run_tool

__all__ = ["CLOSED", "Repository", "Revision", "drop_links_out", "remotes"]

CLOSED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
"""Variables with which Git fetches nothing, asks nobody, and reads no settings of the machine."""

_MIB = 1024 * 1024
_LIMITS = Limits(seconds=60, memory=2048 * _MIB, output=256 * _MIB)
_BATCH = 64 * _MIB
_MOST_FILES = 1_000_000
_MOST_BYTES = 4096 * _MIB
_LONGEST_NAME, _LONGEST_PART = 4096, 255
_SMALL = _MIB
_SHARED = ("objects", "refs", "packed-refs", "logs", "shallow", "reftable")
_OWN = ("ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD")
_HEAD = lazy_re(rb"(?:ref: refs/[^\0\r\n]+|[0-9a-f]{40}|[0-9a-f]{64})\n?")
_WORD = lazy_re(r"[a-z0-9]{1,16}")
_ENTRY = lazy_re(rb"([0-7]+) (\w+) ([0-9a-f]+) +(\S+)\t(.+)", re.DOTALL)
_LINK, _FILES = b"120000", {b"100644", b"100755", b"100664"}
_PLAIN = {stat.S_IFREG, stat.S_IFDIR}
_HINT = "name a folder, or a revision that `git rev-parse` knows"


class _Entry(Struct, frozen=True):
    """A file of a revision: where it is, its object, and whether it is a link."""

    name: str
    id: str
    size: int
    is_link: bool


class Repository(Struct, frozen=True):
    """The repository that a folder is in.

    `git_dir` is what belongs to the work tree alone, `common` what all its work trees share;
    `prefix` is the folder's place in the work tree, empty where it is that itself.
    """

    git_dir: Path
    common: Path
    prefix: str

    @classmethod
    def holding(cls, folder: Path) -> "Repository | None":
        """The repository of the nearest `.git` at or above a folder; None where there is none.

        A folder that merely looks like a bare repository is none. Raises nothing.
        """
        folder = folder.resolve()
        top = find_top(folder)
        found = None if top is None else find_git_dir(top)
        if top is None or found is None or not _is_whole(*found):
            return None
        inner = folder.relative_to(top).as_posix()
        return cls(*found, "" if inner == "." else inner)

    @contextmanager
    def borrowed(self) -> Iterator["_Git"]:
        """A Git directory with this one's objects and references, and settings of our own."""
        with tempfile.TemporaryDirectory(prefix="imageshift-") as name:
            made = Path(name)
            (made / "config").write_text(_settings(self.common), "utf-8")
            (made / "HEAD").write_bytes(read_below(self.git_dir, "HEAD", largest=_SMALL))
            for holder, names in ((self.common, _SHARED), (self.git_dir, _OWN)):
                for each in names:
                    if (holder / each).exists():
                        (made / each).symlink_to(holder / each)
            yield _Git(made)


class Revision(Struct, frozen=True):
    """A commit, as far as it has the folder that its repository was asked for."""

    repository: Repository
    commit: str

    @classmethod
    def find(cls, folder: Path, text: str) -> "Revision":
        """The commit that a text names in the repository of a folder.

        Raises:
            ConfigError: the folder is in no repository, or the revision doesn't exist.
            ToolError: Git can't be run.
        """
        if shutil.which("git") is None:
            raise ToolError("git can't be run: it isn't on PATH")
        found = Repository.holding(folder)
        if found is None:
            raise _no_revision(text, f"{folder} isn't in a Git repository")
        # No option of Git, and nothing that a terminal would obey, names a revision.
        if text.startswith("-") or not text.isprintable():
            raise _no_revision(text)
        with found.borrowed() as git:
            words = ("rev-parse", "--verify", "--quiet", "--end-of-options")
            done = git.run(*words, f"{text}^{{commit}}")
        if done.code:
            raise _no_revision(text, done.message)
        return cls(found, done.stdout.decode().strip())

    def base(self) -> "Revision":
        """The last commit that this one and HEAD have in common; itself where Git knows none.

        Raises:
            ToolError: Git can't be run.
        """
        with self.repository.borrowed() as git:
            done = git.run("rev-parse", f"{self.commit}...HEAD")
        found = [line[1:] for line in done.stdout.decode().split() if line.startswith("^")]
        return Revision(self.repository, found[0]) if found and not done.code else self

    def read(self, names: Collection[str]) -> dict[str, bytes]:
        """What the commit has of files in the folder, without those that it lacks.

        Raises:
            ToolError: Git can't be run or lacks objects.
        """
        with self.repository.borrowed() as git:
            try:
                entries = git.entries(f"{self.commit}:{self.repository.prefix}")
            except ConfigError:  # the folder is new
                return {}
            asked = [entry for entry in entries if entry.name in names and not entry.is_link]
            return {entry.name: content for entry, content in git.contents(asked)}

    def extract(self, folder: Path) -> None:
        """Writes what the commit has of the folder into an empty one, as plain files.

        Submodules are left out, and so are links that lead out of it, files of more than
        `LARGEST` bytes, and names that are no proper paths.

        Raises:
            ConfigError: the commit doesn't have the folder.
            ToolError: Git can't be run or lacks objects, there is more than the limits allow, or
                there is no room.
        """
        try:
            self._extract(folder)
        except OSError as error:
            raise ToolError(f"the revision can't be written out: {error.strerror}") from None

    def _extract(self, folder: Path) -> None:
        with self.repository.borrowed() as git:
            entries = git.entries(f"{self.commit}:{self.repository.prefix}")
            # Folders, then files, then links: a tree may have one name twice, and nothing is
            # written through a link.
            for entry in entries:
                with _any_name():
                    (folder / entry.name).parent.mkdir(parents=True, exist_ok=True)
            for entry, content in git.contents(sorted(entries, key=lambda entry: entry.is_link)):
                with _any_name():
                    _put(folder / entry.name, content, is_link=entry.is_link)
        drop_links_out(folder, (entry.name for entry in entries if entry.is_link))


class _Git(Struct, frozen=True):
    """Git in a directory of our own."""

    folder: Path

    def run(self, *words: str, stdin: bytes = b"") -> Outcome:
        environment = {
            **CLOSED,
            "GIT_DIR": str(self.folder),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "LC_ALL": "C",
        }
        command = ["git", "--no-pager", *words]
        return run_tool(
            command, stdin=stdin, cwd=self.folder, environment=environment, limits=_LIMITS
        )

    def entries(self, tree: str) -> list[_Entry]:
        """The files and links of a tree whose names can be written."""
        words = ("ls-tree", "-r", "-z", "--long", "--full-tree", "--end-of-options")
        done = self.run(*words, tree)
        if done.code:
            if b"Not a valid object name" in done.stderr:
                raise ConfigError(f"the revision has no folder {tree.partition(':')[2]}")
            raise ToolError(f"git can't list the revision: {done.message}")
        lines = done.stdout.split(b"\0")[:-1]
        if len(lines) > _MOST_FILES:
            raise ToolError(f"the revision has more than {_MOST_FILES} files")
        found = [entry for line in lines if (entry := _entry(line)) is not None]
        if sum(entry.size for entry in found) > _MOST_BYTES:
            raise ToolError(f"the revision has more than {_MOST_BYTES // _MIB} MiB")
        return found

    def contents(self, entries: Iterable[_Entry]) -> Iterator[tuple[_Entry, bytes]]:
        """What files hold, some of them at a time."""
        for batch in _batches(entries):
            names = "".join(f"{entry.id}\n" for entry in batch).encode()
            done = self.run("cat-file", "--batch", stdin=names)
            if done.code:
                raise ToolError(f"git can't read the revision: {done.message}")
            yield from _split(batch, done.stdout)


def remotes(folder: Path) -> tuple[str, ...]:
    """The URLs of the remotes of the repository that a folder is in; none where there is none."""
    top = find_top(folder.resolve())
    found = None if top is None else find_git_dir(top)
    settings = [] if found is None else read_settings(found[1])
    return tuple(value for *key, value in settings if key == ["remote", "url"])


def drop_links_out(folder: Path, names: Iterable[str]) -> None:
    """Takes those of a folder's links away that lead out of it."""
    folder = folder.resolve()
    for name in names:
        if (folder / name).is_symlink() and leads_out(folder, name):
            (folder / name).unlink()


def _is_whole(own: Path, common: Path) -> bool:
    """Whether a Git directory has its parts, and no references that are read from elsewhere."""
    try:
        head = read_below(own, "HEAD", largest=_SMALL)
    except SourceError:
        return False
    is_whole = all((common / name).is_dir() for name in ("objects", "refs"))
    references = [*map(common.joinpath, _SHARED[1:]), *map(own.joinpath, _OWN)]
    is_own = not any(map(_is_odd, references))
    return _HEAD.fullmatch(head) is not None and is_whole and is_own


def _is_odd(place: Path) -> bool:
    """Whether something in a place, or itself, is neither a file nor a folder: a link or a pipe."""
    inside = (
        Path(parent, name)
        for parent, folders, files in os.walk(place)
        for name in (*folders, *files)
    )
    return any(
        os.path.lexists(path) and stat.S_IFMT(path.lstat().st_mode) not in _PLAIN
        for path in (place, *inside)
    )


def _settings(common: Path) -> str:
    """The settings that say how objects and references are stored, and no other."""
    lines = ["[core]", "bare = true", "repositoryformatversion = 1", "[extensions]"]
    for section, key, value in read_settings(common):
        if section == "extensions" and key in {"objectformat", "refstorage"}:
            lines += [f"{key} = {value}"] if _WORD.fullmatch(value) else []
    return "".join(f"{line}\n" for line in lines)


def _entry(line: bytes) -> _Entry | None:
    """A line of `ls-tree --long`; None for what isn't written."""
    found = _ENTRY.fullmatch(line)
    if found is None or not (found[1] == _LINK or found[1] in _FILES):
        return None
    name, size = os.fsdecode(found[5]), int(found[4]) if found[4].isdigit() else 0
    if not _is_proper(name) or size > LARGEST:
        return None
    return _Entry(name, found[3].decode(), size, found[1] == _LINK)


def _is_proper(name: str) -> bool:
    """Whether a name is a path below a folder that is no part of a Git directory."""
    parts = [os.fsencode(part) for part in name.split("/")]
    return len(os.fsencode(name)) <= _LONGEST_NAME and all(
        part not in {b"", b".", b".."} and part.lower() != b".git" and len(part) <= _LONGEST_PART
        for part in parts
    )


def _batches(entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
    batch: list[_Entry] = []
    size = 0
    for entry in entries:
        if batch and size + entry.size > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry.size
    if batch:
        yield batch


def _split(batch: list[_Entry], output: bytes) -> Iterator[tuple[_Entry, bytes]]:
    """What `cat-file --batch` says about each object: a line with its size, then its bytes."""
    at = 0
    for entry in batch:
        end = output.index(b"\n", at)
        words = output[at:end].split()
        if len(words) != 3 or words[1] != b"blob":  # noqa: PLR2004 name, type, size
            raise ToolError(
                f"git doesn't have the content of {entry.name}",
                hint="fetch the whole revision: this clone has only part of it",
            )
        at = end + 1 + int(words[2])
        yield entry, output[end + 1 : at]
        at += 1


@contextmanager
def _any_name() -> Iterator[None]:
    """Passes over names that clash, by case or with a folder, and those that a disk can't have."""
    try:
        yield
    except (FileExistsError, NotADirectoryError, IsADirectoryError, ValueError):
        pass
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}:
            raise


def _put(path: Path, content: bytes, *, is_link: bool) -> None:
    if is_link:
        path.symlink_to(os.fsdecode(content))
    else:
        path.write_bytes(content)


def _no_revision(revision: str, why: str = "") -> ConfigError:
    more = f": {why.removeprefix('fatal: ')}" if why else ""
    return ConfigError(f"{revision!r} is neither a folder nor a Git revision{more}", hint=_HINT)
