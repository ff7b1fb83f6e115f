"""How files are written: whole, together, or not at all, whatever happens meanwhile."""

import os
import resource
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from imageshift.errors import SourceError
from imageshift.repo import write
from imageshift.repo.read import read_file
from imageshift.repo.write import Write, write_together


def prepared(folder: Path, *names: str) -> list[Write]:
    """Return writes of new content over files that hold `old`."""
    for name in names:
        (folder / name).write_bytes(b"old")
    return [Write(folder / name, b"old", b"new") for name in names]


def contents(folder: Path) -> dict[str, bytes]:
    """Return what each file of a folder holds."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_files_are_written_together(tmp_path: Path) -> None:
    """All get their content, and nothing else is left in the folder."""
    write_together(prepared(tmp_path, "a.yaml", "b.yaml"))

    assert contents(tmp_path) == {"a.yaml": b"new", "b.yaml": b"new"}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o660])
def test_mode_stays(tmp_path: Path, mode: int) -> None:
    """Whatever the umask is."""
    writes = prepared(tmp_path, "a.yaml")
    (tmp_path / "a.yaml").chmod(mode)

    write_together(writes)

    assert stat.S_IMODE((tmp_path / "a.yaml").stat().st_mode) == mode


def test_owner_stays(tmp_path: Path) -> None:
    """A file of another user stays theirs."""
    writes = prepared(tmp_path, "a.yaml")
    if os.getuid():
        pytest.skip("only root can give files away")
    os.chown(tmp_path / "a.yaml", 1234, 1235)

    write_together(writes)

    status = (tmp_path / "a.yaml").stat()
    assert (status.st_uid, status.st_gid) == (1234, 1235)


def test_time_of_change_is_now(tmp_path: Path) -> None:
    """The new content isn't given the old one's time: make and editors look at it."""
    writes = prepared(tmp_path, "a.yaml")
    os.utime(tmp_path / "a.yaml", (1, 1))

    write_together(writes)

    assert (tmp_path / "a.yaml").stat().st_mtime > 1_000_000_000


def test_file_that_changed_meanwhile_is_left(tmp_path: Path) -> None:
    """And so are those that hold only together with it."""
    writes = prepared(tmp_path, "a.yaml", "b.yaml", "c.yaml")
    (tmp_path / "b.yaml").write_bytes(b"edited")

    with pytest.raises(SourceError, match="has changed since") as error:
        write_together(writes)

    assert error.value.reason == "changed"
    assert contents(tmp_path) == {"a.yaml": b"old", "b.yaml": b"edited", "c.yaml": b"old"}


def test_file_that_is_gone_meanwhile_is_told(tmp_path: Path) -> None:
    """It isn't made anew, and the others stay."""
    writes = prepared(tmp_path, "a.yaml", "b.yaml")
    (tmp_path / "b.yaml").unlink()

    with pytest.raises(SourceError) as error:
        write_together(writes)

    assert error.value.reason in {"changed", "unwritable"}
    assert contents(tmp_path) == {"a.yaml": b"old"}


def test_file_that_cannot_be_written_stops_all(tmp_path: Path) -> None:
    """A folder that has taken a file's place: nothing is replaced."""
    writes = prepared(tmp_path, "a.yaml", "b.yaml")
    (tmp_path / "b.yaml").unlink()
    (tmp_path / "b.yaml").mkdir()

    with pytest.raises(SourceError) as error:
        write_together(writes)

    assert error.value.reason == "unwritable"
    assert (tmp_path / "a.yaml").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]


def test_missing_permission_is_told(tmp_path: Path) -> None:
    """A read-only file isn't replaced, though its folder would allow it."""
    writes = prepared(tmp_path, "a.yaml")
    (tmp_path / "a.yaml").chmod(0o444)
    if os.access(tmp_path / "a.yaml", os.W_OK):
        pytest.skip("root may write anything")

    with pytest.raises(SourceError, match="can't be written: Permission denied"):
        write_together(writes)


def at_the_check(monkeypatch: pytest.MonkeyPatch, path: Path, act: Callable[[], None]) -> None:
    """Do something in the moment in which a file is first looked at, before it is replaced."""
    waiting = [act]

    def read(asked: Path) -> bytes:
        if asked != path or not waiting:
            return read_file(asked)
        waiting.pop()
        content = read_file(asked)
        act()
        return content

    monkeypatch.setattr(write, "read_file", read)


def interrupt() -> None:
    """Press Ctrl-C where nothing puts it off."""
    raise KeyboardInterrupt


def put_a_folder(path: Path) -> None:
    """Put a folder in a file's place."""
    path.unlink()
    path.mkdir()


