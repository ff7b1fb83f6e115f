"""Which files are ours, which root they have, and how they are read."""

import contextlib
import inspect
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imageshift.errors import NoFilesError, SourceError
from imageshift.repo.workspace import Workspace, find_root


def tree(folder: Path, *names: str, **texts: str) -> Path:
    """Write empty files, and those with a text (`_` stands for a dot at the front)."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name, text in texts.items():
        (folder / name.replace("_", ".", 1)).write_text(text)
    return folder.resolve()


def walk(folder: Path, *names: str, exclude: tuple[str, ...] = ()) -> list[str]:
    """Return what a walk over the names finds."""
    return list(Workspace(folder, exclude).walk(names or ("",)))


def test_files_that_are_ours(tmp_path: Path) -> None:
    """YAML, helmfile's templates of it, JSON and Kustomization, in path order; no others."""
    root = tree(
        tmp_path,
        *("b.yaml", "a.yml", "c.json", "d/Kustomization", "e.txt", "f.yaml.bak", "Makefile"),
        *("d/kustomization", "g.YAML", "v.yaml.gotmpl", "w.gotmpl", ".h.yaml", ".i/j.yaml"),
    )

    assert walk(root) == [
        *(".h.yaml", ".i/j.yaml", "a.yml", "b.yaml", "c.json", "d/Kustomization"),
        "v.yaml.gotmpl",
    ]


def test_what_flux_leaves_out(tmp_path: Path) -> None:
    """The folders and files that source-controller leaves out of every artifact."""
    root = tree(
        tmp_path,
        *(".git/a.yaml", ".github/w/a.yaml", ".circleci/config.yml", ".gitlab-ci.yml"),
        *(".travis.yml", ".drone.yml", "appveyor.yml", "cloudbuild.yaml", "sub/.github/a.yaml"),
        *(".forgejo/a.yaml", ".gitea/a.yaml", "a.yaml", "github/a.yaml"),
    )

    assert walk(root) == ["a.yaml", "github/a.yaml"]


def test_flux_may_be_told_to_take_them_all_the_same(tmp_path: Path) -> None:
    """.sourceignore takes back what Flux leaves out; .gitignore can't, and nothing takes .git."""
    root = tree(
        tmp_path,
        *(".git/a.yaml", ".github/w/a.yaml", ".circleci/config.yml"),
        _sourceignore="!.github/\n!.git/\n",
        _gitignore="!.circleci/\n",
    )

    assert walk(root) == [".github/w/a.yaml"]
    assert walk(root, ".git", ".git/a.yaml", ".github/w") == [".github/w/a.yaml"]


IGNORES = {
    "a file": ("a.yaml\n", ["d/b.yaml", "d/e/c.yaml"]),
    "a pattern": ("*.yaml\n", []),
    "a folder": ("d/\n", ["a.yaml"]),
    "from the root": ("/b.yaml\n", ["a.yaml", "d/b.yaml", "d/e/c.yaml"]),
    "at any depth": ("b.yaml\n", ["a.yaml", "d/e/c.yaml"]),
    "two stars": ("d/**/c.yaml\n", ["a.yaml", "d/b.yaml"]),
    "negation": ("*.yaml\n!b.yaml\n", ["d/b.yaml"]),
    "negation below an ignored folder": ("d/\n!d/b.yaml\n", ["a.yaml"]),
    "comment and blank": ("# a.yaml\n\n", ["a.yaml", "d/b.yaml", "d/e/c.yaml"]),
    "windows line ends": ("a.yaml\r\n", ["d/b.yaml", "d/e/c.yaml"]),
}


@pytest.mark.parametrize("name", ["_gitignore", "_sourceignore"])
@pytest.mark.parametrize(("text", "left"), IGNORES.values(), ids=IGNORES)
def test_ignore_files(tmp_path: Path, name: str, text: str, left: list[str]) -> None:
    """.gitignore and Flux's .sourceignore mean what they mean to Git."""
    root = tree(tmp_path, "a.yaml", "d/b.yaml", "d/e/c.yaml")
    (root / name.replace("_", ".")).write_bytes(text.encode())

    assert walk(root) == left


def test_exclude_of_the_configuration(tmp_path: Path) -> None:
    """Patterns as in .gitignore, which may also take back what a file ignores."""
    root = tree(tmp_path, "a.yaml", "d/b.yaml", _gitignore="a.yaml\n")

    assert walk(root, exclude=("d/",)) == []
    assert walk(root, exclude=("!a.yaml",)) == ["a.yaml", "d/b.yaml"]


