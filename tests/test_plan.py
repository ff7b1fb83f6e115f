"""`imageshift.plan`: files that hold together, the last look at every result, the diff."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from imageshift.errors import SourceError
from imageshift.plan import FilePlan, apply_plans, same_but_for
from imageshift.rewrite import Kept
from imageshift.run import Run, RunOptions
from imageshift.sites import SkipReason
from imageshift.source import Edit, SourceText, Span, apply_edits, split_documents

HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    "spec: {containers: [{name: a, image: nginx}]}\n"
)
ENTRY = "resources: [../base]\nimages: [{name: nginx, newTag: '9'}]\n"


def opened(root: Path, files: dict[str, str]) -> Run:
    """Return a run over a folder that holds the files."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    options = RunOptions(account="123456789012", region="eu-west-2", root=root)
    return Run.open([root], options)


def contents(root: Path) -> dict[str, str]:
    """Return the text of every file."""
    return {p.relative_to(root).as_posix(): p.read_text() for p in root.rglob("*") if p.is_file()}


MOVE = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
    "loose.yaml": POD,
    "prod/kustomization.yaml": ENTRY,
}


def test_files_of_a_move_are_written_together(tmp_path: Path) -> None:
    """A base and the entry that matches it both change."""
    run = opened(tmp_path, MOVE)

    done = list(apply_plans(run.workspace, run.plans()))

    assert all(plan.changes for plan in done)
    assert f"image: {HOST}/docker-hub/library/nginx}}" in contents(tmp_path)["base/pod.yaml"]
    assert (
        f"name: {HOST}/docker-hub/library/nginx," in contents(tmp_path)["prod/kustomization.yaml"]
    )


@pytest.mark.parametrize("changed", ["base/pod.yaml", "prod/kustomization.yaml"])
def test_none_of_a_move_is_written_when_one_cannot_be(tmp_path: Path, changed: str) -> None:
    """The other file of the move stays too; files beside it are written."""
    run = opened(tmp_path, MOVE)
    plans = list(run.plans())
    (tmp_path / changed).write_text("# theirs\n")

    done = {plan.file: plan for plan in apply_plans(run.workspace, plans)}

    assert contents(tmp_path) == MOVE | {
        changed: "# theirs\n",
        "loose.yaml": POD.replace("nginx", f"{HOST}/docker-hub/library/nginx"),
    }
    for file in ("base/pod.yaml", "prod/kustomization.yaml"):
        reasons = {result.reason for result in done[file].results if isinstance(result, Kept)}
        assert (reasons, done[file].changes) == ({SkipReason.CHANGED}, ())
        assert done[file].before == done[file].after


def test_plans_come_in_path_order_and_once(tmp_path: Path) -> None:
    """Written or not."""
    run = opened(tmp_path, MOVE)

    planned = [plan.file for plan in run.plans()]
    done = sorted(plan.file for plan in apply_plans(run.workspace, run.plans()))

    assert planned == sorted(planned) == done


def test_files_that_hold_nothing_have_no_plan(tmp_path: Path) -> None:
    """So that a run over many files stays small."""
    run = opened(tmp_path, {"a.yaml": "a: b\n", "b.yaml": POD, "c.yaml": "kind: Pod\nimage: [\n"})

    assert [(plan.file, len(plan.skips)) for plan in run.plans()] == [("b.yaml", 0), ("c.yaml", 1)]


def test_interruption_while_writing_leaves_files_whole(tmp_path: Path) -> None:
    """Ctrl-C between two files: each is as before or as planned."""
    run = opened(tmp_path, {f"{name}.yaml": POD for name in "abc"})

    def plans() -> Iterator[FilePlan]:
        for plan in run.plans():
            yield plan
            if plan.file == "b.yaml":
                raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        list(apply_plans(run.workspace, plans()))

    moved = POD.replace("nginx", f"{HOST}/docker-hub/library/nginx")
    assert contents(tmp_path) == {"a.yaml": moved, "b.yaml": moved, "c.yaml": POD}


