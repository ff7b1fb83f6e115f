"""Traces on disk: a release that was traced once is only proven the next time."""

import os
from pathlib import Path

import pytest
from chart_cases import Case, case_names, describe
from migrate_cases import REGISTRY, run
from msgspec.structs import replace

from imageshift.charts.rendering.render import Renderer
from imageshift.charts.rendering.tracestore import TraceStore
from imageshift.charts.solving.override import Mapper, Overrider


@pytest.mark.parametrize("name", case_names())
def test_a_kept_trace_answers_the_same(
    name: str, mapper: Mapper, sdk: Renderer, tmp_path: Path
) -> None:
    """The second run gives the same overrides with one rendering, the proof."""
    case, store = Case(name), TraceStore(tmp_path)
    chart, release = case.chart(), case.release()
    first = Overrider(sdk, store).override(chart, release, mapper)

    second = Overrider(sdk, store).override(chart, release, mapper)

    assert describe(second) == describe(first) == case.expected()
    assert second.renders <= {"random": 3, "looked-at-later": 6}.get(name, 1)


def test_what_a_trace_depends_on(mapper: Mapper, sdk: Renderer, tmp_path: Path) -> None:
    """Other values, another name and another cluster version are other traces."""
    case, store = Case("whole"), TraceStore(tmp_path)
    releases = [
        case.release(),
        replace(case.release(), values={"image": "redis"}),
        replace(case.release(), name="other"),
        replace(case.release(), kube_version="v1.30.0"),
    ]

    for release in releases:
        Overrider(sdk, store).override(case.chart(), release, mapper)

    kept = list(tmp_path.iterdir())
    assert len(kept) == len(releases)
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}


def test_a_damaged_trace_is_none(mapper: Mapper, sdk: Renderer, tmp_path: Path) -> None:
    """What can't be read is traced anew."""
    case, store = Case("whole"), TraceStore(tmp_path)
    Overrider(sdk, store).override(case.chart(), case.release(), mapper)
    for path in tmp_path.iterdir():
        path.write_bytes(b"damaged")

    again = Overrider(sdk, store).override(case.chart(), case.release(), mapper)

    assert again.renders == 3
    assert describe(again) == case.expected()


def test_many_releases_of_one_chart(mapper: Mapper, sdk: Renderer) -> None:
    """What one release teaches about the chart spares the next its detours."""
    chart, release = Case("looked-at").chart(), Case("looked-at").release()
    overrider = Overrider(sdk)

    renders = [
        overrider.override(chart, replace(release, name=f"r{n}"), mapper).renders for n in range(3)
    ]

    assert renders == [4, 3, 3]


RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: apps}
spec:
  chart:
    spec:
      chart: ./chart
      sourceRef: {kind: GitRepository, name: flux-system}
  valuesFrom:
    - {kind: Secret, name: login}
    - {kind: Secret, name: token, valuesKey: token, targetPath: registryToken}
  values:
    imagePassword: hunter2-values-a9f3
    command: "--image=quay.io/org/tool:2 --password=hunter2-command-a9f3"
---
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: apps}
stringData:
  values.yaml: |
    registryPassword: hunter2-string-a9f3
    image: quay.io/org/app:1
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: apps}
data: {token: aHVudGVyMi1kYXRhLWE5ZjM=}
"""
TEMPLATE = """\
kind: Pod
spec:
  containers:
    - image: {{ .Values.image }}
      args: [{{ .Values.command | quote }}]
---
kind: Secret
stringData:
  default: hunter2-template-a9f3
  all: {{ print .Values.registryPassword .Values.registryToken .Values.imagePassword | quote }}
"""


def test_no_secret_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of the cache holds a value, a Secret or anything that was rendered from one."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    chart = tmp_path / "tree" / "chart"
    (chart / "templates").mkdir(parents=True)
    (tmp_path / "tree" / ".git").mkdir()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: chart\nversion: 1.0.0\n")
    (chart / "values.yaml").write_text("password: hunter2-default-a9f3\n")
    (chart / "templates" / "a.yaml").write_text(TEMPLATE)
    (tmp_path / "tree" / "app.yaml").write_text(RELEASE)

    first, second = (
        run(tmp_path / "tree", "scan", ".", *REGISTRY, "--charts", "require") for _ in range(2)
    )

    kept = [path for path in cache.rglob("*") if path.is_file()]
    assert (first.code, first.stdout) == (0, second.stdout)
    assert {path.suffix for path in kept} == {".trace", ".key"}
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    for path in kept:
        assert b"hunter2" not in path.read_bytes()
        assert b"a9f3" not in path.read_bytes()
        assert b"aHVudGVyMi" not in path.read_bytes()


def test_a_finding_is_good_for_the_same_rules_alone(
    mapper: Mapper, sdk: Renderer, tmp_path: Path
) -> None:
    """With other rules the release is found out as if nothing were kept."""
    case, store = Case("whole"), TraceStore(tmp_path)
    Overrider(sdk, store).override(case.chart(), case.release(), mapper)

    def other(text: str) -> str | None:
        return f"mirror.example/{text}"

    again = Overrider(sdk, store).override(case.chart(), case.release(), other)

    assert describe(again) == describe(Overrider(sdk).override(case.chart(), case.release(), other))


@pytest.mark.parametrize("change", ["cut", "longer", "other", "empty", "folder", "key"])
def test_a_changed_finding_is_none(
    change: str, mapper: Mapper, sdk: Renderer, tmp_path: Path
) -> None:
    """A record that isn't as it was written, whoever changed it, is as good as none."""
    case, store = Case("whole"), TraceStore(tmp_path / "traces")
    Overrider(sdk, store).override(case.chart(), case.release(), mapper)
    (path,) = (tmp_path / "traces").iterdir()
    data = path.read_bytes()
    changed = {"cut": data[:-1], "longer": data + b"a", "other": data[:-1] + b"a", "empty": b""}
    if change == "folder":
        path.unlink()
        path.mkdir()
    elif change == "key":
        (tmp_path / "traces.key").write_bytes(b"short")
    else:
        path.write_bytes(changed[change])

    again = Overrider(sdk, store).override(case.chart(), case.release(), mapper)

    assert (again.renders, describe(again)) == (3, case.expected())


def test_a_cache_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mapper: Mapper, sdk: Renderer
) -> None:
    """A folder that can't be made, or no home at all, is a run without a cache."""
    case = Case("whole")
    (tmp_path / "file").write_text("")
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file" / "below"))

    for store in (TraceStore.default(), TraceStore(None), TraceStore(Path("/proc/traces"))):
        made = Overrider(sdk, store).override(case.chart(), case.release(), mapper)
        assert describe(made) == case.expected()

    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208
