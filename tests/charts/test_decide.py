"""What the options say about charts, and what is said where a chart can't be had."""

import subprocess
import sys
from pathlib import Path

import pytest
from migrate_cases import HOST, REGISTRY, MigrateCase, read_tree, run

from imageshift.charts.solving import decide as deciding
from imageshift.errors import ToolError

CHART = "chart-unavailable"
IMAGE = "spec.template.spec.containers.0.image"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep traces of the tests out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _warnings(report: dict[str, object]) -> list[str]:
    warnings = report["warnings"]
    assert isinstance(warnings, list)
    return [place for each in warnings if each["code"] == CHART for place in each["places"]]


def test_a_chart_that_is_gone_is_a_warning(tmp_path: Path) -> None:
    """With auto the rules for texts hold, and each release is named with its place."""
    case = MigrateCase("unavailable")
    tree = case.copy(tmp_path)

    done = case.run(tree, "migrate", "--format", "json")

    assert done.code == 0
    assert _warnings(done.report) == ["apps/gone.yaml:4:9", "apps/refused.yaml:4:9"]
    assert f"registry: {HOST}/docker-hub" in (tree / "apps/gone.yaml").read_text()


def test_required_charts_that_are_gone_are_exit_4(tmp_path: Path) -> None:
    """With require the rest is done all the same, and the exit code is 4."""
    case = MigrateCase("unavailable")
    tree = case.copy(tmp_path)

    done = case.run(tree, "migrate", "--charts", "require")

    assert done.code == 4
    assert read_tree(tree) == case.after


@pytest.mark.parametrize("way", ["option", "environment", "configuration"])
def test_off_reads_no_chart(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With off no release is rendered, however it is said."""
    case = MigrateCase("chart-defaults")
    tree = case.copy(tmp_path)
    if way == "environment":
        monkeypatch.setenv("IMAGESHIFT_CHARTS", "off")
    elif way == "configuration":
        (tree / ".imageshift.yaml").write_text("charts: {mode: 'off'}\n")

    done = case.run(tree, "scan", "--format", "json", *["--charts", "off"][: 2 * (way == "option")])

    assert done.report["images"] == []
    assert _warnings(done.report) == []


def test_without_helm_each_release_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither the SDK nor the program is installed, that is the warning."""

    def nothing() -> None:
        raise ToolError("neither Helm's SDK nor the helm program is installed")

    monkeypatch.setattr(deciding, "find_renderer", nothing)
    case = MigrateCase("chart-defaults")
    tree = case.copy(tmp_path)

    done = case.run(tree, "scan", "--format", "json")

    assert sorted(_warnings(done.report)) == [
        "apps/app.yaml:4:9",
        "apps/web.yaml:18:9",
        "apps/web.yaml:4:9",
    ]


def test_check_of_a_file_loads_nothing_of_charts(tmp_path: Path) -> None:
    """The pre-commit form is as quick as ever: no chart module is imported."""
    tree = MigrateCase("chart-defaults").copy(tmp_path)
    code = (
        "import sys; from imageshift.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([n for n in sys.modules if n.startswith(('imageshift.charts', 'helm_python'))])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, "check", "apps/web.yaml", *REGISTRY],
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_explain_goes_from_image_to_workload_and_chart(tmp_path: Path) -> None:
    """Explain names the workload, the chart, its template and the values of a default image."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    tree = MigrateCase("chart-defaults").copy(tmp_path)

    done = run(tree, "explain", "quay.io/org/app", "apps", *REGISTRY)

    assert [line.strip() for line in done.stdout.splitlines()] == [
        "apps/app.yaml:4:9",
        "image      quay.io/org/app:1.27",
        "chart at spec.values.image.repository of HelmRelease apps/app",
        "confidence rendered",
        "rule       quay.io → quay",
        f"becomes    {HOST}/quay/org/app:1.27",
        "chart      repository-tag 1.0.0, release apps/app",
        f"rendered   Deployment/app-web {IMAGE} (repository-tag/templates/a.yaml)",
        "from values image.repository",
    ]


def test_explain_goes_from_a_post_renderer_to_its_workload(tmp_path: Path) -> None:
    """What a migration has put behind the chart leads to the workload as well."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    tree = MigrateCase("post-renderers").copy(tmp_path)

    done = run(tree, "explain", "apps/gate.yaml", *REGISTRY)

    said = [line.strip() for line in done.stdout.splitlines()]
    assert "chart      gate 1.0.0, release apps/gate" in said
    assert f"rendered   Deployment/gate-w {IMAGE} (gate/templates/a.yaml)" in said


def test_hooks_need_a_newer_controller(tmp_path: Path) -> None:
    """A post-renderer that is there for hooks is told, with the version that it needs."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    case = MigrateCase("hooks-and-patches")
    tree = case.copy(tmp_path)

    done = case.run(tree, "migrate")

    assert "apps/hook.yaml:4:9: hooks are post-rendered only since helm-" in done.stderr


def test_a_file_outside_the_paths_is_not_written(tmp_path: Path) -> None:
    """Values that a release takes from outside the paths are overridden in the release."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    tree = MigrateCase("values-from").copy(tmp_path)

    run(tree, "migrate", "apps/generated/release.yaml", *REGISTRY, "--charts", "require")

    assert "ghcr.io/org/app" in (tree / "apps/generated/image.yaml").read_text()
    assert (
        f"repository: {HOST}/github/org/app" in (tree / "apps/generated/release.yaml").read_text()
    )