def test_interruption_leaves_every_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while files are staged: none is replaced, and no temporary file is left."""
    one, two = prepared(tmp_path, "a.yaml", "b.yaml")

    at_the_check(monkeypatch, two.path, interrupt)

    with pytest.raises(KeyboardInterrupt):
        write_together([one, two])

    assert contents(tmp_path) == {"a.yaml": b"old", "b.yaml": b"old"}


def test_failure_between_two_files_puts_the_first_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replaced file gets its old content again when one behind it can't be replaced."""
    one, two = prepared(tmp_path, "a.yaml", "b.yaml")
    (tmp_path / "a.yaml").chmod(0o640)
    at_the_check(monkeypatch, two.path, partial(put_a_folder, two.path))

    with pytest.raises(SourceError) as error:
        write_together([one, two])

    assert error.value.reason in {"changed", "unwritable"}
    assert (tmp_path / "a.yaml").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yaml", "b.yaml"]
    assert stat.S_IMODE((tmp_path / "a.yaml").stat().st_mode) == 0o640


def test_full_disk_leaves_every_file(tmp_path: Path) -> None:
    """Nothing is half written, and nothing is left beside them."""
    old, new = b"old\n", b"new\n" * 5000
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_bytes(old)
    writes = [
        Write(tmp_path / "a.yaml", old, b"new\n"),
        Write(tmp_path / "b.yaml", old, new),
    ]

    with limited_files(4096), pytest.raises(SourceError, match="can't be written: File too large"):
        write_together(writes)

    assert contents(tmp_path) == {"a.yaml": old, "b.yaml": old}


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Make every write beyond a size fail in its midst, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_file_that_can_not_be_changed_at_all(tmp_path: Path) -> None:
    """One that even root may not write is told, though its folder would allow a new one."""
    writes = prepared(tmp_path, "a.yaml", "b.yaml")
    if not set_immutable("+i", tmp_path / "b.yaml"):
        pytest.skip("no file can be made immutable here")

    try:
        with pytest.raises(SourceError, match="can't be written: Operation not permitted"):
            write_together(writes)
    finally:
        set_immutable("-i", tmp_path / "b.yaml")

    assert contents(tmp_path) == {"a.yaml": b"old", "b.yaml": b"old"}


def set_immutable(sign: str, path: Path) -> bool:
    """Give or take the attribute that forbids every change; whether that worked."""
    if shutil.which("chattr") is None:
        return False
    command = ["chattr", sign, str(path)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_extended_attributes_stay(tmp_path: Path) -> None:
    """As far as the file system has them."""
    writes = prepared(tmp_path, "a.yaml")
    try:
        os.setxattr(tmp_path / "a.yaml", "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has no attributes")

    write_together(writes)

    assert os.getxattr(tmp_path / "a.yaml", "user.note") == b"kept"


def test_special_bits_stay(tmp_path: Path) -> None:
    """Changing the owner would take them away."""
    writes = prepared(tmp_path, "a.yaml")
    (tmp_path / "a.yaml").chmod(0o2770)

    write_together(writes)

    assert stat.S_IMODE((tmp_path / "a.yaml").stat().st_mode) == 0o2770


def test_other_hard_links_keep_the_old_content(tmp_path: Path) -> None:
    """The new content is another file: only so is it there at once or not at all."""
    writes = prepared(tmp_path, "a.yaml")
    (tmp_path / "copy.txt").hardlink_to(tmp_path / "a.yaml")

    write_together(writes)

    assert contents(tmp_path) == {"a.yaml": b"new", "copy.txt": b"old"}


@pytest.mark.parametrize("other", ["link", "pipe"])
def test_what_has_taken_a_files_place_is_not_written(tmp_path: Path, other: str) -> None:
    """A link isn't followed, and a pipe isn't waited for."""
    writes = prepared(tmp_path, "a.yaml", "b.yaml")
    (tmp_path / "b.yaml").rename(tmp_path / "c.yaml")
    if other == "link":
        (tmp_path / "b.yaml").symlink_to("c.yaml")
    else:
        os.mkfifo(tmp_path / "b.yaml")

    with pytest.raises(SourceError) as error:
        write_together(writes)

    assert error.value.reason == "unwritable"
    assert (tmp_path / "a.yaml").read_bytes() == (tmp_path / "c.yaml").read_bytes() == b"old"


def test_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    """What is written beside the file has a name of its own."""
    name = "a" * 250 + ".yaml"

    write_together(prepared(tmp_path, name))

    assert contents(tmp_path) == {name: b"new"}


def test_putting_back_needs_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file itself comes back, not a copy, with all its names."""
    one, two = prepared(tmp_path, "a.yaml", "b.yaml")
    before = (tmp_path / "a.yaml").stat().st_ino
    at_the_check(monkeypatch, two.path, partial(put_a_folder, two.path))

    with pytest.raises(SourceError):
        write_together([one, two])

    assert (tmp_path / "a.yaml").stat().st_ino == before


@pytest.fixture
def _ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the run, which it doesn't in a job that a shell started in the background."""
    found = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, found)


@pytest.mark.usefixtures("_ctrl_c")
def test_interruption_waits_for_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two files of a move: both are written, then the run ends."""
    one, two = prepared(tmp_path, "a.yaml", "b.yaml")

    at_the_check(monkeypatch, two.path, partial(signal.raise_signal, signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        write_together([one, two])

    assert contents(tmp_path) == {"a.yaml": b"new", "b.yaml": b"new"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
