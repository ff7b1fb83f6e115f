"""What is on the disk before what: a loss of power can't be tried, the order of flushes can."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imageshift.repo import flush, journal, write
from imageshift.repo.exchange import exchange
from imageshift.repo.write import Write
from imageshift.repo.writer import writing


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what will be done to files, in its order, by their names below the tree."""
    found: list[str] = []

    def name(thing: int | str | Path) -> str:
        path = Path(f"/proc/self/fd/{thing}").readlink() if isinstance(thing, int) else thing
        shown = os.path.relpath(path, tmp_path)
        return "temporary" if ".imageshift-" in shown else shown

    def told(word: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *more: Any, **options: Any) -> Any:
            found.append(" ".join([word, name(first), *map(name, more)]))
            return real(first, *more, **options)

        return call

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to name what is flushed")
    (tmp_path / ".git" / "objects").mkdir(parents=True)
    (tmp_path / ".git" / "refs").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("")
    for word in ("fsync", "replace", "unlink"):
        monkeypatch.setattr(os, word, told(word, getattr(os, word)))
    exchanged = told("exchange", exchange)
    monkeypatch.setattr(write, "exchange", exchanged)
    return found


def prepared(folder: Path, *names: str) -> list[Write]:
    """Return writes of new content over files that hold `old`, each in a folder of its own."""
    for name in names:
        (folder / name).parent.mkdir()
        (folder / name).write_bytes(b"old")
    return [Write(folder / name, b"old", b"new") for name in names]


def test_move(tmp_path: Path, events: list[str]) -> None:
    """New contents, then the journal, then the files, their folders, and only then its end."""
    writes = prepared(tmp_path, "a/x.yaml", "b/y.yaml")
    with writing(tmp_path) as writer:
        events.clear()
        writer.write(writes)
        made = list(events)

    assert made == [
        "fsync temporary",
        "fsync temporary",
        "fsync .git/imageshift/journal.new",
        "replace .git/imageshift/journal.new .git/imageshift/journal",
        "fsync .git",
        "fsync .git/imageshift",
        "exchange temporary a/x.yaml",
        "exchange temporary b/y.yaml",
        "fsync a",
        "fsync b",
        "unlink .git/imageshift/journal.new",
        "unlink .git/imageshift/journal",
        "fsync .git/imageshift",
        "unlink temporary",
        "unlink temporary",
    ]


def test_single_files(tmp_path: Path, events: list[str]) -> None:
    """Each content before its name; the folders once, at the end of the run."""
    writes = prepared(tmp_path, "a/x.yaml", "b/y.yaml")
    with writing(tmp_path) as writer:
        events.clear()
        for each in writes:
            writer.write([each])

    assert events == [
        "fsync temporary",
        "exchange temporary a/x.yaml",
        "unlink temporary",
        "fsync temporary",
        "exchange temporary b/y.yaml",
        "unlink temporary",
        "fsync a",
        "fsync b",
        "unlink .git/imageshift/lock",
    ]


def test_what_rolls_back(tmp_path: Path, events: list[str]) -> None:
    """The old contents and their folders are there before the journal goes."""
    writes = prepared(tmp_path, "a/x.yaml", "b/y.yaml")
    with writing(tmp_path) as writer:
        journal.note(writer.place, writes)
    (tmp_path / "a" / "x.yaml").write_bytes(b"new")
    events.clear()
    with writing(tmp_path):
        made = list(events)

    at = [made.index(event) for event in ("exchange temporary a/x.yaml", "fsync a", "fsync b")]
    assert made.index("fsync temporary") < at[0] < max(at) < made.index(f"unlink {JOURNAL}")


JOURNAL = ".git/imageshift/journal"


def test_folder_that_cannot_be_flushed(tmp_path: Path) -> None:
    """Some file systems can't: that is no reason to stop."""
    flush.flush_folders([tmp_path / "gone" / "x"])
