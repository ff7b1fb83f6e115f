"""Values in several texts, without charts: what of a release's own values moves by its text."""

from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app}
spec:
  chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: app}}}
  valuesFrom:
    - {kind: Secret, name: app, targetPath: "TARGET"}
  values:
    image: ghcr.io/org/app:1
    sidecar: {image: ghcr.io/org/side:1}
"""
MOVED = {name: f"{HOST}/github/org/{name}:1" for name in ("app", "side")}
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: two}
spec:
  sources:
    - {chart: a, repoURL: https://a.example, helm: {valueFiles: [$here/one.yaml]}}
    - {chart: b, repoURL: https://b.example, helm: {valueFiles: [$here/other.yaml]}}
    - {repoURL: https://git.example/here, ref: here}
"""


@pytest.mark.parametrize(
    ("target", "moved"),
    [
        pytest.param("password", {"app", "side"}, id="beside an image"),
        pytest.param("sidecar.password", {"app", "side"}, id="in a block with an image"),
        pytest.param("[0]", {"app", "side"}, id="that can't be read"),
        pytest.param("image", {"side"}, id="the image itself"),
        pytest.param("sidecar.tag", {"app"}, id="a tag beside an image"),
    ],
)
def test_target_path(tmp_path: Path, target: str, moved: set[str]) -> None:
    """What a targetPath sets stays, with the rest of its image; everything else moves."""
    write_tree(tmp_path, {".git/HEAD": "", "app.yaml": RELEASE.replace("TARGET", target)})

    outcome = run(tmp_path, "migrate", *REGISTRY, "--charts", "off", ".")

    assert outcome.code == 0, outcome.stderr
    text = (tmp_path / "app.yaml").read_text()
    assert {name for name, image in MOVED.items() if image in text} == moved


def test_value_files_of_two_sources(tmp_path: Path) -> None:
    """Values of one source of an Application say nothing about those of another."""
    whole = "image:\n  registry: docker.io\n  repository: nginx\n"
    part = "image:\n  repository: org/other\n"
    files = {"app.yaml": APPLICATION, "one.yaml": whole, "other.yaml": part}
    write_tree(tmp_path, {".git/HEAD": "", **files})

    outcome = run(tmp_path, "migrate", *REGISTRY, "--charts", "off", ".")

    assert outcome.code == 0, outcome.stderr
    moved = whole.replace("docker.io", f"{HOST}/docker-hub/library")
    assert (tmp_path / "one.yaml").read_text() == moved
    assert (tmp_path / "other.yaml").read_text() == part
