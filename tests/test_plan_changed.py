"""A file that changed since it was decided on isn't written, nor anything of its move."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from command_line import ACCOUNT, read_tree, write_tree
from imageshift import Change, Kept, RunOptions, SkipReason, plan_migration
from imageshift.errors import ChangedError
from imageshift.repo.workspace import Workspace

POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    "spec: {containers: [{name: a, image: nginx}]}\n"
)
MOVE: dict[str, str | bytes] = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
    "loose.yaml": POD,
    "prod/kustomization.yaml": "resources: [../base]\nimages: [{name: nginx, newTag: '9'}]\n",
    "test/kustomization.yaml": "resources: [../base]\nimages: [{name: nginx, newTag: '8'}]\n",
}
MOVED = ("base/pod.yaml", "prod/kustomization.yaml", "test/kustomization.yaml")
OPTIONS = RunOptions(account=ACCOUNT, region="eu-west-2", charts="off")
# In front, so that every place behind it is another one.
MARK = b"# theirs\n"


@contextmanager
def at_reading(number: int, act: Callable[[], None]) -> Iterator[list[str]]:
    """Let something happen right after the n-th reading of a run; 0 is each of them."""
    real, seen = Workspace.read, list[str]()

    def read(self: Workspace, name: str) -> bytes:
        content = real(self, name)
        seen.append(name)
        if number in {0, len(seen)}:
            act()
        return content

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Workspace, "read", read)
        yield seen


def edit(path: Path) -> None:
    """Put a line in front of a file, as somebody else does."""
    path.write_bytes(MARK + path.read_bytes())


def outcomes(tmp_path: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the tree as it is before and after an undisturbed run."""
    write_tree(tmp_path / "undisturbed", MOVE)
    old = read_tree(tmp_path / "undisturbed")
    plan_migration([tmp_path / "undisturbed"], root_of(tmp_path / "undisturbed")).apply()
    return old, read_tree(tmp_path / "undisturbed")


def root_of(root: Path) -> RunOptions:
    """Return the options of a run over a tree."""
    return RunOptions(account=ACCOUNT, region="eu-west-2", charts="off", root=root)


@pytest.mark.parametrize("name", MOVED)
def test_edit_after_any_reading(tmp_path: Path, name: str) -> None:
    """The move is made as a whole, of the file as it is now, or not at all; the rest is done."""
    old, new = outcomes(tmp_path)
    number, seen, results = 0, ["all"], set()
    while number < len(seen):
        number += 1
        tree = tmp_path / str(number)
        write_tree(tree, MOVE)
        with at_reading(number, partial(edit, tree / name)) as seen:
            made = plan_migration([tree], root_of(tree)).apply()

        moved = read_tree(tree)[MOVED[0]].endswith(new[MOVED[0]])
        like = new if moved else old | {"loose.yaml": new["loose.yaml"]}
        assert read_tree(tree) == like | {name: MARK + like[name]}, (number, seen[number - 1])
        refused = {plan.file for plan in made if plan.refused or plan.skips}
        assert moved or name in refused, number
        results.add(moved)
    assert results == {True, False}


def test_file_that_never_stands_still(tmp_path: Path) -> None:
    """It is named, and nothing is written of what it could decide over."""
    write_tree(tmp_path, MOVE)
    name = "prod/kustomization.yaml"

    with (
        at_reading(0, partial(edit, tmp_path / name)),
        pytest.raises(ChangedError, match=f"{name}: changed while it was read"),
    ):
        plan_migration([tmp_path], root_of(tmp_path)).apply()

    before = {file: str(content).encode() for file, content in MOVE.items()}
    assert read_tree(tmp_path) == before | {name: (tmp_path / name).read_bytes()}


def test_apply_returns_what_it_could_not_write(tmp_path: Path) -> None:
    """The file that changed, and those that hold only together with it, each with the reason."""
    write_tree(tmp_path, MOVE)
    plan = plan_migration([tmp_path], root_of(tmp_path))
    assert {file.file for file in plan if file.changes} == {*MOVED, "loose.yaml"}
    edit(tmp_path / "prod" / "kustomization.yaml")

    made = {file.file: file for file in plan.apply()}

    assert set(made) == {*MOVED, "loose.yaml"}
    for name in MOVED:
        reasons = {result.reason for result in made[name].results if isinstance(result, Kept)}
        skips = {skip.reason for skip in made[name].skips}
        assert reasons | skips >= {SkipReason.CHANGED}, name
        assert not made[name].changes
    assert [type(result) for result in made["loose.yaml"].results] == [Change]


def test_plan_after_apply_is_that_of_the_files_now(tmp_path: Path) -> None:
    """What was refused can be tried again with the same plan."""
    write_tree(tmp_path, MOVE)
    plan = plan_migration([tmp_path], root_of(tmp_path))
    list(plan)
    edit(tmp_path / "prod" / "kustomization.yaml")
    plan.apply()

    assert {file.file for file in plan.apply() if file.changes} == set(MOVED)
    assert plan.apply() == []
    assert not [file for file in plan if file.changes]


def test_workspace_reads_the_same_or_says_so(tmp_path: Path) -> None:
    """The first reading counts until the run itself writes, or begins afresh."""
    workspace = Workspace(tmp_path)
    (tmp_path / "a").write_bytes(b"1")
    assert workspace.read("a") == workspace.read("a") == b"1"
    (tmp_path / "a").write_bytes(b"2")

    with pytest.raises(ChangedError, match="a: changed while it was read"):
        workspace.read("a")

    workspace.pin("a", b"2")
    assert workspace.read("a") == b"2"
    (tmp_path / "a").write_bytes(b"3")
    workspace.forget()
    assert workspace.read("a") == b"3"
