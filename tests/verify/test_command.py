"""The commands verify and migrate --verify, from options to exit codes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from verify_cases import HOST, Case, run

pytestmark = [pytest.mark.kustomize, pytest.mark.helm]


def _report(stdout: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(stdout)
    return made


def test_report_has_the_published_keys(tmp_path: Path) -> None:
    """Rows of `renders` have exactly the keys of the report's contract."""
    before, after = Case("noise").trees(tmp_path)

    report = _report(run(after, "--base", str(before), "--format", "json").stdout)

    rows = {row["kind"]: row for row in report["renders"]}
    assert {*report} == {"schema", "command", "registries", "renders", "problems", "proof"}
    assert [*rows["HelmRelease"]] == [
        "name",
        "namespace",
        "kind",
        "file",
        "place",
        "objects",
        "equal",
        "images",
        "other_differences",
        "diffs",
    ]
    assert {*rows["HelmRelease"]["images"][0]} == {"before", "after", "ok"}
    assert {*rows["HelmRelease"]["other_differences"][0]} == {
        "object",
        "path",
        "before",
        "after",
        "class",
        "reason",
    }
    assert report["proof"] == {"renders": 2, "equal": 2, "different": 0, "problems": 0}


@pytest.mark.parametrize("name", ["noise", "object-missing", "chart-unavailable"])
def test_report_keeps_to_its_schema(name: str, repository: Path, tmp_path: Path) -> None:
    """The JSON reports of verify and of migrate --verify are valid by the published schema."""
    schema = json.loads((repository / "docs/schema/report.json").read_text("utf-8"))
    before, after = Case(name).trees(tmp_path)

    proof = run(after, "--base", str(before), "--format", "json").stdout
    migration = run(before, "--verify", "--format", "json", command="migrate").stdout

    jsonschema.validate(_report(proof), schema)
    jsonschema.validate(_report(migration), schema)


def test_base_is_the_last_commit(tmp_path: Path) -> None:
    """Without --base the working tree is compared with HEAD."""
    before, after = Case("tag-changed").trees(tmp_path)
    for words in (
        ["init"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-m", "x"],
    ):
        subprocess.run(["git", *words], cwd=before, check=True, capture_output=True)

    assert run(before).code == 0
    (before / "apps/web.yaml").write_bytes((after / "apps/web.yaml").read_bytes())
    assert run(before).code == 1


def test_unknown_base_is_a_usage_error(tmp_path: Path) -> None:
    """A base that is nothing exits 2 and says so."""
    _, after = Case("tag-changed").trees(tmp_path)

    done = run(after, "--base", "nowhere")

    assert done.code == 2
    assert "neither a folder nor a Git revision" in done.stderr


def test_jobs_change_nothing(tmp_path: Path) -> None:
    """Four renders at once give the report of one after the other."""
    before, after = Case("flux").trees(tmp_path)

    reports = [
        run(after, "--base", str(before), "--format", "json", "--jobs", jobs).stdout
        for jobs in ("1", "4")
    ]

    assert reports[0] == reports[1]


def test_differences_win_over_charts_that_are_gone(tmp_path: Path) -> None:
    """A finding exits 1 even where something else couldn't be compared; both are said."""
    before, after = Case("chart-unavailable").trees(tmp_path)
    (after / "apps/web.yaml").write_text((after / "apps/web.yaml").read_text() + "more: x\n")

    done = run(after, "--base", str(before))

    assert done.code == 1
    assert "+more: x" in done.stdout
    assert "apps/release.yaml:1: " in done.stderr
    assert "hint: name the chart's folder under `charts: sources:`" in done.stderr


def test_charts_of_the_configuration(tmp_path: Path) -> None:
    """A chart that the configuration names for the release is rendered."""
    before, after = Case("chart-unavailable").trees(tmp_path)
    other, _ = Case("release-moved").trees(tmp_path / "other")
    own = tmp_path / "own.yaml"
    own.write_text(f"charts:\n  sources:\n    web/app: {other / 'charts/app'}\n")

    done = run(after, "--base", str(before), "--format", "json", "--config", str(own))

    assert done.code == 0, done.stdout
    kinds = {row["kind"]: row["images"] for row in _report(done.stdout)["renders"]}
    assert {"before": "ghcr.io/org/proxy:1", "after": f"{HOST}/github/org/proxy:1", "ok": True} in (
        kinds["HelmRelease"]
    )


def test_paths_limit_what_is_compared(tmp_path: Path) -> None:
    """What doesn't touch the given paths isn't judged."""
    before, after = Case("build-broken").trees(tmp_path)

    report = _report(run(after, "--base", str(before), "--format", "json").stdout)
    done = run(after, "--base", str(before), "--format", "json", path="apps")

    assert len(report["renders"]) == 2
    assert [row["name"] for row in _report(done.stdout)["renders"]] == ["apps"]
    assert (done.code, _report(done.stdout)["problems"]) == (0, [])


@pytest.mark.parametrize("name", ["overlay-moved", "flux", "loose-files"])
def test_migrate_proves_itself(name: str, tmp_path: Path) -> None:
    """What migrate makes of a tree is equal but for its images, written or only planned."""
    before, _ = Case(name).trees(tmp_path)

    planned = run(before, "--verify", "--dry-run", "--format", "json", command="migrate")
    untouched = {path: path.read_bytes() for path in before.rglob("*.yaml")}
    written = run(before, "--verify", "--format", "json", command="migrate")

    assert (planned.code, written.code) == (0, 0), written.stdout + written.stderr
    assert _report(planned.stdout)["renders"] == _report(written.stdout)["renders"]
    assert _report(written.stdout)["changed_files"]
    assert {path: path.read_bytes() for path in before.rglob("*.yaml")} != untouched
    images = [i for row in _report(written.stdout)["renders"] for i in row["images"]]
    assert any(image["after"].startswith(HOST) for image in images)
