"""Hostile trees: links, devices, depth, and folders that nobody may list."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import REGISTRY, run, write_tree
from imageshift.errors import SourceError
from imageshift.repo.ignore import Patterns
from imageshift.repo.read import read_below, read_file, read_here
from imageshift.repo.workspace import Workspace

POD = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - {name: a, image: nginx:1.27}\n"
NOBODY = 65534


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository with one good file."""
    write_tree(tmp_path / "r", {".git/HEAD": "", "good.yaml": POD})
    return (tmp_path / "r").resolve()


def scan(root: Path, *arguments: str) -> tuple[int, str, str]:
    """Return a scan's exit code, its images and what it says beside them."""
    done = run(root, "scan", *REGISTRY, "--charts", "off", ".", *arguments)
    images = [line for line in done.stdout.splitlines() if ": rewrite: " in line]
    return done.code, "\n".join(images), done.stdout + done.stderr


WHAT_IS_NO_FILE = {
    "a device behind a link": ("/dev/zero", "leads out of the root"),
    "a file outside behind a link": ("../outside.yaml", "leads out of the root"),
    "a folder": ("folder", "it isn't a regular file"),
    "a pipe": ("pipe", "it isn't a regular file"),
    "nothing": ("nowhere", "No such file"),
    "a loop": ("x.yaml", "Too many levels|Symbolic link loop"),
}


@pytest.mark.parametrize(("target", "why"), WHAT_IS_NO_FILE.values(), ids=WHAT_IS_NO_FILE)
def test_only_regular_files_below_the_root_are_read(root: Path, target: str, why: str) -> None:
    """Whatever a name leads to; a link inside the root is followed."""
    write_tree(root.parent, {"outside.yaml": "secret"})
    (root / "folder").mkdir()
    os.mkfifo(root / "pipe")
    (root / "x.yaml").symlink_to(target)
    (root / "y.yaml").symlink_to("good.yaml")

    with pytest.raises(SourceError, match=why) as error:
        Workspace(root).read("x.yaml")
    assert error.value.reason == "unwritable"
    with pytest.raises(SourceError, match=why):
        read_below(root, "x.yaml")
    with pytest.raises(SourceError):
        read_here(root / "y.yaml")
    assert Workspace(root).read("y.yaml") == POD.encode()


@pytest.mark.parametrize("name", ["../outside.yaml", "out/outside.yaml", "/etc/passwd", "a\0b"])
def test_no_name_leads_out_of_the_root(root: Path, name: str) -> None:
    """Neither by its dots, nor through a linked folder, nor from the top."""
    write_tree(root.parent, {"outside.yaml": "secret"})
    (root / "out").symlink_to("..")

    with pytest.raises(SourceError, match="can't be read"):
        Workspace(root).read(name)


def test_size_is_limited_whatever_the_system_says_of_it(tmp_path: Path) -> None:
    """A hole of a terabyte, a file of one byte too many, one that says that it is empty."""
    (tmp_path / "whole").write_bytes(b"x" * 1000)
    os.truncate((tmp_path / "whole"), 1000)
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(1 << 40)

    assert len(read_file(tmp_path / "whole", largest=1000)) == 1000
    assert read_file("/proc/self/status").startswith(b"Name:")
    for name, largest in (("whole", 999), ("hole", 1 << 26)):
        with pytest.raises(SourceError, match="larger than"):
            read_file(tmp_path / name, largest=largest)
    with pytest.raises(SourceError, match="larger than"):
        read_file("/proc/self/status", largest=10)


def test_a_system_with_fewer_ways_to_open(tmp_path: Path) -> None:
    """Files are read where pipes, terminals and links have no flags of their own, as on Windows."""
    (tmp_path / "a").write_text("good")
    code = (
        "import os, sys\n"
        "for name in ('O_NONBLOCK', 'O_CLOEXEC', 'O_NOCTTY', 'O_NOFOLLOW'):\n"
        "    delattr(os, name)\n"
        "from imageshift.repo.read import read_here\n"
        "print(read_here(sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a")]

    assert subprocess.check_output(command) == b"b'good'\n"


def test_what_is_passed_over_is_in_the_report(root: Path) -> None:
    """Links out of the root and pipes are told with a reason; the good file is done."""
    os.mkfifo(root / "pipe.yaml")
    (root / "zero.yaml").symlink_to("/dev/zero")
    (root / "etc").symlink_to("/etc")
    (root / "notes.txt").symlink_to("/etc/hostname")
    (root / "inside.yaml").symlink_to("good.yaml")

    code, images, told = scan(root)

    assert (code, images.count("\n"), "good.yaml:5" in images) == (0, 0, True)
    assert "etc: ignored" in told or "etc" in told
    rows = run(root, "scan", *REGISTRY, "--charts", "off", ".", "--format", "json").report
    assert [(row["file"], row["reason"]) for row in rows["skipped"]] == [
        ("etc", "ignored"),
        ("pipe.yaml", "ignored"),
        ("zero.yaml", "ignored"),
    ]


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """Return a folder of a user who may not read everything; root becomes one."""
    folder = Path(tempfile.mkdtemp())
    was_root = os.geteuid() == 0
    if was_root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    yield folder.resolve()
    if was_root:
        os.seteuid(0)
    for path in folder.rglob("*"):
        path.chmod(0o700)
    shutil.rmtree(folder)


