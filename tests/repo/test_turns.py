"""Writing runs take turns: the second waits, then says who has the lock; the dead have none."""

import json
import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from command_line import REGISTRY, read_tree, run, write_tree
from imageshift.errors import BusyError, SourceError
from imageshift.repo.journal import note
from imageshift.repo.lock import default_wait, locked
from imageshift.repo.write import Write
from imageshift.repo.writer import writing

pytestmark = pytest.mark.once

POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    "spec: {containers: [{name: a, image: nginx}]}\n"
)
TREE: dict[str, str | bytes] = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
    "prod/kustomization.yaml": "resources: [../base]\nimages: [{name: nginx, newTag: '9'}]\n",
    **{f"loose/{number}.yaml": POD for number in range(20)},
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/objects/x": "",
    ".git/refs/x": "",
}
IMAGESHIFT = (sys.executable, "-c", "from imageshift.cli import main; main()")
HOLD = """
import sys, time
from pathlib import Path
from imageshift.repo.writer import writing
with writing(Path(sys.argv[1])):
    print("mine", flush=True)
    time.sleep(60)
"""


def holder(root: Path) -> "subprocess.Popen[str]":
    """Start a run that holds the lock of a tree."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "mine\n"
    return process


def test_second_run_waits_and_names_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3 with the process, the host and the time; nothing is written."""
    write_tree(tmp_path, TREE)
    before = read_tree(tmp_path)
    monkeypatch.setenv("IMAGESHIFT_LOCK_WAIT", "0.3")
    with holder(tmp_path) as process:
        began = time.monotonic()
        done = [
            run(tmp_path, command, ".", *more, *REGISTRY, "--charts", "off")
            for command, *more in (["migrate"], ["revert", "--all"], ["init"])
        ]
        waited = time.monotonic() - began
        read = run(tmp_path, "scan", ".", *REGISTRY, "--charts", "off")
        process.kill()

    assert [one.code for one in done] == [3, 3, 3]
    for one in done:
        assert f"process {process.pid} on {os.uname().nodename}, since " in one.stderr
        assert "nothing was changed" in one.stderr
    assert waited >= 3 * 0.3
    assert read.code == 0
    assert read_tree(tmp_path) == before


def test_second_run_gets_its_turn(tmp_path: Path) -> None:
    """It goes on as soon as the first has ended, and does its work."""
    write_tree(tmp_path, TREE)
    with holder(tmp_path) as process:
        process.kill()
        done = run(tmp_path, "migrate", ".", *REGISTRY, "--charts", "off", "--quiet")

    assert (done.code, "22 rewritten" in done.stderr) == (0, True)
    assert not (tmp_path / ".git" / "imageshift").exists()


@pytest.mark.parametrize("count", [2, 3])
def test_runs_at_once(tmp_path: Path, count: int) -> None:
    """The tree ends as after one run: whoever comes later finds everything done."""
    write_tree(tmp_path / "one", TREE)
    write_tree(tmp_path / "many", TREE)
    command = [*IMAGESHIFT, "migrate", ".", *REGISTRY, "--charts", "off"]
    subprocess.run(command, cwd=tmp_path / "one", check=True, capture_output=True)

    runs = [
        subprocess.Popen(command, cwd=tmp_path / "many", stdout=subprocess.DEVNULL, stderr=-3)
        for _ in range(count)
    ]

    assert [process.wait() for process in runs] == [0] * count
    assert read_tree(tmp_path / "many", ()) == read_tree(tmp_path / "one", ())


def test_turns_in_one_process(tmp_path: Path) -> None:
    """Threads and libraries that write at once exclude each other as processes do."""
    with (
        locked(tmp_path / "a", tmp_path, 0),
        pytest.raises(BusyError),
        locked(tmp_path / "a", tmp_path, 0),
    ):
        pass
    with locked(tmp_path / "a", tmp_path, 0) as turn:
        assert turn.dead == ()
    assert not (tmp_path / "a").exists()


