"""A run that is killed, disturbed or out of room at any step leaves old or new, and comes back.

`IMAGESHIFT_CRASH_SHARE=1` tries every step; by default it is one in eleven.
"""

import errno
import os
import shutil
import signal
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from command_line import read_tree, write_tree
from crash_points import Died, Point, run_forked, steps_of
from imageshift.interrupt import ENDING

pytestmark = pytest.mark.once

SHARE = int(os.environ.get("IMAGESHIFT_CRASH_SHARE", "11"))
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    "spec: {containers: [{name: a, image: nginx}]}\n"
)
BASE: dict[str, str | bytes] = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
}
ENTRY = "resources: [../base]\nimages: [{name: nginx, newTag: '9'}]\n"
GIT: dict[str, str | bytes] = {
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/objects/x": "",
    ".git/refs/x": "",
}
MARK = b"# theirs\n"


def tree_of(files: int) -> dict[str, str | bytes]:
    """Return a tree in which one move takes in so many files."""
    if files == 1:
        return {"pod.yaml": POD, **GIT}
    return BASE | {f"env{n}/kustomization.yaml": ENTRY for n in range(files - 1)} | GIT


class Case:
    """A tree, what the undisturbed run makes of it, and how many steps that takes."""

    def __init__(self, folder: Path, files: int) -> None:
        self.folder = folder
        write_tree(folder / "old", tree_of(files))
        self.old = read_tree(folder / "old", ())
        shutil.copytree(folder / "old", folder / "new")
        shutil.copytree(folder / "old", folder / "counted")
        assert run_forked(folder / "new", "migrate", ".")[0] == 0
        self.new = read_tree(folder / "new", ())
        self.changed = sorted(name for name in self.old if self.old[name] != self.new[name])
        assert len(self.changed) == files
        self.steps = steps_of(folder / "counted", "migrate", ".")
        self.tree = folder / "tree"
        self.torn: int | None = None

    def fresh(self) -> Path:
        """Return the tree as it was."""
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.copytree(self.folder / "old", self.tree)
        return self.tree

    def disturbed(self, number: int, act: Callable[[], None]) -> Died:
        """Migrate the tree as it was, with something before one step."""
        return run_forked(self.fresh(), "migrate", ".", point=Point(number, act))

    def half_done(self) -> Path:
        """Return the tree as a run leaves it that is killed between two files of the move."""
        numbers = range(self.steps, 0, -1) if self.torn is None else [self.torn]
        for number in numbers if len(self.changed) > 1 else ():
            self.disturbed(number, kill)
            if self.mixed():
                self.torn = number
                return self.tree
        pytest.skip("a single file is never half done")

    def whole(self) -> bool:
        """Whether each file is old or new."""
        now = read_tree(self.tree, ())
        return all(now[name] in {self.old[name], self.new[name]} for name in self.changed)

    def mixed(self) -> bool:
        """Whether a part of the move is new and another old."""
        now = read_tree(self.tree, ())
        return len({now[name] == self.new[name] for name in self.changed}) > 1


@pytest.fixture(scope="module", params=[1, 2, 5], ids="move of {}".format)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Return a tree with one move over so many files."""
    return Case(tmp_path_factory.mktemp("crash"), request.param)


def points(case: Case) -> range:
    """Return the steps that are tried, the last of them those at which files are replaced."""
    return range(case.steps, 0, -SHARE)


def kill() -> None:
    """End this process as a lack of memory does."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_run_that_is_killed_at_any_step(case: Case) -> None:
    """Each file is whole, and the next run rolls back, says so, and ends as an undisturbed one."""
    mixed = 0
    for number in points(case):
        code, _ = case.disturbed(number, kill)
        assert (number, code) == (number, -signal.SIGKILL)
        assert case.whole()
        half_done = case.mixed()
        mixed += half_done

        code, said = run_forked(case.tree, "migrate", ".")

        assert (number, code, "restored" in said) == (number, 0, half_done), said
        assert read_tree(case.tree, ()) == case.new
    assert len(case.changed) > 1 or not mixed


