"""What `warm` lists for images whose name and tag stand apart, before and after a migration."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from imageshift.cli.app import build_app

CHARTS = Path(__file__).parent.parent / "fixtures" / "charts"
HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
DIGEST = "sha256:6d27a2f1bd7cb0d0c8b3e2a4d2e4df5cbf1d4f3b9cdd9a1aa4b4a2a5f1d2e3c4"

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: apps
spec:
  chart:
    spec:
      chart: ./charts/gate
      sourceRef:
        kind: GitRepository
        name: flux-system
"""


def run(command: str, folder: Path) -> str:
    """Run a command over a folder, and return what it prints."""
    words = [command, str(folder), "--account", "123456789012", "--region", "eu-west-2", "--quiet"]
    done = CliRunner().invoke(build_app(words), words)
    assert done.exit_code == 0, done.stderr
    return done.stdout.replace(HOST, "HOST")


def pulls(folder: Path) -> list[str]:
    """Return the pulls that warm lists."""
    return run("warm", folder).splitlines()


def test_entries_have_the_tags_that_they_meet(tmp_path: Path) -> None:
    """A newName takes the tags of the texts that it meets, and a newTag is a pull of its own."""
    base, overlay = tmp_path / "base", tmp_path / "overlay"
    base.mkdir()
    overlay.mkdir()
    (base / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"
        "    - {name: a, image: controller:v1.2.3}\n"
        f"    - {{name: b, image: 'redis:8@{DIGEST}'}}\n"
        "    - {name: c, image: quay.io/org/app:1}\n"
    )
    (base / "kustomization.yaml").write_text(
        "resources: [pod.yaml]\nimages:\n"
        "  - {name: controller, newName: ghcr.io/org/controller}\n"
        "  - {name: redis, newName: docker.io/valkey/valkey}\n"
    )
    (overlay / "kustomization.yaml").write_text(
        "resources: [../base]\nimages:\n  - name: quay.io/org/app\n    newTag: '2'\n"
    )
    expected = [
        "HOST/docker-hub/valkey/valkey:8",
        "HOST/github/org/controller:v1.2.3",
        "HOST/quay/org/app:1",
        "HOST/quay/org/app:2",
    ]

    before = pulls(tmp_path)
    run("migrate", tmp_path)

    assert before == expected
    assert pulls(tmp_path) == expected


@pytest.mark.helm
def test_post_renderers_have_the_tags_that_they_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that a migration moves behind the chart keeps the chart's tag."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = tmp_path / "tree"
    (tree / "apps").mkdir(parents=True)
    (tree / ".git").mkdir()
    shutil.copytree(CHARTS / "gate" / "chart", tree / "charts" / "gate")
    (tree / "apps" / "release.yaml").write_text(RELEASE)

    before = pulls(tree / "apps")
    run("migrate", tree / "apps")

    assert before
    assert not [line for line in before if line.endswith(":latest")]
    assert "newName" in (tree / "apps" / "release.yaml").read_text()
    assert pulls(tree / "apps") == before


@pytest.mark.helm
def test_values_of_an_overlay_have_the_charts_tag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ConfigMap that names an image for one of two clusters leaves its tag to the chart."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tree = tmp_path / "tree"
    for name in ("base", "dev", "prod"):
        (tree / "apps" / name).mkdir(parents=True)
    (tree / ".git").mkdir()
    chart = CHARTS / "registry-repository" / "chart"
    shutil.copytree(chart, tree / "charts" / "registry-repository")
    release = RELEASE.replace("gate", "registry-repository")
    taken = "  valuesFrom:\n    - {kind: ConfigMap, name: web-values}\n"
    (tree / "apps" / "base" / "release.yaml").write_text(release + taken)
    (tree / "apps" / "base" / "kustomization.yaml").write_text("resources: [release.yaml]\n")
    texts = {"dev": "replicas: 2", "prod": "image: {registry: ghcr.io, repository: org/web}"}
    for name, text in texts.items():
        folder = tree / "apps" / name
        (folder / "kustomization.yaml").write_text("resources: [../base, values.yaml]\n")
        (folder / "values.yaml").write_text(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web-values, namespace: apps}\n"
            f"data:\n  values.yaml: |\n    {text}\n"
        )
    expected = ["HOST/docker-hub/bitnami/nginx:1", "HOST/github/org/web:1"]

    before = pulls(tree / "apps")
    run("migrate", tree / "apps")

    assert before == expected
    assert pulls(tree / "apps") == expected
