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


CHART = {"chart/Chart.yaml": "{apiVersion: v2, name: chart, version: 1.0.0}\n"}
OFFICIAL = "image: {registry: docker.io, repository: redis}\n"
SPLIT = f"image: {{registry: {HOST}/docker-hub, repository: library/redis}}\n"
OTHERS = "image: {repository: lumen/valkey}\n"
ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: app}
spec: {source: {repoURL: https://git.example/x, path: chart, helm: HELM}}
"""
ARTIFACT = """\
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: app}
spec:
  artifacts:
    - name: app
      copy:
        - {from: "@here/chart/**", to: "@artifact/app/"}
        - {from: "@here/prod.yaml", to: "@artifact/app/values.yaml", strategy: STRATEGY}
"""
HELMFILE = (
    "releases: [{name: a, chart: ./chart, set: [{name: image.repository, value: lumen/v}]}]\n"
)


@pytest.mark.parametrize(
    ("files", "moved"),
    [
        pytest.param({"chart/values-prod.yaml": OTHERS}, SPLIT, id="a file beside values.yaml"),
        pytest.param(
            {
                "app.yaml": ARGO.replace("HELM", "{}"),
                "chart/.argocd-source-app.yaml": (
                    "helm: {parameters: [{name: image.repository, value: lumen/valkey}]}\n"
                ),
            },
            SPLIT,
            id="an override file of Argo CD",
        ),
        pytest.param(
            {"app.yaml": ARGO.replace("HELM", "{valuesObject: {image: {repository: lumen/v}}}")},
            SPLIT,
            id="values of an Application over its chart",
        ),
        pytest.param({"helmfile.yaml": HELMFILE}, SPLIT, id="a helmfile over its chart"),
        pytest.param(
            {"artifacts.yaml": ARTIFACT.replace("STRATEGY", "Merge"), "prod.yaml": OTHERS},
            SPLIT,
            id="a file that an artifact merges",
        ),
        pytest.param(
            {"artifacts.yaml": ARTIFACT.replace("STRATEGY", "Overwrite"), "prod.yaml": OTHERS},
            OFFICIAL.replace("docker.io", f"{HOST}/docker-hub/library"),
            id="one that an artifact puts in its place",
        ),
        pytest.param(
            {"chart/values-prod.yaml": "image: {organization: lumen}\n"},
            OFFICIAL,
            id="an organisation in another file",
        ),
        pytest.param(
            {"chart/values-prod.yaml": "imageOrg: lumen\n"},
            OFFICIAL,
            id="an organisation around the image in another file",
        ),
        pytest.param(
            {"chart/values-prod.yaml": "image: {registry: quay.io}\n"},
            OFFICIAL.replace("docker.io", f"{HOST}/docker-hub/library"),
            id="another registry above",
        ),
    ],
)
def test_repository_above_a_registry(
    tmp_path: Path, files: dict[str, str | bytes], moved: str
) -> None:
    """What an official image gets never stands before another repository, and comes back."""
    before = {**CHART, "chart/values.yaml": OFFICIAL, **files}
    write_tree(tmp_path, {".git/HEAD": "", **before})

    outcome = run(tmp_path, "migrate", *REGISTRY, "--charts", "off", ".")
    after = (tmp_path / "chart/values.yaml").read_text()
    run(tmp_path, "revert", "--all", *REGISTRY, "--charts", "off", ".")

    assert outcome.code == 0, outcome.stdout
    assert after == moved
    assert {name: (tmp_path / name).read_text() for name in before} == before


def test_parts_that_fit_no_text(tmp_path: Path) -> None:
    """One registry and one repository that others replace apart have no right text: they stay."""
    parts = {"a": OTHERS, "b": "image: {registry: quay.io}\n"}
    files = {f"chart/values-{name}.yaml": text for name, text in parts.items()}
    before = {**CHART, "chart/values.yaml": OFFICIAL, **files}
    write_tree(tmp_path, {".git/HEAD": "", **before})

    outcome = run(tmp_path, "migrate", *REGISTRY, "--charts", "off", ".")

    assert outcome.code == 3
    assert "the values at chart/values-b.yaml:1 set only a part of it" in outcome.stdout
    assert {name: (tmp_path / name).read_text() for name in before} == before
