"""Which clusters take a file in: by Flux' roots, by Argo CD's destinations, or none."""

from pathlib import Path

import pytest

from command_line import REGISTRY, run, write_tree

POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: nginx}]}"
)


def flux(name: str, path: str, source: str = "flux-system") -> str:
    """Return a Flux Kustomization."""
    return (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        f"metadata: {{name: {name}, namespace: flux-system}}\n"
        f"spec: {{path: ./{path}, sourceRef: {{kind: GitRepository, name: {source}}}}}\n"
    )


def application(path: str, destination: str) -> str:
    """Return an Application of Argo CD."""
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\n"
        f"spec:\n  source: {{repoURL: https://git.example.com/a, path: {path}}}\n"
        f"  destination: {{{destination}}}\n"
    )


GENERATED = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: a}
spec:
  generators:
    - list:
        elements: [{cluster: prod}, {cluster: test}]
  template:
    metadata: {name: "a-{{cluster}}"}
    spec:
      source: {repoURL: https://git.example.com/a, path: apps}
      destination: {name: "{{cluster}}"}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec:
  chart:
    spec: {chart: ./chart, sourceRef: {kind: GitRepository, name: flux-system}}
"""
OF_PROD = {
    "clusters/prod/flux-system/sync.yaml": flux("flux-system", "clusters/prod"),
    "clusters/prod/apps.yaml": flux("apps", "apps"),
}

CASES = {
    "a bootstrap": (OF_PROD, ["clusters/prod"]),
    "roots that nothing in the tree builds": (
        {"clusters/prod/apps.yaml": flux("apps", "apps")},
        ["clusters/prod"],
    ),
    "two clusters": (
        {**OF_PROD, "clusters/test/apps.yaml": flux("apps", "apps")},
        ["clusters/prod", "clusters/test"],
    ),
    "another cluster's": (
        {**OF_PROD, "clusters/prod/apps.yaml": flux("apps", "other")},
        [],
    ),
    "a chain of three": (
        {
            "clusters/prod/flux-system/sync.yaml": flux("flux-system", "clusters/prod"),
            "clusters/prod/tenants.yaml": flux("tenants", "tenants"),
            "tenants/a.yaml": flux("a", "apps"),
        },
        ["clusters/prod"],
    ),
    "objects that build each other": (
        {"clusters/prod/all.yaml": f"{flux('one', 'clusters')}---\n{flux('other', '.')}"},
        ["clusters/prod"],
    ),
    "a root at the top": (
        {"flux-system/sync.yaml": flux("flux-system", "."), "apps.yaml": flux("apps", "apps")},
        ["flux-system"],
    ),
    "Argo CD by name": ({"a.yaml": application("apps", "name: prod-eu")}, ["prod-eu"]),
    "Argo CD's own": (
        {"a.yaml": application("apps", "server: https://kubernetes.default.svc")},
        ["in-cluster"],
    ),
    "Argo CD by address": (
        {"a.yaml": application("apps", "server: https://a.example.com")},
        ["https://a.example.com"],
    ),
    "elements of a set": ({"a.yaml": GENERATED}, ["prod", "test"]),
    "a set whose patch names the cluster": (
        {
            "a.yaml": GENERATED.replace('{name: "{{cluster}}"}', "{name: elsewhere}")
            + '  templatePatch: "spec: {destination: {name: patched}}"\n'
        },
        ["patched"],
    ),
    "a set that only Argo CD fills": (
        {"a.yaml": GENERATED.replace("{{cluster}}", "{{metadata.labels.a}}")},
        [],
    ),
    "nothing": ({}, []),
}


@pytest.mark.parametrize(("others", "expected"), CASES.values(), ids=CASES)
def test_clusters_of_a_file(others: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    """A row of the JSON report has their names, in order."""
    write_tree(tmp_path, {**others, "apps/pod.yaml": POD})

    rows = run(tmp_path, "scan", ".", *REGISTRY, "--format", "json").report["images"]

    assert [row["clusters"] for row in rows if row["file"] == "apps/pod.yaml"] == [expected]


def test_values_of_a_chart_go_with_its_releases(tmp_path: Path) -> None:
    """The chart's own files reach the clusters of the releases that use it."""
    values = "image: {repository: quay.io/a/b, tag: 1}"
    chart = {"chart/Chart.yaml": "name: chart\nversion: 1.0.0", "chart/values.yaml": values}
    write_tree(tmp_path, {**OF_PROD, **chart, "apps/release.yaml": RELEASE})

    options = (*REGISTRY, "--charts", "off", "--format", "json")
    rows = run(tmp_path, "scan", ".", *options).report["images"]

    assert {(row["file"], *row["clusters"]) for row in rows} == {
        ("chart/values.yaml", "clusters/prod")
    }


def test_clusters_are_known_before_anything_is_written(tmp_path: Path) -> None:
    """A run that writes reads no file again for them, and names them as a trial does."""
    release = f"{RELEASE}  values: {{image: {{repository: quay.io/a/c, tag: 1}}}}\n"
    values = "image: {repository: quay.io/a/b, tag: 1}"
    chart = {"chart/Chart.yaml": "name: chart\nversion: 1.0.0", "chart/values.yaml": values}
    kustomization = {"apps/kustomization.yaml": "resources: [release.yaml, web.yaml]\n"}
    apps = {"apps/release.yaml": release, "apps/web.yaml": POD}
    write_tree(tmp_path, {**OF_PROD, **chart, **kustomization, **apps})
    options = (*REGISTRY, "--charts", "off", "--format", "json")

    trial = run(tmp_path, "migrate", ".", *options, "--dry-run").report["images"]
    written = run(tmp_path, "migrate", ".", *options).report["images"]

    assert written == trial
    assert {(row["file"], *row["clusters"]) for row in written} == {
        ("apps/web.yaml", "clusters/prod"),
        ("apps/release.yaml", "clusters/prod"),
        ("chart/values.yaml", "clusters/prod"),
    }
