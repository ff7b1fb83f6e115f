"""Full disks, quotas, and what may not be written: the move stays old, and the reason is said."""

import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from resource import RLIMIT_FSIZE, setrlimit

import pytest

from command_line import read_tree, write_tree
from crash_points import run_forked

pytestmark = pytest.mark.once

ENTRY = "resources: [../base]\nimages: [{name: nginx, newTag: '9'}]\n"
LONG = "# " + "x" * 70 + "\n"
TREE: dict[str, str | bytes] = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": LONG * 100
    + "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    + "spec: {containers: [{name: a, image: nginx}]}\n",
    "prod/kustomization.yaml": ENTRY + LONG * 100,
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/objects/x": "",
    ".git/refs/x": "",
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a tree on a file system with room for a few pages more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200k,mode=777", "tmpfs", str(disk)]
    if os.getuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        write_tree(disk / "tree", TREE)
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_full_disk(small_disk: Path) -> None:
    """With no room left, with a page, with two and so on: nothing is half written; then it ends."""
    tree, filler = small_disk / "tree", small_disk / "filler"
    before, ended = read_tree(tree, ()), []
    for pages in range(20):
        filler.unlink(missing_ok=True)
        fill(filler)
        os.truncate(filler, filler.stat().st_size - pages * 4096)
        code, said = run_forked(tree, "migrate", ".", "--verbose")
        ended.append(code)
        if code == 0:
            break
        assert (code, "No space left on device" in said) == (3, True), said
        assert read_tree(tree, ()) == before

    assert (ended[0], ended[-1]) == (3, 0)
    assert read_tree(tree, ()) != before


def fill(path: Path) -> None:
    """Take all the room of a file system."""
    with path.open("wb", buffering=0) as stream:
        try:
            while stream.write(b"x" * 4096):
                pass
        except OSError:
            return


def test_quota(tmp_path: Path) -> None:
    """Files that may not grow so large."""
    write_tree(tmp_path, TREE)
    before = read_tree(tmp_path, ())
    limit = partial(setrlimit, RLIMIT_FSIZE, (4096, 4096))

    code, said = run_forked(tmp_path, "migrate", ".", "--verbose", first=limit)

    assert (code, "can't be written: File too large" in said) == (3, True), said
    assert read_tree(tmp_path, ()) == before


@pytest.mark.parametrize("odd", ["file", "folder", "git folder"])
def test_missing_rights(tmp_path: Path, odd: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file or folder stops its move; a read-only git folder stops nothing."""
    if os.getuid():
        pytest.skip("only root can become somebody else")
    state = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    tree = tmp_path / "tree"
    write_tree(tree, TREE)
    open_for_all(tmp_path)
    before = read_tree(tree, ())
    closed = {"file": "base/pod.yaml", "folder": "prod", "git folder": ".git"}[odd]
    (tree / closed).chmod(0o555 if (tree / closed).is_dir() else 0o444)

    code, said = run_forked(tree, "migrate", ".", "--verbose", first=become_nobody)

    if odd == "git folder":
        assert (code, list(state.glob("*/*"))) == (0, []), said
        assert read_tree(tree, ()) != before
    else:
        assert (code, "can't be written: Permission denied" in said) == (3, True), said
        assert read_tree(tree, ()) == before


def open_for_all(folder: Path) -> None:
    """Let everybody write below a folder, and pass the folders above it."""
    for parent in folder.parents:
        if parent.name.startswith(("pytest-", "popen-")):
            parent.chmod(0o755)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)


def become_nobody() -> None:
    """Give up root's rights."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def test_file_system_that_is_read_only(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is named with the reason, exit 3; reading goes on."""
    monkeypatch.setenv("XDG_STATE_HOME", str(small_disk.parent / "state"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)

    code, said = run_forked(small_disk / "tree", "migrate", ".", "--verbose")

    assert (code, "Read-only file system" in said) == (3, True), said
    assert run_forked(small_disk / "tree", "scan", ".")[0] == 0


def test_hard_links_and_links(tmp_path: Path) -> None:
    """Another name of a file keeps the old content; a link to one is not a file of its own."""
    write_tree(tmp_path, TREE)
    (tmp_path / "copy.txt").hardlink_to(tmp_path / "base" / "pod.yaml")
    (tmp_path / "base" / "link.yaml").symlink_to("pod.yaml")

    code, said = run_forked(tmp_path, "migrate", ".")

    assert code == 0, said
    assert (tmp_path / "copy.txt").read_bytes() == str(TREE["base/pod.yaml"]).encode()
    assert (tmp_path / "base" / "link.yaml").is_symlink()
    assert b"docker-hub/library/nginx" in (tmp_path / "base" / "link.yaml").read_bytes()
