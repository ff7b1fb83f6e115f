"""Generated files are written as what they are: together, or not at all, and never over others'."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import REGISTRY, read_tree, run
from imageshift.errors import BusyError, ConfigError
from imageshift.infra import write_files
from imageshift.infra.render import HEADER
from imageshift.repo import write
from imageshift.repo.writer import writing

FIRST = {name: f"{HEADER}\n# {name} 1\n" for name in ("a.tf", "b.tf", "c.tf")}
SECOND = {name: text.replace("1", "2") for name, text in FIRST.items()}


def in_child(work: Callable[[], object]) -> int:
    """Do something in a child, and return how it ended."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("number", [1, 2, 3])
def test_module_is_old_or_new_after_a_kill(tmp_path: Path, number: int) -> None:
    """Killed at the n-th file, the next run brings the files back, then writes them."""
    write_files(FIRST, tmp_path)

    def killed() -> None:
        real, seen = write.__dict__["exchange"], list[Path]()

        def exchange(one: Path, other: Path) -> bool:
            seen.append(other)
            if len(seen) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return bool(real(one, other))

        write.__dict__["exchange"] = exchange
        write_files(SECOND, tmp_path)

    assert in_child(killed) == -signal.SIGKILL
    with writing(tmp_path) as writer:
        assert len(writer.rolled_back) == number - 1
    assert read_tree(tmp_path) == {name: text.encode() for name, text in FIRST.items()}
    write_files(SECOND, tmp_path)
    assert read_tree(tmp_path) == {name: text.encode() for name, text in SECOND.items()}


def test_new_module_that_is_half_made_goes(tmp_path: Path) -> None:
    """A file that can't be made takes those before it back."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "b.tf").mkdir()

    with pytest.raises(ConfigError):
        write_files(FIRST, folder, force=True)

    assert sorted(path.name for path in folder.iterdir()) == ["b.tf"]


def test_second_run_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says whose turn it is."""
    monkeypatch.setenv("IMAGESHIFT_LOCK_WAIT", "0")

    with writing(tmp_path), pytest.raises(BusyError):
        write_files(FIRST, tmp_path)

    assert read_tree(tmp_path) == {}


@pytest.mark.parametrize(
    "command", [["init"], ["infra", "terraform", "--out", "out", "--all"]], ids=["init", "infra"]
)
def test_commands_leave_nothing_beside_their_files(tmp_path: Path, command: list[str]) -> None:
    """Each file is there as a whole, with the rights that new files have."""
    done = run(tmp_path, *command, *REGISTRY)

    assert done.code == 0, done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if path.name.startswith(".imageshift-")]
    mask = os.umask(0o022)
    os.umask(mask)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o666 & ~mask}
