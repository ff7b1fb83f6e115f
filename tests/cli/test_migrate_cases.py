"""Every case of tests/fixtures/migrate, on disk, through the real commands."""

import functools
import json
from pathlib import Path

import jsonschema
import pytest
from tree_cases import CASES, Case, image_lines, skip_lines, targets, warning_lines

from command_line import REGISTRY, read_tree, run

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "report.json"


@functools.cache
def validator() -> jsonschema.Draft202012Validator:
    """Return what checks a report; checking the schema itself takes longer than that."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


every_case = pytest.mark.parametrize("name", CASES)


@every_case
def test_files_come_out_as_they_must(name: str, tmp_path: Path) -> None:
    """Migrate gives the bytes of after/ and the exit code."""
    case = Case(name)
    folder = case.copy(tmp_path)

    done = case.run(folder, "migrate")

    assert (done.code, read_tree(folder)) == (case.facts.get("exit", 0), case.after), done.stderr


@every_case
def test_report_says_what_became_of_everything(name: str, tmp_path: Path) -> None:
    """Scan lists exactly the images, skips and warnings of case.toml, and writes nothing."""
    case = Case(name)
    folder = case.copy(tmp_path)

    report = case.run(folder, "scan", "--format", "json").report

    facts = case.facts
    assert image_lines(report) == facts.get("images", [])
    assert skip_lines(report) == facts.get("skipped", [])
    assert warning_lines(report) == facts.get("warnings", [])
    assert read_tree(folder) == case.before


@pytest.mark.once
@every_case
def test_second_run_changes_nothing(name: str, tmp_path: Path) -> None:
    """Migrating twice is migrating once, and no file is touched again."""
    case = Case(name)
    folder = case.copy(tmp_path)
    case.run(folder, "migrate")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    report = case.run(folder, "migrate", "--format", "json").report

    assert report["changed_files"] == []
    assert read_tree(folder) == case.after
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


@every_case
def test_revert_all_goes_back(name: str, tmp_path: Path) -> None:
    """What rules alone can undo comes back byte for byte, where the case says so."""
    case = Case(name)
    folder = case.copy(tmp_path)
    case.run(folder, "migrate")

    case.run(folder, "revert", "--all")

    restored = read_tree(folder) == case.before
    assert restored is case.facts.get("reversible", True), case.run(folder, "scan").stdout


@pytest.mark.once
@every_case
def test_way_back_and_forth_again(name: str, tmp_path: Path) -> None:
    """What comes back from the cache names the same images: migrated again, they go there."""
    case = Case(name)
    folder = case.copy(tmp_path)
    case.run(folder, "migrate")
    moved = case.run(folder, "scan", "--format", "json").report

    case.run(folder, "revert", "--all")
    case.run(folder, "migrate")

    again = case.run(folder, "scan", "--format", "json").report
    assert targets(again) == targets(moved)


@pytest.mark.once
@every_case
def test_revert_to_a_folder_goes_back(name: str, tmp_path: Path) -> None:
    """Against the tree of before every byte comes back, but for what a case calls a bug."""
    case = Case(name)
    folder = case.copy(tmp_path)
    case.run(folder, "migrate")

    done = case.run(folder, "revert", "--base", str(case.folder / "before"))

    restored = read_tree(folder) == case.before
    assert restored is case.facts.get("base", True), done.stderr


@pytest.mark.once
@every_case
@pytest.mark.skipif(not SCHEMA.exists(), reason="the schema isn't published yet")
def test_report_keeps_to_its_schema(name: str, tmp_path: Path) -> None:
    """The JSON reports of scan and migrate are valid by the published schema."""
    case = Case(name)
    folder = case.copy(tmp_path)

    for command in ("scan", "migrate", "check"):
        validator().validate(case.run(folder, command, "--format", "json").report)


def test_there_are_cases() -> None:
    """An empty folder would make all other tests here pass."""
    assert len(CASES) > 30


@pytest.mark.parametrize("name", ["tekton-values", "workflow-templates", "workflow-values"])
def test_parameters_are_proven(name: str, tmp_path: Path) -> None:
    """`verify` finds the values of parameters equal that other documents put into images."""
    case = Case(name)
    before, after = case.copy(tmp_path / "before"), case.copy(tmp_path / "after")
    case.run(after, "migrate")

    done = run(after, "verify", "--base", str(before), *REGISTRY)

    assert done.code == 0, done.stdout
