"""Repositories are read without obeying them, whatever their settings and trees hold."""

import errno
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree
from imageshift.errors import ConfigError, ToolError
from imageshift.git import Repository, Revision, remotes
from imageshift.tool import Limits

pytestmark = pytest.mark.once

POD = "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: {containers: [{image: IMAGE}]}\n"
OLD = POD.replace("IMAGE", "ghcr.io/org/app:1")
NEW = POD.replace("IMAGE", f"{HOST}/github/org/app:1")
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    """Run Git with an identity, and return what it prints."""
    command = ["git", *IDENTITY, "-c", "protocol.file.allow=always", *words]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, input=stdin)
    return done.stdout.decode().strip()


def committed(folder: Path, files: dict[str, str | bytes], *options: str) -> Path:
    """Return a repository with one commit of some files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tree(folder, files)
    git(folder, "init", "-q", "-b", "main", *options)
    git(folder, "add", "-f", ".")
    git(folder, "commit", "-q", "-m", "x")
    return folder


def extracted(folder: Path, target: Path, revision: str = "HEAD") -> dict[str, bytes]:
    """Return the files of a revision."""
    target.mkdir()
    Revision.find(folder, revision).extract(target)
    return read_tree(target, leave_out=())


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """Return a program that leaves a trace, `ran`, beside it."""
    program = tmp_path / "canary"
    program.write_text(f"#!/bin/sh\necho $0 $@ >> {tmp_path}/ran\ncat\n")
    program.chmod(0o755)
    return program


def _filter(repository: Path, canary: Path) -> None:
    (repository / ".gitattributes").write_text("*.yaml filter=f\n")
    git(repository, "add", ".gitattributes")
    git(repository, "commit", "-q", "-m", "y")
    for name in ("smudge", "clean", "process"):
        git(repository, "config", f"filter.f.{name}", str(canary))


def _info_attributes(repository: Path, canary: Path) -> None:
    (repository / ".git/info").mkdir(exist_ok=True)
    (repository / ".git/info/attributes").write_text("* filter=f diff=d merge=m\n")
    git(repository, "config", "filter.f.smudge", str(canary))
    git(repository, "config", "diff.d.textconv", str(canary))
    git(repository, "config", "diff.d.command", str(canary))


def _hooks(repository: Path, canary: Path) -> None:
    for name in (
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "fsmonitor-watchman",
    ):
        hook = repository / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(canary.read_text())
        hook.chmod(0o755)
    git(repository, "config", "core.hooksPath", str(repository / ".git/hooks"))


def _settings(**settings: str) -> Callable[[Path, Path], None]:
    def write(repository: Path, canary: Path) -> None:
        for name, value in settings.items():
            key = name.replace("__", ".").replace("_", "-")
            git(repository, "config", key, value.replace("CANARY", str(canary)))

    return write


def _promisor(repository: Path, canary: Path) -> None:
    _settings(
        remote__origin__url=f"ext::{canary}",
        remote__origin__promisor="true",
        extensions__partialClone="origin",
        core__repositoryformatversion="1",
        protocol__ext__allow="always",
        protocol__allow="always",
    )(repository, canary)
    blob = git(repository, "rev-parse", "HEAD:more.yaml")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()


def _include(repository: Path, canary: Path) -> None:
    (repository / "more.config").write_text(f'[core]\n\tfsmonitor = "{canary}"\n')
    git(repository, "config", "include.path", "../more.config")


HOSTILE = {
    "a filter in .gitattributes": _filter,
    "a filter in info/attributes": _info_attributes,
    "hooks": _hooks,
    "fsmonitor": _settings(core__fsmonitor="CANARY"),
    "an included file": _include,
    "a missing object from a promisor": _promisor,
    "programs for everything": _settings(
        core__sshCommand="CANARY",
        core__pager="CANARY",
        core__editor="CANARY",
        core__askPass="CANARY",
        core__gitProxy="CANARY",
        core__alternateRefsCommand="CANARY",
        diff__external="CANARY",
        gpg__program="CANARY",
        credential__helper="!CANARY",
        uploadpack__packObjectsHook="CANARY",
        tar__tar__command="CANARY",
    ),
    "aliases": _settings(
        **{f"alias__{name}": "!CANARY" for name in ("rev_parse", "ls_tree", "cat_file", "show")}
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("command", ["verify", "revert"])
@pytest.mark.kustomize
def test_a_repository_runs_nothing(name: str, command: str, tmp_path: Path, canary: Path) -> None:
    """No setting, hook or attribute of a repository starts a program under --base."""
    root = committed(tmp_path / "r", {"a.yaml": OLD, "more.yaml": "a: b\n"})
    HOSTILE[name](root, canary)
    (root / "a.yaml").write_text(NEW)

    done = run(root, command, ".", *REGISTRY, "--base", "HEAD")

    assert not (tmp_path / "ran").exists(), (tmp_path / "ran").read_text()
    expected = 4 if name == "a missing object from a promisor" else 0
    assert done.code == expected, done.stderr
    if command == "revert" and not expected:
        assert (root / "a.yaml").read_text() == OLD


@pytest.mark.parametrize("command", ["verify", "revert"])
def test_a_bare_repository_in_the_tree_is_none(command: str, tmp_path: Path, canary: Path) -> None:
    """A folder that looks like a Git directory isn't taken for one, and its filter never runs."""
    source = committed(tmp_path / "source", {"a.yaml": OLD})
    tree = tmp_path / "tree"
    git(tmp_path, "clone", "-q", "--bare", str(source), str(tree / "bare"))
    git(tree / "bare", "config", "filter.f.smudge", str(canary))
    write_tree(tree / "bare", {"info/attributes": "* filter=f\n", "a.yaml": NEW})
    write_tree(tree / "bare", {".imageshift.yaml": "account: '123456789012'\n"})

    alone = run(tree, command, "bare", *REGISTRY, "--base", "HEAD")
    committed(tree, {"b.yaml": OLD})
    inside = run(tree, command, "bare", *REGISTRY, "--base", "HEAD")

    assert not (tmp_path / "ran").exists()
    assert alone.code == 2, alone.stderr
    assert "neither a folder nor a Git revision" in alone.stderr
    assert inside.code in {0, 1}, inside.stderr


