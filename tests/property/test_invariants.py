"""What must always hold (design, "What must always hold"), over generated repositories."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from imageshift.errors import SourceError
from imageshift.plan import FilePlan, apply_plans
from imageshift.rewrite import Change, Status
from imageshift.run import Run, RunOptions
from imageshift.source import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    SourceText,
    apply_edits,
    split_documents,
)

from .tree_strategies import trees

pytestmark = pytest.mark.property
slow = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
Tree = dict[str, bytes]


@contextmanager
def written(tree: Tree) -> Iterator[Path]:
    """Return a folder that holds the files."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for file, content in tree.items():
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_bytes(content)
        yield root.resolve()


def read(root: Path) -> Tree:
    """Return the bytes of every file below a folder."""
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def opened(root: Path, *, backward: bool = False) -> Run:
    """Return a run over the whole folder."""
    options = RunOptions(account="123456789012", region="eu-west-2", root=root, backward=backward)
    return Run.open([root], options)


def plans(root: Path, *, backward: bool = False) -> list[FilePlan]:
    """Return what becomes of every file, without writing."""
    return list(opened(root, backward=backward).plans())


def move(root: Path, *, backward: bool = False) -> list[FilePlan]:
    """Write what becomes of every file."""
    run = opened(root, backward=backward)
    return list(apply_plans(run.workspace, run.plans()))


def normal(tree: Tree) -> Tree:
    """Return the files under the names that a walk gives them."""
    return {re.sub(r"^\./", "", name): content for name, content in tree.items()}


def trees_of(content: bytes) -> list[Node | str | None]:
    """Return the tree of every document of a file, and the text of those that can't be read."""
    found: list[Node | str | None] = []
    for chunk in split_documents(SourceText.decode(content)):
        try:
            found += [document.root for document in chunk.documents()]
        except SourceError:
            found.append(chunk.text)
    return found


def differences(old: Node | str | None, new: Node | str | None) -> Iterator[tuple[object, object]]:
    """Yield the values that differ, place by place; a new key or entry comes with None."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from in_mappings(old, new)
    elif isinstance(old, Sequence) and isinstance(new, Sequence):
        for one, other in zip(old.items, new.items, strict=False):
            yield from differences(one, other)
        for entry in new.items[len(old.items) :]:
            assert isinstance(entry, Mapping)
            key, value = entry.own[0]
            assert isinstance(key, Scalar)
            assert isinstance(value, Scalar)
            yield None, f"{key.value}: {value.value}"
        assert len(new.items) >= len(old.items)
    elif isinstance(old, Scalar) and isinstance(new, Scalar):
        if old.value != new.value:
            yield old.value, new.value
    else:
        assert old == new


def in_mappings(old: Mapping, new: Mapping) -> Iterator[tuple[object, object]]:
    """Yield what differs in the values of two mappings, whose old keys stand in the same order."""
    rest = list(old.own)
    for key, value in new.own:
        if rest and not list(differences(rest[0][0], key)):
            yield from differences(rest.pop(0)[1], value)
        else:
            assert isinstance(key, Scalar)
            assert isinstance(value, Scalar)
            yield None, f"{key.value}: {value.value}"
    assert not rest


@slow
@given(trees())
def test_outside_the_edits_all_is_the_same(tree: Tree) -> None:
    """No edits, identical bytes; else the bytes are those of before with the edits laid in."""
    with written(tree) as root:
        for plan in plans(root):
            edits = [edit for change in plan.changes for edit in change.edits]
            before = plan.scan.source.text
            after = plan.after.decode() if edits else ""
            assert (plan.after != plan.before) is bool(edits)
            assert not edits or after == apply_edits(before, edits)
            for edit in edits:
                assert len(before[edit.span.start : edit.span.end].splitlines()) <= 1


@slow
@given(trees())
def test_result_reads_as_the_same_tree(tree: Tree) -> None:
    """Only values of images differ, all stand where they stood, and what is new names the cache."""
    with written(tree) as root:
        for plan in plans(root):
            before, after = trees_of(plan.before), trees_of(plan.after)
            found = [d for pair in zip(before, after, strict=True) for d in differences(*pair)]
            added = [text for value, text in found if value is None]
            assert len(found) <= 2 * len(plan.changes)
            assert all(re.match(f"(newName|name): {HOST}/", str(text)) for text in added)


@slow
@given(trees())
def test_second_run_changes_nothing(tree: Tree) -> None:
    """What has moved stays, and no file is written again."""
    with written(tree) as root:
        move(root)
        content = read(root)
        times = {path: path.stat().st_mtime_ns for path in root.rglob("*")}

        again = move(root)

        assert all(plan.before == plan.after for plan in again)
        assert not any(result.status is Status.REWRITE for p in again for result in p.results)
        assert read(root) == content
        assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times


@slow
@given(trees(cached=False))
def test_revert_of_all_undoes_what_rules_can(tree: Tree) -> None:
    """Every reference comes back to the image that it named, and moves to the same place again."""
    with written(tree) as root:
        move(root)
        moved = read(root)
        names = upstreams(root, backward=True)

        move(root, backward=True)
        reverted = read(root)

        assert upstreams(root) == names
        move(root)
        assert read(root) == moved
        assert {name for name in reverted if reverted[name] != normal(tree)[name]} <= {
            name for name in moved if moved[name] != normal(tree)[name]
        }


def upstreams(root: Path, *, backward: bool = False) -> list[tuple[str, int, str]]:
    """Return place and upstream of every image that may move."""
    return sorted(
        (plan.file, result.site.place.line, _upstream(result, backward=backward))
        for plan in plans(root, backward=backward)
        for result in plan.results
        if isinstance(result, Change)
    )


def _upstream(change: Change, *, backward: bool) -> str:
    return (change.after if backward else change.before).normalized


@slow
@given(trees())
def test_one_bad_file_never_stops_the_others(tree: Tree) -> None:
    """A file that is no UTF-8 and one that is no YAML change nothing for the rest."""
    bad = {"bad/a.yaml": b"kind: Pod\nimage: \xff\n", "bad/b.yaml": b"kind: Pod\nimage: [\n"}
    with written(tree) as root:
        move(root)
        alone = read(root)
    with written(tree | bad) as root:
        move(root)

        assert read(root) == alone | bad


@slow
@given(trees())
def test_what_changed_meanwhile_is_not_overwritten(tree: Tree) -> None:
    """Content that another program writes between plan and write stays, with a reason."""
    with written(tree) as root:
        run = opened(root)
        planned = list(run.plans())
        for plan in planned:
            (root / plan.file).write_bytes(b"# theirs\n")

        done = list(apply_plans(run.workspace, planned))

        assert all((root / plan.file).read_bytes() == b"# theirs\n" for plan in planned)
        assert not any(plan.changes for plan in done)


@slow
@given(trees())
def test_diff_is_the_change(tree: Tree) -> None:
    """The lines that the unified diff takes and gives are those that differ."""
    with written(tree) as root:
        for plan in plans(root):
            lines = plan.diff().split("\n")
            taken = [line[1:] for line in lines if re.match(r"-(?!--)", line)]
            given_ = [line[1:] for line in lines if re.match(r"\+(?!\+\+)", line)]
            old, new = plan.before.decode("utf-8", "replace"), plan.after.decode("utf-8", "replace")
            assert bool(lines != [""]) is (old != new)
            assert all(line in old.split("\n") for line in taken)
            assert all(line in new.split("\n") for line in given_)