def test_killed_again_while_it_rolls_back(case: Case) -> None:
    """A run that is killed while it cleans up behind another leaves the rest to a third."""
    shutil.copytree(case.half_done(), case.folder / "half")
    for number in range(1, 2 * case.steps, 3 * SHARE):
        shutil.rmtree(case.tree)
        shutil.copytree(case.folder / "half", case.tree)
        run_forked(case.tree, "migrate", ".", point=Point(number, kill))
        assert case.whole()

        code, said = run_forked(case.tree, "migrate", ".")

        assert (number, code) == (number, 0), said
        assert read_tree(case.tree, ()) == case.new


def test_way_back_after_a_kill(case: Case) -> None:
    """`revert --all` rolls back first, and gives the tree as it was."""
    for number in points(case)[::2]:
        case.disturbed(number, kill)

        code, said = run_forked(case.tree, "revert", "--all", ".")

        assert (number, code) == (number, 0), said
        assert read_tree(case.tree, ()) == case.old


def test_signal_ends_the_run_with_whole_moves(case: Case) -> None:
    """SIGTERM and SIGHUP end it as Ctrl-C does: 130, the move old or new, and nothing left over."""
    for step, number in zip(points(case), cycle(ENDING)):
        code, said = case.disturbed(step, partial(send_twice, number))

        now = read_tree(case.tree, ())
        assert (step, code, "interrupted" in said) == (step, 130, True), said
        assert now in (case.old, case.new), step


def send_twice(number: signal.Signals) -> None:
    """Send this process a signal, and another one, as an impatient supervisor does."""
    os.kill(os.getpid(), number)
    if number is not signal.SIGINT:
        os.kill(os.getpid(), number)


def fail(code: int) -> None:
    """Let a step fail."""
    raise OSError(code, os.strerror(code))


def test_step_that_fails(case: Case) -> None:
    """A documented code, the move old or new, and the next run ends as an undisturbed one."""
    for step, code in zip(points(case), cycle([errno.EIO, errno.ENOSPC, errno.EACCES])):
        ended, said = case.disturbed(step, partial(fail, code))

        assert (step, ended in {0, 2, 3}, "traceback" in said) == (step, True, False), said
        assert case.whole()
        assert not case.mixed() or ".git/imageshift/journal" in read_tree(case.tree, ())
        again, said = run_forked(case.tree, "migrate", ".")
        assert (step, again) == (step, 0), said
        assert read_tree(case.tree, ()) == case.new


def in_place(path: Path) -> None:
    """Edit a file as a shell's >> does."""
    with path.open("ab") as stream:
        stream.write(MARK)


def by_rename(path: Path) -> None:
    """Edit a file as an editor does that writes another one and renames it."""
    other = path.with_name("editor.tmp")
    other.write_bytes(path.read_bytes() + MARK)
    other.rename(path)


@pytest.mark.parametrize("edit", [in_place, by_rename])
def test_edit_of_others_at_any_step(case: Case, edit: Callable[[Path], None]) -> None:
    """It is never lost; a file that it met before the run did isn't written, nor its move."""
    for step, name in zip(points(case), cycle([case.changed[0], case.changed[-1]])):
        code, said = case.disturbed(step, partial(edit, case.folder / "tree" / name))

        now = read_tree(case.tree, ())
        theirs = now.pop(name)
        assert theirs in {case.old[name] + MARK, case.new[name] + MARK}, (step, theirs)
        like = case.new if theirs == case.new[name] + MARK else case.old
        assert now == {n: content for n, content in like.items() if n != name}, step
        assert (step, code) == (step, 0 if like is case.new else 3), said


def test_file_that_changed_after_the_kill_is_named(case: Case) -> None:
    """It stays, the others of the move are rolled back, and nothing else is written (exit 3)."""
    case.half_done()
    now = read_tree(case.tree, ())
    name = next(name for name in case.changed if now[name] == case.new[name])
    in_place(case.tree / name)

    code, said = run_forked(case.tree, "migrate", ".")

    assert (code, f"{name}: has changed since" in said) == (3, True), said
    assert read_tree(case.tree, ()) == case.old | {name: case.new[name] + MARK}


@pytest.mark.parametrize("command", ["scan", "check"])
def test_readers_say_that_files_are_half_done(case: Case, command: str) -> None:
    """They take no lock, change nothing, and say who brings the files back."""
    case.half_done()
    before = read_tree(case.tree, ())

    _, said = run_forked(case.tree, command, ".")

    assert "the next migrate or revert restores them first" in said
    assert read_tree(case.tree, ()) == before