def alike(before: str, *edits: tuple[int, int, str]) -> bool:
    """Whether a text with edits passes the last look."""
    source = SourceText(before)
    documents = [doc for chunk in split_documents(source) for doc in chunk.documents()]
    made = [Edit(Span(start, end), text) for start, end, text in edits]
    return same_but_for(source, documents, apply_edits(before, made), made)


GOOD = {
    "a value": ("image: nginx\n", (7, 12, "a/nginx")),
    "a value in flow": ("{image: nginx, a: b}\n", (8, 13, "a/nginx")),
    "a new key": ("a: b\nc: d\n", (5, 5, "x: y\n")),
    "a new item": ("- a\n- b\n", (4, 4, "- x\n")),
    "in one of two documents": ("a: nginx\n---\nb: c\n", (3, 8, "x")),
    "nothing": ("a: b\n",),
}
BAD = {
    "a key appears": ("image: nginx\nb: c\n", (7, 12, "x\nz: y")),
    "a quote is broken": ("image: 'nginx'\n", (8, 13, "it's")),
    "a flow map is cut": ("{image: nginx, a: b}\n", (8, 13, "x}")),
    "a document appears": ("a: nginx\n", (3, 8, "x\n---\nb: c")),
    "a key is lost": ("a: b\nimage: nginx\n", (0, 5, "")),
}


@pytest.mark.parametrize("case", GOOD.values(), ids=GOOD)
def test_results_that_read_as_planned(case: tuple[str, *tuple[tuple[int, int, str], ...]]) -> None:
    """Only edited values differ, or keys and items are added."""
    assert alike(*case)


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_results_that_do_not(case: tuple[str, *tuple[tuple[int, int, str], ...]]) -> None:
    """What an edit must never do is seen before anything is written."""
    try:
        passed = alike(*case)
    except SourceError:
        passed = False
    assert not passed


def plan_of(root: Path, text: bytes) -> FilePlan:
    """Return the plan of one file."""
    run = opened(root, {})
    (root / "a.yaml").write_bytes(text)
    (plan,) = run.plans()
    return plan


def test_diff_keeps_line_ends(tmp_path: Path) -> None:
    """Carriage returns stand in the diff as they do in the file."""
    plan = plan_of(tmp_path, POD.replace("\n", "\r\n").encode())

    assert "-spec: {containers: [{name: a, image: nginx}]}\r\n" in plan.diff()
    assert plan.diff("x/b.yaml").startswith("--- a/x/b.yaml\n+++ b/x/b.yaml\n")


def test_diff_of_nothing_is_empty(tmp_path: Path) -> None:
    """A file that stays has no diff."""
    plan = plan_of(tmp_path, POD.replace("nginx", "gcr.io/a/b").encode())

    assert (plan.diff(), plan.changes, plan.moves) == ("", (), frozenset())


@pytest.mark.parametrize(
    ("text", "start", "end", "passes"),
    [
        pytest.param("a: b\nimage: nginx\nc: d\n", 4, 17, True, id="a key"),
        pytest.param("- a\n- b: 1\n  c: 2\n- d\n", 3, 17, True, id="an item"),
        pytest.param("- a\n- b: 1\n  c: 2\n- d\n", 3, 10, False, id="half an item"),
        pytest.param("a: b\nc: d\ne: f\n", 3, 9, False, id="a value and the key behind it"),
    ],
)
def test_what_is_meant_to_go_is_gone_as_a_whole(
    *, text: str, start: int, end: int, passes: bool
) -> None:
    """An edit that removes keys or items may take whole ones, and nothing else."""
    source = SourceText(text)
    documents = [doc for chunk in split_documents(source) for doc in chunk.documents()]
    made = [Edit(Span(start, end), "", removes=True)]
    try:
        passed = same_but_for(source, documents, apply_edits(text, made), made)
    except SourceError:
        passed = False

    assert passed is passes