def test_the_configuration_wins_over_flux_and_flux_over_git(tmp_path: Path) -> None:
    """Wherever the ignore files are."""
    root = tree(tmp_path, *(f"d/{name}.yaml" for name in "abcd"), _sourceignore="d/b.yaml\n")
    (root / "d/.gitignore").write_text("!a.yaml\n!b.yaml\nc.yaml\nd.yaml\n")
    (root / "d/.sourceignore").write_text("!c.yaml\na.yaml\n")

    assert walk(root) == ["d/c.yaml"]
    assert walk(root, exclude=("c.yaml", "!a.yaml", "!d.yaml")) == ["d/a.yaml", "d/d.yaml"]


def test_deeper_ignore_files_win(tmp_path: Path) -> None:
    """A nested file adds to those above it and may take back what they ignore."""
    root = tree(tmp_path, "d/a.yaml", "d/b.yaml", "d/e/a.yaml", "d/e/b.yaml", _gitignore="b.yaml\n")
    (root / "d/.gitignore").write_text("a.yaml\n!/b.yaml\n")
    (root / "d/e/.gitignore").write_text("!a.yaml\n")

    assert walk(root) == ["d/b.yaml", "d/e/a.yaml"]


def test_patterns_of_a_nested_file_begin_in_its_folder(tmp_path: Path) -> None:
    """`/a.yaml` in d/.gitignore is d/a.yaml alone."""
    root = tree(tmp_path, "a.yaml", "d/a.yaml", "d/e/a.yaml")
    (root / "d/.gitignore").write_text("/a.yaml\n")

    assert walk(root) == ["a.yaml", "d/e/a.yaml"]


def test_named_files_obey_the_rules(tmp_path: Path) -> None:
    """A file or folder that is named isn't looked at when a rule leaves it out."""
    root = tree(tmp_path, "a.yaml", "d/b.yaml", "d/e/c.yaml", "f.txt", _gitignore="d/\na.yaml\n")

    assert walk(root, "a.yaml", "d/b.yaml", "d/e", "d", "f.txt") == []