def test_lock_that_somebody_left(tmp_path: Path) -> None:
    """A file alone is no lock, whatever it holds; only markers are taken from it."""
    (tmp_path / "lock").write_bytes(
        b'{"pid": 1, "host": "x", "since": "then", "marker": "dead", "tree": ""}\n{"pid": \xff\n'
    )

    with locked(tmp_path, tmp_path, 0) as turn:
        assert turn.dead == ("dead",)
        last = (tmp_path / "lock").read_bytes().splitlines()[-1]
        assert json.loads(last)["pid"] == os.getpid()


@pytest.mark.parametrize("odd", ["folder", "pipe", "link"])
def test_lock_that_is_no_file(tmp_path: Path, odd: str) -> None:
    """It is said, nothing hangs, and what a link leads to stays."""
    place, other = tmp_path / "lock", tmp_path / "other"
    other.write_text("theirs")
    if odd == "folder":
        place.mkdir()
    elif odd == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(other)

    with pytest.raises(SourceError, match="nothing was changed"), locked(tmp_path, tmp_path, 0):
        pass

    assert other.read_text() == "theirs"


def test_state_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that is read-only: a message with what to do, exit 3, and nothing is written."""
    write_tree(tmp_path / "tree", {"a.yaml": POD})
    (tmp_path / "home").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))

    done = run(tmp_path / "tree", "migrate", ".", *REGISTRY, "--charts", "off")

    assert (done.code, "can't be written: Not a directory" in done.stderr) == (3, True)
    assert "XDG_STATE_HOME" in done.stderr
    assert read_tree(tmp_path / "tree") == {"a.yaml": POD.encode()}
    assert run(tmp_path / "tree", "scan", ".", *REGISTRY, "--charts", "off").code == 0


@pytest.mark.parametrize(("text", "seconds"), [("", 60.0), ("soon", 60.0), ("0.5", 0.5)])
def test_how_long_a_run_waits(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    """A minute, unless the environment has a number."""
    monkeypatch.setenv("IMAGESHIFT_LOCK_WAIT", text)

    assert default_wait() == seconds


def test_temporary_files_of_the_dead_are_removed(tmp_path: Path) -> None:
    """Wherever they are, and no other file whose name begins like theirs."""
    (tmp_path / ".git" / "imageshift").mkdir(parents=True)
    write_tree(tmp_path, TREE | {"x/.imageshift-dead-1": "", "x/.imageshift-note": ""})
    (tmp_path / ".git" / "imageshift" / "lock").write_text(
        '{"pid": 1, "host": "x", "since": "then", "marker": "dead", "tree": ""}'
    )

    with writing(tmp_path / "prod"):
        pass

    assert read_tree(tmp_path, ()) == {
        name: content.encode() if isinstance(content, str) else content
        for name, content in (TREE | {"x/.imageshift-note": ""}).items()
    }


@pytest.mark.parametrize(("killed", "again"), [("", "apps"), ("apps", "")])
def test_trees_without_git_that_overlap(tmp_path: Path, killed: str, again: str) -> None:
    """A run over a part, or over more, rolls back as well, and waits for its turn as well."""
    write_tree(tmp_path, {"apps/a.yaml": "new", "apps/b.yaml": "old", "other/c.yaml": "c"})
    writes = [Write(tmp_path / "apps" / name, b"old", b"new") for name in ("a.yaml", "b.yaml")]
    with writing(tmp_path / killed) as writer:
        note(writer.place, writes)
        with pytest.raises(BusyError), writing(tmp_path / again, wait=0):
            pass
        with writing(tmp_path / "other", wait=0) if killed else nullcontext():
            pass
        writer.turn.left = True  # as a kill would leave it

    with writing(tmp_path / again, wait=0) as writer:
        assert [path.name for path in writer.rolled_back] == ["a.yaml"]

    assert (tmp_path / "apps" / "a.yaml").read_text() == "old"
    assert not list(Path(os.environ["XDG_STATE_HOME"]).glob("*/*"))