@pytest.mark.parametrize(
    "revision",
    ["--output=x", "-h", "", "HEAD~99", "HEAD^{tree}", "HEAD:a.yaml", "HEAD..main", "a\nb", "a\0b"],
)
def test_what_is_no_revision(revision: str, tmp_path: Path) -> None:
    """It is said, and never taken for an option."""
    root = committed(tmp_path / "r", {"a.yaml": OLD})

    with pytest.raises(ConfigError, match="neither a folder nor a Git revision"):
        Revision.find(root, revision)


def test_files_come_as_they_are_stored(tmp_path: Path) -> None:
    """No attribute changes, adds or leaves out a file, and no mode is kept."""
    files: dict[str, str | bytes] = {
        ".gitattributes": "* text eol=crlf export-subst ident\ngone.yaml export-ignore\n",
        "a.yaml": "a: $Format:%H$ $Id$\n",
        "gone.yaml": "b: c\n",
        "binary": bytes(range(256)) * 300,
        "deep/er/c.yaml": "",
        "name with\nlines": "x",
    }
    root = committed(tmp_path / "r", files)
    (root / "a.yaml").chmod(0o777)
    git(root, "commit", "-q", "-a", "-m", "mode")

    found = extracted(root, tmp_path / "out")

    stored = {name: subprocess.check_output(["git", "cat-file", "blob", f"HEAD:{name}"], cwd=root)
              for name in files}  # fmt: skip
    assert found == stored
    assert b"$Format:%H$" in found["a.yaml"]
    assert stat.S_IMODE((tmp_path / "out/a.yaml").stat().st_mode) & 0o111 == 0


def test_links_and_submodules(tmp_path: Path) -> None:
    """Links stay where they lead to something of the revision; submodules are left out."""
    (tmp_path / "secret").write_text("planted")
    other = committed(tmp_path / "other", {"x.yaml": "a: b\n"})
    root = tmp_path / "r"
    write_tree(root, {"sub/a.yaml": OLD})
    links = {
        "inside": "sub/a.yaml",
        "folder": "sub",
        "absolute": str(tmp_path / "secret"),
        "above": "../secret",
        "round": "folder/../../secret",
        "itself": "itself",
        "device": "/dev/zero",
    }
    for name, destination in links.items():
        (root / name).symlink_to(destination)
    committed(root, {})
    git(root, "submodule", "add", "-q", str(other), "module")
    git(root, "commit", "-q", "-m", "y")
    target = tmp_path / "out"
    target.mkdir()
    Revision.find(root, "HEAD").extract(target)

    kept = {path.name for path in target.iterdir() if path.is_symlink()}
    assert kept - {"itself"} == {"inside", "folder"}
    assert (target / "inside").read_text() == OLD
    assert not (target / "module").exists()