def test_folder_that_may_not_be_listed_is_told(as_nobody: Path) -> None:
    """It and a file that may not be read are skipped as unwritable, and the exit code is 3."""
    write_tree(as_nobody, {"good.yaml": POD, "shut/a.yaml": POD, "b.yaml": POD, ".git/x": ""})
    write_tree(as_nobody, {"c/.gitignore": "good.yaml", "c/good.yaml": POD})
    write_tree(as_nobody, {"listed/a.yaml": POD})
    (as_nobody / "listed/l.yaml").symlink_to("/dev/zero")
    for name in ("shut", "b.yaml", "c/.gitignore"):
        (as_nobody / name).chmod(0)
    (as_nobody / "listed").chmod(0o400)

    code, images, _ = scan(as_nobody)
    report = run(as_nobody, "scan", *REGISTRY, "--charts", "off", ".", "--format", "json").report

    assert (code, images.count("good.yaml")) == (3, 2)
    assert {row["file"]: row["detail"] for row in report["skipped"]} == {
        "b.yaml": "can't be read: Permission denied",
        "listed/a.yaml": "can't be read: Permission denied",
        "listed/l.yaml": "not a regular file, but a device, pipe or socket",
        "c/.gitignore": "its patterns are ignored: can't be read: Permission denied",
        "shut": "can't be read: Permission denied",
    }


@pytest.mark.once
def test_folders_deeper_than_the_system_can_name_are_told(root: Path) -> None:
    """5,000 levels: the walk ends where a path is too long for the system, and says where."""
    deep = os.open(root, os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("d", dir_fd=deep)
        deeper = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)

    code, images, told = scan(root)
    subprocess.run(["rm", "-rf", root / "d"], check=True)

    assert code == 3
    assert "good.yaml" in images
    assert "File name too long" in told
    assert Workspace(root).is_excluded("d/" * 1900 + "a.yaml") is False


def test_names_that_are_no_utf8(root: Path) -> None:
    """Files and folders are read and told under a spelling that any terminal can show."""
    for name in (b"\xff.yaml", b"\xfe/\xfd.yaml"):
        path = Path(os.fsdecode(os.fsencode(root) + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.write_text(POD)
    (root / ".gitignore").write_bytes(b"\xfe/?.yam\n*\\\xff\n")

    code, images, _ = scan(root)
    done = run(root, "migrate", *REGISTRY, "--charts", "off", ".")

    assert (code, images.count("rewrite"), done.code) == (0, 3, 0)
    assert b"amazonaws" in Path(os.fsdecode(os.fsencode(root) + b"/\xff.yaml")).read_bytes()


GLOBS = {
    "many stars": b"*a" * 2000 + b"b",
    "many stars between slashes": b"x/" + b"*a" * 2000 + b"b",
    "folders at any depth": b"**/a/" * 500 + b"b",
    "folders and stars": b"**/*a*a/" * 300 + b"b",
    "question marks": b"*?" * 2000 + b"b",
    "sets": b"*[a-z]" * 1000 + b"[0-9]",
    "open sets": b"[" * 4000,
    "backslashes": b"\\" * 4001,
    "stars alone": b"*" * 4000 + b"b",
    "ranges in a set": b"[" + b"a-" * 2000 + b"]b",
    "classes in a set": b"[" + b"[:alpha:]" * 500 + b"]b",
}


@pytest.mark.parametrize("glob", GLOBS.values(), ids=GLOBS)
def test_ignore_patterns_take_bounded_time(glob: bytes) -> None:
    """However a pattern is built, as long a path as the system allows is told at once."""
    started = time.process_time()
    patterns = Patterns.read(glob + b"\n!" + glob)
    for path in (b"a" * 4000, b"x/" + b"a" * 4000, b"a/" * 2000 + b"a", b"a/a" * 1300):
        patterns.verdict(path, folder=False)
        patterns.verdict(path[:255], folder=True)
    assert time.process_time() - started < 5


def test_too_many_patterns_are_told(root: Path) -> None:
    """An ignore file of a size or length that nobody writes doesn't count, and is named."""
    write_tree(root, {"a/.gitignore": "b\n" * 11_000, "c/.sourceignore": b"#" * (2 << 20)})

    code, images, told = scan(root)

    assert (code, "good.yaml" in images) == (3, True)
    assert "there are too many (11000)" in told
    assert "it is larger than 1 MiB" in told
