"""Where lock and journal are: in a git folder that is certain, else in the user's state folder."""

import subprocess
from pathlib import Path

import pytest

from imageshift.repo.place import find_place


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, with nothing of the user's set-up."""
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    done = subprocess.run(
        ["git", *settings, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """Return a repository with one commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def assert_as_git_has_it(root: Path, base: Path) -> None:
    """Compare a place with what `git rev-parse --git-path` says."""
    found = find_place(root)
    said = Path(git(root, "rev-parse", "--path-format=absolute", "--git-path", "imageshift"))
    assert (found.folder, found.base) == (said, base)


def test_repository_and_a_folder_in_it(tmp_path: Path) -> None:
    """Both have one place, so that runs over either know of each other."""
    root = repository(tmp_path / "a")
    (root / "apps").mkdir()

    assert_as_git_has_it(root, root)
    assert_as_git_has_it(root / "apps", root)


def test_linked_work_tree(tmp_path: Path) -> None:
    """Each work tree of a repository has a place of its own."""
    root = repository(tmp_path / "a")
    git(root, "worktree", "add", "-q", "../b")

    assert_as_git_has_it(tmp_path / "b", tmp_path / "b")


def test_submodule(tmp_path: Path) -> None:
    """Its git folder is in that of the repository around it."""
    inner, root = repository(tmp_path / "inner"), repository(tmp_path / "a")
    git(root, "submodule", "--quiet", "add", str(inner), "part")

    assert_as_git_has_it(root / "part", root / "part")


def unpacked(root: Path, git_file: str) -> None:
    """Make a tree with a `.git` file, as no clone but an archive can bring one."""
    root.mkdir()
    (root / ".git").write_text(git_file)


def test_foreign_git_file_names_no_place(tmp_path: Path, state: Path) -> None:
    """Not even a repository that is one: it has to know this work tree."""
    other = repository(tmp_path / "other")
    git(other, "worktree", "add", "-q", "../linked")
    linked = other / ".git" / "worktrees" / "linked"
    for number, target in enumerate((other / ".git", linked, "x", "x\0y")):
        root = tmp_path / f"root{number}"
        unpacked(root, f"gitdir: {target}\n")

        assert find_place(root).folder.parent == state / "imageshift"


@pytest.mark.parametrize("odd", ["link", "empty folder", "folder that is a link", "file"])
def test_git_folder_that_is_none(tmp_path: Path, state: Path, odd: str) -> None:
    """A link may lead anywhere, and an empty folder is no repository."""
    root, other = tmp_path / "root", repository(tmp_path / "other")
    root.mkdir()
    if odd == "link":
        (root / ".git").symlink_to(other / ".git")
    elif odd == "empty folder":
        (root / ".git").mkdir()
    else:
        git(root, "init", "-q")
        if odd == "file":
            (root / ".git" / "imageshift").write_text("")
        else:
            (root / ".git" / "imageshift").symlink_to(tmp_path)

    assert find_place(root).folder.parent == state / "imageshift"


def test_trees_without_git(tmp_path: Path, state: Path) -> None:
    """Each has its own place, the same at every run."""
    one, two = find_place(tmp_path / "a"), find_place(tmp_path / "b")

    assert one == find_place(tmp_path / "a")
    assert one.folder != two.folder
    assert one.folder.is_relative_to(state)
