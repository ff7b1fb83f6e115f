"""Real repositories, each moved and brought back: what must hold for every file of them.

The folder is named by IMAGESHIFT_CORPUS, else it is ../shared/corpus beside this repository.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.cli.app import build_app
from imageshift.errors import InvalidReferenceError
from imageshift.reference import parse_reference

HERE = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("IMAGESHIFT_CORPUS", HERE.parent / "shared" / "corpus"))
NAMES = sorted(path.name for path in CORPUS.iterdir() if path.is_dir()) if CORPUS.is_dir() else []

RULES = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
OPTIONS = ("--account", "123456789012", "--region", "eu-west-2", "--charts", "off", "--quiet")
REFERENCE = re.compile(r"[A-Za-z0-9_./@:=$\\{}-]*")
ENTRY = re.compile(r"images:|\s*-? *(?:name|newName|newTag|digest): \S+")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not NAMES, reason="there is no corpus"),
]


class Repository:
    """A copy of one repository, as a Git repository of its own."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.root = Path(shutil.copytree(source, folder / source.name, symlinks=True))
        self.git("init", "--quiet")
        self.git("add", "--all", "--force")
        self.git("-c", "user.name=t", "-c", "user.email=t@e", "commit", "--quiet", "-m", "before")
        self.before = self.read()

    def git(self, *arguments: str) -> None:
        """Run git here."""
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def run(self, command: str, *more: str) -> int:
        """Run a command over the whole repository and return its exit code."""
        arguments = [command, str(self.root), *OPTIONS, *more]
        return CliRunner().invoke(build_app(arguments), arguments).exit_code

    def files(self) -> Iterator[Path]:
        """Every file but Git's own."""
        for parent, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name != ".git"]
            yield from (Path(parent, name) for name in names)

    def read(self) -> dict[Path, bytes]:
        """Return the bytes of every file."""
        return {path: path.read_bytes() for path in self.files() if path.is_file()}

    def times(self) -> dict[Path, int]:
        """Return when every file was last written."""
        return {path: path.lstat().st_mtime_ns for path in self.files()}


@pytest.fixture(params=NAMES)
def clone(request: pytest.FixtureRequest, tmp_path: Path) -> Repository:
    """Return a fresh copy of one repository."""
    return Repository(CORPUS / request.param, tmp_path)


@pytest.fixture
def moved(clone: Repository) -> Repository:
    """Return a copy whose images have moved."""
    assert clone.run("migrate") in {0, 3}
    return clone


def _difference(old: str, new: str) -> tuple[str, str]:
    """Return what two lines have between the beginning and the end that they share."""
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    return old[start : len(old) - end], new[start : len(new) - end]


def _shared(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _check_line(was: str, now: str) -> None:
    removed, added = _difference(was, now)
    assert HOST in added, (was, now)
    assert REFERENCE.fullmatch(removed), (was, now)
    assert REFERENCE.fullmatch(added), (was, now)


def test_only_references_change(moved: Repository) -> None:
    """Every changed line differs in one reference; only kustomize's entries are new lines."""
    after = moved.read()
    assert after.keys() == moved.before.keys()
    for path, old in moved.before.items():
        was, now = old.decode(errors="replace"), after[path].decode(errors="replace")
        lines, changed = was.split("\n"), now.split("\n")
        for kind, a, b, c, d in SequenceMatcher(None, lines, changed, autojunk=False).get_opcodes():
            if kind == "insert":
                assert all(ENTRY.fullmatch(line) for line in changed[c:d]), (path, changed[c:d])
            elif kind != "equal":
                assert (kind, b - a) == ("replace", d - c), (path, lines[a:b], changed[c:d])
                for one, other in zip(lines[a:b], changed[c:d], strict=True):
                    _check_line(one, other)


def test_only_changed_files_are_written(clone: Repository) -> None:
    """Files that hold nothing to move keep the time of their last change."""
    times = clone.times()

    clone.run("migrate")

    after = clone.read()
    touched = {path for path, time in clone.times().items() if time != times[path]}
    assert touched == {path for path in after if after[path] != clone.before[path]}


def test_second_run_changes_nothing(moved: Repository) -> None:
    """A repository that was moved is left alone, and check finds nothing in it."""
    content, times = moved.read(), moved.times()

    assert moved.run("migrate") == moved.run("check") != 1
    assert (moved.read(), moved.times()) == (content, times)


def test_revert_to_the_base_restores_every_byte(moved: Repository) -> None:
    """Against the revision of before, all is as it was."""
    moved.run("revert", "--base", "HEAD")

    assert moved.read() == moved.before


def test_revert_of_all_names_the_same_images(moved: Repository) -> None:
    """Without a base the references come back in their familiar form, and move alike again."""
    content = moved.read()

    moved.run("revert", "--all")
    reverted = moved.read()
    moved.run("migrate")

    assert not any(HOST.encode() in text for text in reverted.values())
    assert moved.read() == content


def _normal(line: str) -> list[str]:
    return [_full_name(text) for text in re.findall(r"[\w./@:-]+", line)]


def _full_name(text: str) -> str:
    try:
        return RULES.normalize(parse_reference(text)).normalized
    except InvalidReferenceError:
        return text


def test_revert_of_all_loses_no_more_than_spellings(moved: Repository) -> None:
    """No line more or less than before, and those that differ name the same images."""
    moved.run("revert", "--all")

    for path, text in moved.read().items():
        if text != moved.before[path]:
            was, now = moved.before[path].decode().split("\n"), text.decode().split("\n")
            assert [_normal(line) for line in now] == [_normal(line) for line in was], path


def test_other_changes_survive_the_way_back(moved: Repository) -> None:
    """What was written since the move stays."""
    after = moved.read()
    changed = [path for path, text in after.items() if text != moved.before[path]]
    for path in changed:
        path.write_bytes(b"# written since\n" + after[path])

    moved.run("revert", "--base", "HEAD")

    for path in changed:
        assert path.read_bytes() == b"# written since\n" + moved.before[path]
