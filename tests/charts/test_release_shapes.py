"""Releases and what they name, with any data in any place: an error of theirs, never a bug."""

import copy
import io
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from command_line import HOST, REGISTRY, run, write_tree

COUNT = int(os.environ.get("IMAGESHIFT_SHAPES", "40"))
FLUX = "helm.toolkit.fluxcd.io/v2"
SOURCE = "source.toolkit.fluxcd.io/v1"
OWN = {"kind": "GitRepository", "name": "flux-system", "namespace": "flux-system"}
APP: dict[str, Any] = {
    "apiVersion": FLUX,
    "kind": "HelmRelease",
    "metadata": {"name": "app", "namespace": "apps"},
    "spec": {
        "releaseName": "app",
        "targetNamespace": "apps",
        "chart": {
            "spec": {
                "chart": "./charts/good",
                "version": "1.x",
                "sourceRef": OWN,
                "valuesFiles": ["values.yaml"],
            }
        },
        "valuesFrom": [
            {"kind": "ConfigMap", "name": "more", "valuesKey": "more.yaml"},
            {"kind": "Secret", "name": "token", "valuesKey": "t", "targetPath": "a.b[0].c"},
        ],
        "postRenderers": [
            {
                "kustomize": {
                    "images": [{"name": "quay.io/org/app", "newName": "x/y", "newTag": "1"}],
                    "patches": [{"target": {"kind": "Pod"}, "patch": "- {op: remove, path: /a}"}],
                }
            }
        ],
        "upgrade": {"force": True},
        "values": {"image": "quay.io/org/app:1", "list": [{"image": {"repository": "a/b"}}]},
    },
}
FILES: dict[str, dict[str, Any]] = {
    "apps/app.yaml": APP,
    "apps/two.yaml": {
        "apiVersion": FLUX,
        "kind": "HelmRelease",
        "metadata": {"name": "two", "namespace": "apps"},
        "spec": {"chartRef": {"kind": "HelmChart", "name": "chart"}, "values": {"image": "a/b:2"}},
    },
    "apps/chart.yaml": {
        "apiVersion": SOURCE,
        "kind": "HelmChart",
        "metadata": {"name": "chart", "namespace": "apps"},
        "spec": {"chart": "./charts/good", "version": "*", "sourceRef": OWN},
    },
    "apps/more.yaml": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "more", "namespace": "apps"},
        "data": {"more.yaml": "x: {image: quay.io/q/r:3}\n"},
    },
    "apps/token.yaml": {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token", "namespace": "apps"},
        "data": {"t": "aGVsbG8="},
    },
    "apps/patch.yaml": {
        "apiVersion": FLUX,
        "kind": "HelmRelease",
        "metadata": {"name": "app"},
        "spec": {"values": {"image": "quay.io/z/z:9"}, "postRenderers": []},
    },
}
KUSTOMIZATION = "resources: [app.yaml, two.yaml, chart.yaml, more.yaml, token.yaml]\n"
KUSTOMIZATION += "patches: [{path: patch.yaml}]\n"
GOOD = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: good, namespace: apps}
spec:
  chart:
    spec:
      chart: ./charts/good
      sourceRef: {kind: GitRepository, name: flux-system}
"""
CHART = {
    "charts/good/Chart.yaml": "apiVersion: v2\nname: good\nversion: 1.0.0\n",
    "charts/good/values.yaml": "image: quay.io/org/app:1\nlist: []\n",
    "charts/good/templates/a.yaml": "kind: Pod\nspec:\n  containers:\n"
    "    - image: {{ .Values.image }}\n",
}
OTHERS: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, "", "x", "a/b:1", "${A}", "é", "a" * 5000, "9" * 5000),
    *([], [None], ["a"], [[]], [{}], {}, {"a": None}, {"name": []}, {"kind": {}}),
    *("[", "a: [", "- op: x", "---\na\n---\nb", ".", "..", "../..", "--output-dir=x", "2001-01-01"),
)


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    for key, below in items:
        yield from _places(below, (*path, key))


def _changed(data: dict[str, Any], path: tuple[Any, ...], other: Any) -> dict[str, Any]:
    made = copy.deepcopy(data)
    node: Any = made
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = copy.deepcopy(other)
    return made


def _dump(data: Any) -> bytes:
    stream = io.BytesIO()
    YAML(typ="safe").dump(data, stream)
    return stream.getvalue()


@pytest.mark.property
def test_a_release_of_any_shape_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever stands in one release or its sources, the good release beside it is done."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root, chance = tmp_path / "tree", random.Random(8)  # noqa: S311 the same cases in each run
    (root / ".git").mkdir(parents=True)
    write_tree(root, {**CHART, "apps/kustomization.yaml": KUSTOMIZATION, "good.yaml": GOOD})
    for _ in range(COUNT):
        name = chance.choice(sorted(FILES))
        path, other = chance.choice(list(_places(FILES[name]))), chance.choice(OTHERS)
        write_tree(root, {file: _dump(data) for file, data in FILES.items()})
        write_tree(root, {name: _dump(_changed(FILES[name], path, other))})

        done = run(root, "scan", ".", *REGISTRY, "--format", "json")

        where = f"{name}: {path}: {other!r}"
        assert done.code in {0, 1, 3}, f"{where}\n{done.stderr}"
        assert "imageshift fails" not in done.stdout, where
        # Where nobody else needs the chart's own value, that is what moves.
        files = {"good.yaml", "charts/good/values.yaml"}
        good = [row for row in done.report["images"] if row["file"] in files]
        assert [row["target"] for row in good] == [f"{HOST}/quay/org/app:1"], where
