"""The planner's last look: a result that would read otherwise isn't written, nor its move."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from imageshift.plan import FilePlan, Planner
from imageshift.rewrite import Change, Kept, Move, plan_site
from imageshift.run import Run, RunOptions
from imageshift.sites import ImageSite, SkipReason
from imageshift.source import Edit

POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    "spec: {containers: [{name: a, image: nginx}]}\n"
)

Moves = dict[str, list[Move]]


class Faulty(Struct, frozen=True):
    """Decisions of which one, in bad.yaml, would make something else of the file."""

    run: Run
    broken: str
    moves: Moves

    def decided(self, site: ImageSite, file: str) -> Change | Kept | None:
        """The change of a site by itself, in the file's move; the bad one with a wrong text."""
        made = plan_site(site, self.run.mapper(file))
        assert isinstance(made, Change)
        edits = made.edits
        if file == "bad.yaml":
            edits = tuple(Edit(edit.span, self.broken) for edit in edits)
        return replace(made, edits=edits, move=next(iter(self.moves.get(file, ())), None))

    def extra(self, _file: str) -> list[Change | Kept]:
        """Nothing else."""
        return []

    def tails(self, _site: ImageSite, _file: str) -> Iterable[str]:
        """Nothing that is known."""
        return ()

    @property
    def moved_files(self) -> Iterable[str]:
        """The files with a move."""
        return self.moves


@pytest.fixture
def planned(tmp_path: Path) -> Callable[[str, Moves], dict[str, FilePlan]]:
    """Return what plans three files, given a wrong text and the moves of the files."""
    for name in ("bad", "free", "good"):
        (tmp_path / f"{name}.yaml").write_text(POD)
    options = RunOptions(account="123456789012", region="eu-west-2", root=tmp_path)
    run = Run.open([tmp_path], options)

    def plan(broken: str, moves: Moves) -> dict[str, FilePlan]:
        decisions = Faulty(run, broken, moves)
        planner = Planner(run.index, run.mapper, lambda _planner: [decisions], run.reach)
        return {made.file: made for made in planner.plans(run.files())}

    return plan


def reasons(plan: FilePlan) -> list[SkipReason | None]:
    """The reasons of what stays in a file."""
    return [result.reason for result in plan.results if isinstance(result, Kept)]


@pytest.mark.parametrize(
    "broken", ["a, name: b", "{a: b}", "a]}, x: [{", "'", "a # b", "[", "a: b"]
)
def test_text_that_reads_otherwise(
    broken: str, planned: Callable[[str, Moves], dict[str, FilePlan]]
) -> None:
    """A file whose tree would differ in more than the changed text stays, with its reason."""
    plans = planned(broken, {})

    assert reasons(plans["bad.yaml"]) == [SkipReason.STYLE]
    assert plans["bad.yaml"].before == plans["bad.yaml"].after
    assert len(plans["free.yaml"].changes) == len(plans["good.yaml"].changes) == 1


def test_move_with_a_file_that_reads_otherwise(
    planned: Callable[[str, Moves], dict[str, FilePlan]],
) -> None:
    """The other file of the move stays and names the bad one; a file beside them changes."""
    both = [Move()]
    plans = planned("a, name: b", {"bad.yaml": both, "good.yaml": both})

    assert reasons(plans["bad.yaml"]) == [SkipReason.CONFLICT]
    assert reasons(plans["good.yaml"]) == [SkipReason.CONFLICT]
    details = [result.detail for result in plans["good.yaml"].results if isinstance(result, Kept)]
    assert "bad.yaml" in str(details)
    assert plans["good.yaml"].before == plans["good.yaml"].after
    assert len(plans["free.yaml"].changes) == 1
