"""What a stopped run noted: undone, finished, or refused, and never outside the tree."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from command_line import read_tree
from imageshift.errors import SourceError
from imageshift.repo.journal import is_pending, note
from imageshift.repo.place import Place
from imageshift.repo.write import Write
from imageshift.repo.writer import writing

OLD, NEW, OTHER = b"old", b"new", b"other"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return the place of a repository."""
    for name in ("objects", "refs", "imageshift"):
        (tmp_path / "tree" / ".git" / name).mkdir(parents=True)
    (tmp_path / "tree" / ".git" / "HEAD").write_text("")
    return Place(tmp_path / "tree", tmp_path / "tree" / ".git" / "imageshift")


def noted(place: Place, *names: str, before: bytes | None = OLD) -> None:
    """Note a move from old to new contents."""
    note(place, [Write(place.base / name, before, NEW) for name in names])


def left(place: Place) -> dict[str, bytes]:
    """Return what is in the tree."""
    return read_tree(place.base)


CASES: dict[str, tuple[dict[str, bytes], dict[str, bytes], list[str]]] = {
    "none replaced": ({"a": OLD, "b": OLD}, {"a": OLD, "b": OLD}, []),
    "one replaced": ({"a": NEW, "b": OLD}, {"a": OLD, "b": OLD}, ["a"]),
    "all replaced": ({"a": NEW, "b": NEW}, {"a": NEW, "b": NEW}, []),
}


@pytest.mark.parametrize(("now", "then", "told"), CASES.values(), ids=CASES)
def test_what_is_rolled_back(
    place: Place, now: dict[str, bytes], then: dict[str, bytes], told: list[str]
) -> None:
    """A move that was finished stays; one that was half done goes back."""
    for name, content in now.items():
        (place.base / name).write_bytes(content)
    noted(place, "a", "b")

    with writing(place.base) as writer:
        assert [path.name for path in writer.rolled_back] == told

    assert (left(place), is_pending(place)) == (then, False)


CHANGED: dict[str, tuple[dict[str, bytes], dict[str, bytes]]] = {
    "edited": ({"a": NEW, "b": OTHER}, {"a": OLD, "b": OTHER}),
    "removed": ({"a": NEW}, {"a": OLD}),
}


@pytest.mark.parametrize(("now", "then"), CHANGED.values(), ids=CHANGED)
def test_file_that_changed_since(
    place: Place, now: dict[str, bytes], then: dict[str, bytes]
) -> None:
    """It is named and left; the others go back; the next run is free."""
    for name, content in now.items():
        (place.base / name).write_bytes(content)
    noted(place, "a", "b")

    with pytest.raises(SourceError, match="b: has changed since") as error, writing(place.base):
        pass

    assert (error.value.reason, left(place)) == ("changed", then)
    with writing(place.base) as writer:
        assert writer.rolled_back == ()


def test_new_files_of_a_stopped_run_are_removed(place: Place) -> None:
    """What wasn't there before isn't there afterwards."""
    noted(place, "a", "b", before=None)
    (place.base / "a").write_bytes(NEW)

    with writing(place.base) as writer:
        assert [path.name for path in writer.rolled_back] == ["a"]

    assert left(place) == {}


def test_mode_and_links_stay(place: Place) -> None:
    """A file that is rolled back keeps what it had."""
    (place.base / "a").write_bytes(NEW)
    (place.base / "a").chmod(0o640)
    (place.base / "b").write_bytes(OLD)
    noted(place, "a", "b")

    with writing(place.base):
        pass

    assert (place.base / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/outside", "link/outside", "x/../../outside", "a\0b"]
)
def test_journal_that_leads_elsewhere(place: Place, name: str) -> None:
    """One that an unpacked archive brought writes nothing outside the tree, and is named."""
    outside = place.base.parent / "outside"
    outside.write_bytes(NEW)
    (place.base / "link").symlink_to(place.base.parent)
    entry = {"name": os.fsencode(name), "before": OLD, "after": hashlib.sha256(NEW).digest()}
    (place.folder / "journal").write_bytes(msgspec.msgpack.encode({"files": [entry, entry]}))

    with pytest.raises(SourceError, match="can't be used") as error, writing(place.base):
        pass

    assert error.value.hint == "look at git diff, then remove the file"
    assert outside.read_bytes() == NEW


@pytest.mark.parametrize(
    "content", [b"", b"\xc1", b"{}", msgspec.msgpack.encode({"files": [{"name": 1}]})]
)
def test_journal_of_another_shape(place: Place, content: bytes) -> None:
    """It is said, and kept for whoever looks at it."""
    (place.folder / "journal").write_bytes(content)

    with pytest.raises(SourceError, match="can't be used"), writing(place.base):
        pass

    assert (place.folder / "journal").read_bytes() == content


@pytest.mark.parametrize("odd", ["link", "pipe", "folder"])
def test_journal_that_is_no_file(place: Place, odd: str) -> None:
    """Nothing hangs, and no link is followed."""
    path = place.folder / "journal"
    if odd == "link":
        path.symlink_to("/dev/zero")
    elif odd == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()

    with pytest.raises(SourceError, match=r"can't be (used|written)"), writing(place.base):
        pass


def test_name_that_is_no_utf8(place: Place) -> None:
    """File names are bytes to the journal."""
    name = os.fsdecode(b"a\xff.yaml")
    (place.base / name).write_bytes(NEW)
    (place.base / "b").write_bytes(OLD)
    noted(place, name, "b")

    with writing(place.base):
        pass

    assert (place.base / name).read_bytes() == OLD
