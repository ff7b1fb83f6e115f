"""Releases whose images only a post-renderer could move, mostly where there can't be one."""

from pathlib import Path

import pytest

from command_line import REGISTRY, run, write_tree

FLUX = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: apps
spec:
  chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: charts}}}
"""
ARGO = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: web
spec:
  destination: {namespace: apps, server: https://kubernetes.default.svc}
  source: {repoURL: https://charts.example.com, chart: app, targetRevision: 1.0.0}
"""
POD = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n"
LITERAL = f"{POD}spec:\n  containers: [{{name: a, image: ghcr.io/org/one:1}}]\n"
TWICE = f"{LITERAL}  hostNetwork: true\n  hostNetwork: true\n"
GATED = (
    POD
    + """\
spec: {containers: [{name: a, image: "{{ .Values.image }}"}]}
{{- if not (or (hasPrefix "docker.io" .Values.image) .Values.global.security.allowInsecureImages) }}
{{- fail (printf "%s: set 'global.security.allowInsecureImages' to true" .Values.image) }}
{{- end }}
"""
)
SECURITY = "global: {security: {allowInsecureImages: false}}\n"
POLICY = """\
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: p}
spec: {volumes: [secret]}
"""
CLASH = "only a post-renderer reaches it, and kustomize rejects what the chart renders: "
OPEN = "`charts: {allow_insecure_images: true}` in the configuration"
CASES = {
    "a key stands twice": (
        FLUX,
        TWICE,
        "ghcr.io/org/one:1",
        f"{CLASH}a map that has the key hostNetwork twice",
    ),
    "an object that entries can't pass": (
        FLUX,
        f"{LITERAL}---\n{POLICY}",
        "ghcr.io/org/one:1",
        f"{CLASH}a PodSecurityPolicy whose volumes are strings",
    ),
    "Argo CD has none": (
        ARGO,
        LITERAL,
        "ghcr.io/org/one:1",
        "no value reaches it, and nothing here can change what the chart renders",
    ),
    "Argo CD has none, and the chart looks at the registry": (
        ARGO,
        GATED,
        "docker.io/org/one:1",
        f"the chart rejects other registries in its values: {OPEN} allows them",
    ),
}


def write_case(root: Path, release: str, template: str) -> None:
    """Write a repository with one release and its chart."""
    files = {
        "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n",
        "charts/app/values.yaml": f"image: docker.io/org/one:1\n{SECURITY}",
        "charts/app/templates/all.yaml": template,
        ".imageshift.yaml": "charts:\n  sources:\n    app: charts/app\n",
        "apps/web.yaml": release,
    }
    write_tree(root, dict(files))


@pytest.mark.parametrize("name", CASES)
def test_the_image_stays_and_the_report_says_why(name: str, tmp_path: Path) -> None:
    """Nothing is written that the tool would refuse, and the reason names the way out."""
    release, template, image, reason = CASES[name]
    write_case(tmp_path, release, template)

    done = run(tmp_path, "migrate", "apps", *REGISTRY)

    assert (tmp_path / "apps" / "web.yaml").read_text() == release
    assert f"{image}: {reason}" in " ".join(done.stdout.split())
    assert done.code == 0


def test_templates_whose_lines_end_as_on_windows(tmp_path: Path) -> None:
    """An object's name is found there too, so that a post-renderer moves the chart's image."""
    write_case(tmp_path, FLUX, LITERAL.replace("\n", "\r\n"))

    done = run(tmp_path, "migrate", "apps", *REGISTRY)

    assert "newName" in (tmp_path / "apps" / "web.yaml").read_text()
    assert done.code == 0


@pytest.mark.kustomize
def test_verify_refuses_what_kustomize_would(tmp_path: Path) -> None:
    """A release with post-renderers of its own isn't proven where Flux couldn't install it."""
    renderer = "  postRenderers: [{kustomize: {images: [{name: a, newName: b}]}}]\n"
    for side in ("before", "after"):
        write_case(tmp_path / side, FLUX + renderer, TWICE)

    done = run(tmp_path / "after", "verify", "apps", "--base", str(tmp_path / "before"), *REGISTRY)

    why = "kustomize rejects what the chart renders: a map that has the key hostNetwork twice"
    assert why in done.stdout + done.stderr
    assert done.code == 4


def test_an_image_that_moves_in_one_place_and_stays_in_another(tmp_path: Path) -> None:
    """The use that stays has a row of its own, with its reason."""
    job = (
        "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n"
        "spec: {template: {spec: {containers: [{name: a, image: ghcr.io/org/one:1}]}}}\n"
    )
    by_value = LITERAL.replace("ghcr.io/org/one:1", '"{{ .Values.one }}"')
    write_case(tmp_path, ARGO, by_value + job)
    (tmp_path / "charts/app/values.yaml").write_text("one: ghcr.io/org/one:1\n")

    done = run(tmp_path, "migrate", "apps", *REGISTRY, "--format", "json")

    rows = [(row["original"], row["status"], row["reason"]) for row in done.report["images"]]
    image = "ghcr.io/org/one:1"
    assert sorted(rows) == [(image, "rewrite", None), (image, "skipped", "immutable")]