def _tree(root: Path, entries: list[tuple[bytes, bytes]], content: bytes = b"planted") -> str:
    blob = bytes.fromhex(git(root, "hash-object", "-w", "--stdin", stdin=content))
    raw = b"".join(mode + b" " + name + b"\0" + blob for mode, name in entries)
    words = ("hash-object", "-t", "tree", "-w", "--literally", "--stdin")
    return git(root, "commit-tree", git(root, *words, stdin=raw), "-m", "z")


def test_names_that_lead_out(tmp_path: Path) -> None:
    """Names that no proper tree has are passed over, and nothing is written outside."""
    root = committed(tmp_path / "r", {"a.yaml": OLD})
    file = b"100644"
    names = [b"..", b"../up", b"/abs", b".", b".git", b".GIT", b"a/../../b", b"x//y", b"n" * 300]
    commit = _tree(root, [*((file, name) for name in names), (file, b"good"), (file, b"GOOD")])
    link = _tree(root, [(b"120000", b"d"), (file, b"d/x"), (file, b"e"), (file, b"e/x")])

    assert set(extracted(root, tmp_path / "one", commit)) == {
        "good",
        "GOOD",
    }
    assert "planted" not in extracted(root, tmp_path / "two", link)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "r", "two"]


def test_nothing_is_made_behind_a_link(tmp_path: Path) -> None:
    """Not where a name is a link out of the folder and, a second time, a folder with a link."""
    root, outside = committed(tmp_path / "r", {"a.yaml": OLD}), tmp_path / "outside"
    outside.mkdir()
    link = b"120000"
    commit = _tree(root, [(link, b"d"), (link, b"d/x")], os.fsencode(outside))

    extracted(root, tmp_path / "out", commit)

    assert list(outside.iterdir()) == []


def test_a_tree_that_unfolds_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few objects that stand for a thousand million files reach a limit."""
    monkeypatch.setattr("imageshift.git._LIMITS", Limits(seconds=60, output=8 << 20))
    root = committed(tmp_path / "r", {"a.yaml": OLD})
    inner = git(root, "rev-parse", "HEAD^{tree}")
    for _ in range(9):
        lines = "".join(f"040000 tree {inner}\t{'n' * 40}{n}\n" for n in range(10))
        inner = git(root, "mktree", stdin=lines.encode())
    commit = git(root, "commit-tree", inner, "-m", "bomb")

    with pytest.raises(ToolError):
        extracted(root, tmp_path / "out", commit)


def test_work_trees_and_submodules_have_a_repository(tmp_path: Path) -> None:
    """A `.git` file counts where the place that it names belongs to the folder."""
    root = committed(tmp_path / "r", {"sub/a.yaml": OLD})
    git(root, "worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    (tmp_path / "tree/b.yaml").write_text(NEW)
    git(tmp_path / "tree", "add", ".")
    git(tmp_path / "tree", "commit", "-q", "-m", "y")
    outer = committed(tmp_path / "outer", {"o.yaml": "a: b\n"})
    for name in ("module", "worktrees/module"):
        git(outer, "submodule", "add", "-q", str(root), name)

    assert set(extracted(tmp_path / "tree", tmp_path / "1")) == {"sub/a.yaml", "b.yaml"}
    assert set(extracted(tmp_path / "tree", tmp_path / "2", "HEAD~1")) == {"sub/a.yaml"}
    assert set(extracted(tmp_path / "tree/sub", tmp_path / "3")) == {"a.yaml"}
    assert set(extracted(outer / "module", tmp_path / "4")) == {"sub/a.yaml"}
    assert set(extracted(outer / "worktrees/module", tmp_path / "5")) == {"sub/a.yaml"}
    assert remotes(outer / "module") == (str(root),)


def _file_to(tree: Path, private: Path) -> None:
    (tree / ".git").write_text(f"gitdir: {private}/.git\n")


def _link_to(tree: Path, private: Path) -> None:
    (tree / ".git").symlink_to(private / ".git")


def _false_work_tree(tree: Path, private: Path) -> None:
    own = tree / "meta/worktrees/x"
    own.mkdir(parents=True)
    (own / "gitdir").write_text(f"{tree}/.git\n")
    (own / "commondir").write_text(f"{private}/.git\n")
    (own / "HEAD").write_text("ref: refs/heads/main\n")
    (tree / ".git").write_text("gitdir: meta/worktrees/x\n")


def _linked_parts(tree: Path, private: Path) -> None:
    (tree / ".git").mkdir()
    (tree / ".git/HEAD").write_text("ref: refs/heads/main\n")
    (tree / ".git/objects").symlink_to(private / ".git/objects")
    (tree / ".git/refs").mkdir()
    (tree / ".git/refs/heads").symlink_to(private / ".git/refs/heads")


def _piped_parts(tree: Path, _private: Path) -> None:
    committed(tree, {"a.yaml": OLD})
    (tree / ".git/refs/heads/main").unlink()
    os.mkfifo(tree / ".git/refs/heads/main")


@pytest.mark.parametrize(
    "make", [_file_to, _link_to, _false_work_tree, _linked_parts, _piped_parts]
)
def test_a_tree_cannot_choose_another_repository(
    make: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    """What leads to a repository that knows nothing of the tree gives none of its files."""
    private = committed(tmp_path / "private", {"secret.yaml": "planted\n"})
    tree = tmp_path / "tree"
    tree.mkdir()
    make(tree, private)

    assert Repository.holding(tree) is None
    with pytest.raises(ConfigError):
        Revision.find(tree, "HEAD")


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"])
def test_the_environment_chooses_no_repository(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables that a hook of Git sets don't lead to another repository."""
    root = committed(tmp_path / "r", {"a.yaml": OLD})
    other = committed(tmp_path / "other", {"b.yaml": OLD})
    monkeypatch.setenv(variable, str(other / ".git"))

    assert set(extracted(root, tmp_path / "out")) == {"a.yaml"}