def test_names_inside_each_other_give_each_file_once(tmp_path: Path) -> None:
    """In path order, whatever the order of the names."""
    root = tree(tmp_path, "d/a.yaml", "d/e/b.yaml", "c.yaml")

    assert walk(root, "d/e/b.yaml", "d", "c.yaml", "d/e") == ["c.yaml", "d/a.yaml", "d/e/b.yaml"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither to files nor to folders, not even inside the root."""
    root = tree(tmp_path / "root", "a.yaml", "d/b.yaml")
    outside = tree(tmp_path / "outside", "c.yaml")
    (root / "link.yaml").symlink_to(outside / "c.yaml")
    (root / "inside.yaml").symlink_to(root / "a.yaml")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to(root)

    assert walk(root) == ["a.yaml", "d/b.yaml"]


def test_odd_entries_do_no_harm(tmp_path: Path) -> None:
    """A folder that is called like a file, an ignore file that is no text, an empty folder."""
    root = tree(tmp_path, "folder.yaml/a.yaml", "empty/x.txt", ".sourceignore/x")
    (root / ".gitignore").write_bytes(b"\xff\xfe")

    assert walk(root) == ["folder.yaml/a.yaml"]


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    """A pipe would never end, a socket can't be read; whether they are met or named."""
    root = tree(tmp_path, "a.yaml", "d/b.yaml")
    os.mkfifo(root / "pipe.yaml")
    os.mkfifo(root / ".gitignore")
    os.mkfifo(root / "d/.sourceignore")
    with socket.socket(socket.AF_UNIX) as server, contextlib.chdir(root):
        server.bind("socket.yaml")

    assert walk(root) == ["a.yaml", "d/b.yaml"]
    assert walk(root, "pipe.yaml", "socket.yaml") == []


def test_ignore_file_behind_a_link_is_not_read(tmp_path: Path) -> None:
    """As Git has it."""
    root = tree(tmp_path, "a.yaml", "rules.txt", rules="a.yaml\n")
    (root / ".gitignore").symlink_to(root / "rules")

    assert walk(root) == ["a.yaml"]


def test_folders_deeper_than_python_recurses(tmp_path: Path) -> None:
    """However deep they are, as far as the system can name them."""
    name = "d/" * 400 + "a.yaml"
    root = tree(tmp_path, name)
    before = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(len(inspect.stack()) + 100)
        assert walk(root) == [name]
    finally:
        sys.setrecursionlimit(before)


def test_reading_what_is_gone_is_a_reason(tmp_path: Path) -> None:
    """A file that can't be read is told, not raised as an operating system's error."""
    with pytest.raises(SourceError, match="can't be read") as error:
        Workspace(tmp_path).read("gone.yaml")

    assert error.value.reason == "unwritable"


@pytest.fixture
def in_folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that is the working directory."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path.resolve()
    os.chdir(before)


def test_root_is_the_nearest_with_a_mark(in_folder: Path) -> None:
    """.imageshift.yaml or .git above the paths; the nearer one wins."""
    tree(in_folder, "r/.git/x", "r/a/b/c.yaml", "r/s/.imageshift.yaml", "r/s/t/d.yaml")

    assert find_root([in_folder / "r/a/b"]) == in_folder / "r"
    assert find_root([in_folder / "r/a/b/c.yaml"]) == in_folder / "r"
    assert find_root([in_folder / "r/s/t"]) == in_folder / "r/s"
    assert find_root([in_folder / "r/s/t", in_folder / "r/a"]) == in_folder / "r"


def test_root_without_a_mark(in_folder: Path) -> None:
    """The working directory when it holds the paths, else their common parent."""
    tree(in_folder, "a/b/c.yaml", "a/d/e.yaml")

    assert find_root([Path("a/b")]) == in_folder
    assert find_root([]) == in_folder
    os.chdir(in_folder / "a/d")
    assert find_root([in_folder / "a/b"]) == in_folder / "a/b"
    assert find_root([in_folder / "a/b", in_folder / "a/d/e.yaml"]) == in_folder / "a"
    os.chdir(in_folder)


def test_root_as_given(in_folder: Path) -> None:
    """--root is taken, and the paths must lie in it."""
    tree(in_folder, "a/.git/x", "a/b/c.yaml", "d/e.yaml")

    assert find_root([Path("a/b")], Path("a/b")) == in_folder / "a/b"
    with pytest.raises(NoFilesError, match="lies outside the root"):
        find_root([Path("d")], Path("a"))
    with pytest.raises(NoFilesError, match="no such file or folder"):
        find_root([Path("nowhere")])


LINKS = {
    # where the link stands, what it leads to, the root of it; None where that is refused
    "to a file outside": ("r/l.yaml", "out/x.yaml", None),
    "to a file of another repository": ("r/l.yaml", "s/x.yaml", None),
    "to a folder outside": ("r/l", "out", None),
    "to a folder of another repository": ("r/l", "s/d", None),
    "to a file inside": ("r/l.yaml", "r/a/x.yaml", "r"),
    "to a folder inside": ("r/l", "r/a", "r"),
    "from nowhere to a file": ("l.yaml", "../elsewhere/x.yaml", None),
    "from nowhere to a file of a repository": ("l.yaml", "s/d/y.yaml", "."),
    "from nowhere to a repository": ("l", "r", "r"),
    "from nowhere to a folder of a repository": ("l", "s/d", "s"),
    "from nowhere to a folder": ("l", "../elsewhere", "../elsewhere"),
    "of a repository to another": ("r/l", "s", "s"),
}


@pytest.mark.parametrize(("link", "target", "root"), LINKS.values(), ids=LINKS)
def test_root_of_a_link(in_folder: Path, link: str, target: str, root: str | None) -> None:
    """A link that is named counts where it stands, and never leads out of its root."""
    work = in_folder / "work"
    tree(work, "r/.git/x", "r/a/x.yaml", "s/.git/x", "s/x.yaml", "s/d/y.yaml", "out/x.yaml")
    tree(in_folder / "elsewhere", "x.yaml")
    (work / link).symlink_to(os.path.relpath(work / target, (work / link).parent))
    os.chdir(work)

    if root is None:
        with pytest.raises(NoFilesError, match="is a link out of the root") as error:
            find_root([Path(link)])
        assert error.value.hint == "name the file that it points to, or a --root that contains both"
    else:
        assert find_root([Path(link)]) == (work / root).resolve()


def test_path_through_a_link_is_no_way_out(in_folder: Path) -> None:
    """A file behind a linked folder lies where it lies."""
    tree(in_folder, "r/.git/x", "out/x.yaml")
    (in_folder / "r/l").symlink_to("../out")

    with pytest.raises(NoFilesError, match=r"x\.yaml lies outside the root"):
        find_root([in_folder / "r/l/x.yaml"])


def test_names_of_paths(in_folder: Path) -> None:
    """Relative to the root, with slashes; outside it there are none."""
    workspace = Workspace(tree(in_folder / "r", "a/b.yaml"))

    assert workspace.relative(in_folder / "r/a/../a/b.yaml") == "a/b.yaml"
    assert workspace.relative(in_folder / "r") == ""
    with pytest.raises(NoFilesError, match="lies outside"):
        workspace.relative(in_folder)
