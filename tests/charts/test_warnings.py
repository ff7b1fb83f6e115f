"""What a move leaves for the next version of a chart: pinned tags, and charts that come late."""

import json
from pathlib import Path

import pytest

from command_line import REGISTRY, run, write_tree

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: a, image: "$"}]}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: app}
spec:
  interval: 1h
  chart: {spec: {chart: $, sourceRef: {kind: GitRepository, name: flux-system}}}
"""
META = "apiVersion: v2\nname: chart\nversion: 1.0.0\n"
WHOLE = {
    "values.yaml": "image: quay.io/a/b:1\n",
    "templates/p.yaml": POD.replace("$", "{{ .Values.image }}"),
}
SPLIT = {
    "values.yaml": "image: {repository: quay.io/a/b, tag: '1'}\n",
    "templates/p.yaml": POD.replace("$", "{{ .Values.image.repository }}:{{ .Values.image.tag }}"),
}
FIXED = {"templates/p.yaml": POD.replace("$", "quay.io/a/b:1")}


def codes(root: Path, *arguments: str) -> list[str]:
    """Return the codes of a run's warnings, less what every pull gives rise to."""
    done = run(root, *arguments, "--format", "json", *REGISTRY)
    found = [row["code"] for row in json.loads(done.stdout)["warnings"]]
    return [code for code in found if code != "first-pull-route"]


@pytest.mark.helm
@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        pytest.param(WHOLE, ["tag-frozen"], id="a value with the whole reference"),
        pytest.param(SPLIT, [], id="a repository and a tag"),
        pytest.param(FIXED, [], id="an image that an entry of post-renderers renames"),
    ],
)
def test_pinned_tags(chart: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    """A new value that holds the chart's own tag is named once, when it is written."""
    write_tree(tmp_path, {f"charts/app/{name}": text for name, text in chart.items()})
    config = "charts: {sources: {app/app: charts/app}}\n"
    release = RELEASE.replace("$", "app").replace("GitRepository", "HelmRepository")
    write_tree(
        tmp_path, {"charts/app/Chart.yaml": META, "own.yaml": config, "tree/r.yaml": release}
    )

    first = codes(tmp_path, "migrate", "tree", "--config", "own.yaml")

    assert (first, codes(tmp_path, "migrate", "tree", "--config", "own.yaml")) == (expected, [])


BY_REVISION = RELEASE.replace("$, ", "$, reconcileStrategy: Revision, ")
CHANGED = f"{RELEASE}  values: {{sidecar: {{image: quay.io/a/c:1}}}}\n"


@pytest.mark.helm
@pytest.mark.parametrize(
    ("release", "charts", "expected"),
    [
        pytest.param(RELEASE, "off", ["chart-version"], id="by version, unread"),
        pytest.param(RELEASE, "auto", ["chart-version"], id="by version, rendered"),
        pytest.param(BY_REVISION, "off", [], id="by revision, unread"),
        pytest.param(BY_REVISION, "auto", [], id="by revision, rendered"),
        pytest.param(CHANGED, "off", [], id="the release changes too"),
    ],
)
def test_charts_that_arrive_late(
    release: str, charts: str, expected: list[str], tmp_path: Path
) -> None:
    """A release is named for which only files of its chart change."""
    write_tree(tmp_path, {f"chart/{name}": text for name, text in SPLIT.items()})
    write_tree(tmp_path, {"chart/Chart.yaml": META, "r.yaml": release.replace("$", "./chart")})

    assert codes(tmp_path, "migrate", ".", "--charts", charts) == expected
    assert codes(tmp_path, "migrate", ".", "--charts", charts) == []