def test_other_hashes_and_packs(tmp_path: Path) -> None:
    """Repositories by SHA-256, packed references and packed objects are read."""
    root = committed(tmp_path / "r", {"a.yaml": OLD}, "--object-format=sha256")
    git(root, "tag", "v1")
    git(root, "gc", "-q")
    git(root, "pack-refs", "--all")

    assert set(extracted(root, tmp_path / "out", "v1")) == {"a.yaml"}


def test_revisions_that_users_write(tmp_path: Path) -> None:
    """Branches, tags, abbreviations, ancestors, times and searches lead to a commit."""
    root = committed(tmp_path / "r", {"a.yaml": OLD})
    (root / "b.yaml").write_text(NEW)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "second commit")
    git(root, "tag", "-a", "v1", "-m", "t")
    head = git(root, "rev-parse", "HEAD")

    for text in ("HEAD", "main", "v1", head[:9], "@", "HEAD^{/second}", "main@{0}", "HEAD^0"):
        assert Revision.find(root, text).commit == head, text
    assert Revision.find(root, "HEAD~1").commit == git(root, "rev-parse", "HEAD~1")


def test_remotes_of_a_configuration(tmp_path: Path) -> None:
    """Only URLs of remotes count, whatever else has one."""
    root = committed(tmp_path / "r", {"a.yaml": OLD})
    (root / ".git/config").write_text(
        '[submodule "x"]\n\turl = no\n[remote "origin"]\n\tURL = https://h.example/a.git\n'
        '[Remote "b"] # x\n url="git@h.example:b.git"\n[url "x"]\n insteadOf = y\n'
    )

    assert remotes(root) == ("https://h.example/a.git", "git@h.example:b.git")
    (root / ".git/config").unlink()
    os.mkfifo(root / ".git/config")
    assert remotes(root) == ()


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that can't be written is an error of the whole, not a file that is missing."""
    root = committed(tmp_path / "r", {"a.yaml": OLD})

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "out"
    target.mkdir()
    found = Revision.find(root, "HEAD")
    write = Path.write_bytes
    monkeypatch.setattr(
        Path, "write_bytes", lambda p, d: (full if target in p.parents else write)(p, d)
    )
    with pytest.raises(ToolError, match="No space left on device"):
        found.extract(target)
