"""Every case of tests/fixtures/verify, through the command, real kustomize and real Helm."""

import json
from pathlib import Path
from typing import Any

import pytest
from verify_cases import CASES, HOST, Case, difference_lines, render_lines, run

pytestmark = pytest.mark.kustomize


def _cases(*, helm: bool) -> list[str]:
    return [name for name in CASES if Case(name).facts.get("helm", False) is helm]


def _check(name: str, folder: Path) -> None:
    case = Case(name)
    facts = case.facts
    before, after = case.trees(folder)

    done = run(after, "--base", str(before), "--format", "json")

    assert done.code == facts["exit"], done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    shown = render_lines(report, unchanged=facts.get("unchanged", False))
    assert sorted(shown) == sorted(facts["renders"])
    assert difference_lines(report) == sorted(facts.get("differences", []))
    problems = [row["place"] + ": " + row["message"] for row in report["problems"]]
    assert len(problems) == len(facts.get("problems", []))
    for problem, start in zip(problems, facts.get("problems", []), strict=True):
        assert start in problem


@pytest.mark.parametrize("name", _cases(helm=False))
def test_kustomizations_and_files(name: str, tmp_path: Path) -> None:
    """The exit code, the renders, the differences and the problems are those of case.toml."""
    _check(name, tmp_path)


@pytest.mark.helm
@pytest.mark.parametrize("name", _cases(helm=True))
def test_releases(name: str, tmp_path: Path) -> None:
    """The same for releases, rendered by real Helm and post-rendered by real kustomize."""
    _check(name, tmp_path)


@pytest.mark.helm
@pytest.mark.parametrize("name", [n for n in CASES if {"says", "hides"} & Case(n).facts.keys()])
def test_text_report_shows_what_is_wrong(name: str, tmp_path: Path) -> None:
    """The report for people says why it fails, and shows only what isn't explained."""
    facts = Case(name).facts
    before, after = Case(name).trees(tmp_path)

    done = run(after, "--base", str(before))

    assert [text for text in facts.get("says", []) if text not in done.stdout] == []
    assert [text for text in facts.get("hides", []) if text in done.stdout] == []


@pytest.mark.helm
@pytest.mark.parametrize("name", CASES)
def test_trees_are_left_alone(name: str, tmp_path: Path) -> None:
    """Verify writes nothing into either tree, and a tree is equal to itself."""
    before, _ = Case(name).trees(tmp_path)
    files = {path: path.read_bytes() for path in before.rglob("*") if path.is_file()}

    done = run(before, "--base", str(before))

    assert done.code in {0, 4}, done.stdout
    assert {path: path.read_bytes() for path in before.rglob("*") if path.is_file()} == files


def test_there_are_cases() -> None:
    """An empty folder would make all other tests here pass."""
    assert len(CASES) > 25
    assert all(HOST in str(Case(name).facts) or Case(name).facts["exit"] for name in CASES)
