"""Charts that take a whole name as their repository: the table, and the script that proves it."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from imageshift.data.prefix_free_charts import (
    PREFIX_FREE_CHARTS,
    PrefixFreeChart,
    is_prefix_free,
)

CHARTS = Path(__file__).parent / "charts"
SCRIPT = Path(__file__).parents[2] / "scripts" / "prove_prefix_free_charts.py"

_SOURCE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[a-z0-9._-]+)*")
_PATH = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.repository")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("prove_prefix_free_charts", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("row", PREFIX_FREE_CHARTS, ids=lambda row: f"{row.name}-{row.version}")
def test_row_is_well_formed(row: PrefixFreeChart) -> None:
    """A row has a chart's name, its owner's sources in lower case, and proven paths."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", row.name)
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-[a-z0-9]+)?", row.version)
    assert row.sources
    assert all(_SOURCE.fullmatch(source) for source in row.sources)
    assert row.paths
    assert all(_PATH.fullmatch(path) for path in row.paths)
    assert list(row.paths) == sorted(set(row.paths))
    assert all("=" in setting for setting in row.enable)


def test_rows_are_sorted_and_owners_differ() -> None:
    """Two rows of one name belong to two owners."""
    names = [row.name for row in PREFIX_FREE_CHARTS]
    assert names == sorted(names)
    pairs = [(row.name, source) for row in PREFIX_FREE_CHARTS for source in row.sources]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize(
    ("name", "url", "expected"),
    [
        ("nats", None, True),
        ("nats", "https://nats-io.github.io/k8s/helm/charts/", True),
        ("nats", "https://charts.bitnami.com/bitnami", False),
        ("nats", "oci://registry-1.docker.io/bitnamicharts/nats", False),
        ("app-template", "oci://ghcr.io/bjw-s-labs/helm/app-template", True),
        ("app-template", "oci://ghcr.io/bjw-s-labs/helm", True),
        ("app-template", "oci://ghcr.io/bjw-s-labs/helmet", False),
        ("tailscale-operator", "https://pkgs.tailscale.com/helmcharts", True),
        ("victoria-metrics-single", "https://VictoriaMetrics.github.io/helm-charts/", True),
        ("external-dns", "oci://proxy.example/kubernetes-sigs.github.io/external-dns/x", True),
        ("kube-state-metrics", None, False),
        ("prometheus-node-exporter", "https://prometheus-community.github.io/helm-charts", False),
        ("", None, False),
    ],
)
def test_is_prefix_free(name: str, url: str | None, *, expected: bool) -> None:
    """The name decides, unless the source is known and is not its owner's."""
    assert is_prefix_free(name, url) is expected


@pytest.mark.parametrize("name", ["ingress-nginx", "kube-state-metrics", "promtail", "nginx"])
def test_charts_that_prepend_are_not_listed(name: str) -> None:
    """The charts of facts H2 and H8b that put a registry in front are in no row."""
    assert name not in {row.name for row in PREFIX_FREE_CHARTS}


def _row(name: str, *paths: str, enable: tuple[str, ...] = ()) -> PrefixFreeChart:
    return PrefixFreeChart(name, "1.2.3", ("example.org",), paths, enable)


_WHOLE = ("image.repository", "sidecar.image.repository")


@pytest.mark.helm
@pytest.mark.parametrize(
    ("row", "line"),
    [
        (_row("whole", *_WHOLE, enable=("sidecar.enabled=true",)), "whole 1.2.3: holds"),
        (_row("whole", *_WHOLE), "whole 1.2.3: not rendered sidecar.image.repository"),
        (_row("prefixing", "image.repository"), "prefixing 1.2.3: prefixed image.repository"),
        (_row("grown", "image.repository"), "grown 1.2.3: not listed newPart.image.repository"),
    ],
)
def test_prove(script: ModuleType, row: PrefixFreeChart, line: str) -> None:
    """Real helm shows a chart that takes whole names, and each way in which one doesn't."""
    verdict = script.prove(row, CHARTS / row.name)
    assert str(verdict) == line
    assert verdict.holds is line.endswith("holds")


@pytest.mark.helm
def test_prove_says_what_helm_says(script: ModuleType) -> None:
    """A chart that helm can't render doesn't hold, with helm's own first line."""
    row = _row("whole", "image.repository", enable=("sidecar=text",))
    assert str(script.prove(row, CHARTS / "whole")).startswith("whole 1.2.3: Error: ")


def test_another_owners_chart_is_none(script: ModuleType, tmp_path: Path) -> None:
    """Bitnami's chart of the same name, or one with other images, is not the row's."""
    row = _row("nats", "a.image.repository", "b.image.repository")
    both = "a: {image: {repository: x}}\nb: {image: {repository: x}}\n"
    for maker, extra, values in (
        ("own", "", both),
        ("bitnami", "sources: ['https://github.com/bitnami/charts']\n", both),
        ("other", "", "a: {image: {repository: x}}\n"),
    ):
        folder = tmp_path / maker / "nats"
        folder.mkdir(parents=True)
        (folder / "Chart.yaml").write_text(f"name: nats\nversion: 1.0.0\n{extra}")
        (folder / "values.yaml").write_text(values)
    assert list(script.find_charts(row, tmp_path)) == [tmp_path / "own" / "nats"]


def test_script_fails_without_charts(tmp_path: Path) -> None:
    """A folder that has none of the charts proves nothing, and the exit code says so."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "nats: not in the folder" in done.stdout
    assert done.stdout.endswith("0 charts rendered, 0 failed\n")


@pytest.mark.helm
@pytest.mark.skipif(
    "IMAGESHIFT_CHARTS" not in os.environ, reason="needs IMAGESHIFT_CHARTS, a folder of charts"
)
def test_the_table_holds() -> None:
    """Every chart of the table that the folder has renders whole names."""
    folder = os.environ["IMAGESHIFT_CHARTS"]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
