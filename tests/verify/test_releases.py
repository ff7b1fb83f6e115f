"""Where the chart of a built release comes from, and what its name and values are."""

from pathlib import Path
from typing import Any

import pytest

from imageshift.charts.model import ChartUnavailableError, SourceKind
from imageshift.verify.catalog import Catalog, Spot
from imageshift.verify.releases import read_release
from imageshift.verify.tree import Tree

SOURCES: list[dict[str, Any]] = [
    {"kind": "HelmRepository", "metadata": {"name": "http"}, "spec": {"url": "https://a.b/c/"}},
    {
        "kind": "HelmRepository",
        "metadata": {"name": "oci", "namespace": "flux-system"},
        "spec": {"url": "oci://ghcr.io/org", "type": "oci"},
    },
    {
        "kind": "OCIRepository",
        "metadata": {"name": "app"},
        "spec": {"url": "oci://ghcr.io/org/app", "ref": {"tag": "1.2.3"}},
    },
    {
        "kind": "GitRepository",
        "metadata": {"name": "other"},
        "spec": {"url": "https://example.com/other.git"},
    },
    {
        "kind": "HelmChart",
        "metadata": {"name": "made"},
        "spec": {
            "chart": "web",
            "version": "1.x",
            "valuesFiles": ["a.yaml"],
            "sourceRef": {"kind": "HelmRepository", "name": "http"},
        },
    },
    {
        "kind": "Secret",
        "metadata": {"name": "values", "namespace": "apps"},
        "data": {"values.yaml": "YTogMQpiOiB7YzogMn0K"},
        "stringData": {"tag": "'7'"},
    },
    {"kind": "Secret", "metadata": {"name": "sealed"}, "data": {"x": "y"}, "sops": {}},
]


def _read(root: Path, spec: dict[str, Any], **known: Path) -> Any:
    catalog = Catalog(Tree.open(root))
    catalog.add(SOURCES, Spot("apps/app.yaml"))
    data = {"kind": "HelmRelease", "metadata": {"name": "app", "namespace": "apps"}, "spec": spec}
    return read_release(data, catalog.near(Spot("apps/app.yaml")), known, "apps/app.yaml:7").release


def _chart(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"chart": {"spec": {"chart": "web", "sourceRef": {"kind": kind, "name": name}, **more}}}


@pytest.mark.parametrize(
    ("spec", "kind", "url", "version"),
    [
        (_chart("HelmRepository", "http"), SourceKind.HELM_HTTP, "https://a.b/c/", None),
        (
            _chart("HelmRepository", "oci", version="2.0.0"),
            SourceKind.HELM_OCI,
            "oci://ghcr.io/org/web",
            "2.0.0",
        ),
        (
            {"chartRef": {"kind": "OCIRepository", "name": "app"}},
            SourceKind.HELM_OCI,
            "oci://ghcr.io/org/app",
            "1.2.3",
        ),
        (
            {"chartRef": {"kind": "HelmChart", "name": "made"}},
            SourceKind.HELM_HTTP,
            "https://a.b/c/",
            "1.x",
        ),
    ],
)
def test_sources(
    spec: dict[str, Any], kind: SourceKind, url: str, version: str | None, tmp_path: Path
) -> None:
    """Each sort of source leads to its address and version."""
    source = _read(tmp_path, spec).source

    assert (source.kind, source.url, source.version) == (kind, url, version)


@pytest.mark.parametrize("key", ["apps/app", "app", "web"])
def test_configured_charts_come_first(key: str, tmp_path: Path) -> None:
    """The configuration names a chart by its release or its own name, source or none."""
    release = _read(tmp_path, _chart("Bucket", "gone"), **{key: tmp_path / "here"})

    assert release.source.path == tmp_path / "here"


def test_charts_of_this_repository(tmp_path: Path) -> None:
    """A GitRepository that the tree doesn't have is this repository, another one isn't."""
    with pytest.raises(ChartUnavailableError, match="no chart in web"):
        _read(tmp_path, _chart("GitRepository", "flux-system"))
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Chart.yaml").write_text("name: web\n")

    assert _read(tmp_path, _chart("GitRepository", "flux-system")).source.path == tmp_path / "web"
    with pytest.raises(ChartUnavailableError, match="another repository"):
        _read(tmp_path, _chart("GitRepository", "other"))
    with pytest.raises(ChartUnavailableError, match="isn't in the tree") as caught:
        _read(tmp_path, _chart("HelmRepository", "gone"))
    assert "apps/app" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("spec", "name", "namespace"),
    [
        ({}, "app", "apps"),
        ({"targetNamespace": "web"}, "web-app", "web"),
        ({"releaseName": "own", "targetNamespace": "web"}, "own", "web"),
        (
            {"targetNamespace": "n" * 60},
            "n" * 40 + "-bcea968383db",
            "n" * 60,
        ),
    ],
)
def test_names(spec: dict[str, Any], name: str, namespace: str, tmp_path: Path) -> None:
    """Releases are named as helm-controller names them."""
    release = _read(tmp_path, _chart("HelmRepository", "http") | spec)

    assert (release.namespace, release.name) == (namespace, name)


def test_values_are_merged_as_flux_merges_them(tmp_path: Path) -> None:
    """Later sources win, the release's own values win over all, unknown Secrets are absent."""
    release = _read(
        tmp_path,
        _chart("HelmRepository", "http", valuesFiles=["a.yaml"], valuesFile="b.yaml")
        | {
            "valuesFrom": [
                {"kind": "Secret", "name": "values"},
                {"kind": "Secret", "name": "values", "valuesKey": "tag", "targetPath": "b.tag"},
                {"kind": "Secret", "name": "sealed", "optional": True},
                {"kind": "ConfigMap", "name": "gone", "optional": True},
            ],
            "values": {"a": 3},
        },
    )

    assert release.values == {"a": 3, "b": {"c": 2, "tag": "7"}}
    assert release.values_files == ("b.yaml", "a.yaml")
    assert (release.file, release.line) == ("apps/app.yaml", 7)
