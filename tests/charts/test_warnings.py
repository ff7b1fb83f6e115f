"""What a move leaves for the next version of a chart: pinned tags, and charts that come late."""

import json
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree

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


REPOSITORY = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: r, namespace: app}
spec: {url: https://a.b}
"""
VERSIONS = [("1.0.0", False), ("1.x", False), (">=0.9 <2", False), ("0.9.0", True), ("2.x", True)]


@pytest.mark.helm
@pytest.mark.parametrize("key", ["app/app", "app", "'https://a.b'", "'https://a.b/app'"])
@pytest.mark.parametrize(("asked", "expected"), VERSIONS)
def test_a_chart_of_another_version_is_named(
    asked: str, *, expected: bool, key: str, tmp_path: Path
) -> None:
    """`charts.sources` may stand in for the version that a release asks for, not for another."""
    source = "{kind: HelmRepository, name: r}"
    chart = f"{{spec: {{chart: app, version: '{asked}', sourceRef: {source}}}}}"
    release = RELEASE.partition("  chart:")[0] + f"  chart: {chart}\n"
    files = {f"charts/app/{name}": text for name, text in SPLIT.items()}
    files |= {"charts/app/Chart.yaml": META, "tree/r.yaml": release, "tree/repo.yaml": REPOSITORY}
    config = f"charts: {{sources: {{{key}: charts/app}}}}\n"
    write_tree(tmp_path, {**files, ".imageshift.yaml": config})

    said = run(tmp_path, "scan", "tree", *REGISTRY).stderr

    note = f"tree/r.yaml:3:18: `charts.sources` provides chart 1.0.0 instead of version {asked}\n"
    assert (note in said) is expected


def test_charts_that_nobody_reads_are_counted(tmp_path: Path) -> None:
    """With charts off, a run over a folder says how many releases it has only half seen."""
    release = RELEASE.replace("$", "app").replace("GitRepository", "HelmRepository")
    tree = {f"{n}.yaml": release.replace("name: app", f"name: app{n}") for n in range(5)}
    write_tree(tmp_path, {**tree, "pod.yaml": POD.replace("$", f"{HOST}/quay/a/b:1")})
    off = ("--charts", "off", *REGISTRY)

    assert codes(tmp_path, "scan", "--charts", "off") == ["charts-unread"]
    assert codes(tmp_path, "scan", "pod.yaml", "--charts", "off") == []
    said = run(tmp_path, "check", *off).stderr
    assert "charts-unread: the charts of 5 releases weren't read, so " in said
    assert run(tmp_path, "check", "0.yaml", *REGISTRY).stderr == ""


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: app}
spec:
  source: {repoURL: https://charts.example.com, chart: app, targetRevision: 1.0.0}
"""
FROM_REPOSITORY = RELEASE.replace("$", "app").replace("GitRepository", "HelmRepository")


@pytest.mark.parametrize("key", ["app", "none"])
@pytest.mark.parametrize("release", [APPLICATION, FROM_REPOSITORY], ids=["Argo CD", "Flux"])
def test_charts_that_lie_in_the_tree_are_read(release: str, key: str, tmp_path: Path) -> None:
    """A chart that the configuration gives from the tree is read as text with charts off."""
    write_tree(tmp_path, {f"charts/app/{name}": text for name, text in SPLIT.items()})
    config = f"charts: {{sources: {{{key}: charts/app}}}}\n"
    write_tree(
        tmp_path, {"charts/app/Chart.yaml": META, ".imageshift.yaml": config, "r.yaml": release}
    )

    found = [code for code in codes(tmp_path, "scan", "--charts", "off") if "unread" in code]

    assert found == ([] if key == "app" else ["charts-unread"])


@pytest.mark.helm
@pytest.mark.parametrize("mode", ["off", "auto"])
@pytest.mark.parametrize(("values", "unread"), [("{}", 1), ("{redis: {enabled: false}}", 0)])
def test_a_chart_without_its_dependencies_counts_once(
    mode: str, values: str, *, unread: int, tmp_path: Path
) -> None:
    """It counts with its release, for which the dependency may also be switched off."""
    needed = "{name: redis, repository: 'https://a.b', condition: redis.enabled}"
    write_tree(tmp_path, {f"chart/{name}": text for name, text in SPLIT.items()})
    release = f"{RELEASE}  values: {values}\n".replace("$", "./chart")
    meta = f"{META}dependencies: [{needed}]\n"
    write_tree(tmp_path, {"chart/Chart.yaml": meta, "r.yaml": release})

    done = run(tmp_path, "scan", "--charts", mode, "--offline", "--format", "json", *REGISTRY)

    expected = 1 if mode == "off" else unread
    assert json.loads(done.stdout)["account"]["charts_unread"] == expected


def test_many_charts_that_are_missing_are_not_a_wall(tmp_path: Path) -> None:
    """`check` names three with one hint, and counts the rest; a report says it in a few lines."""
    release = RELEASE.replace("$", "app").replace("GitRepository", "HelmRepository")
    release = release.replace("kind: HelmRepository", "kind: HelmRepository, name: r")
    tree = {f"{n}.yaml": release.replace("name: app", f"name: app{n}") for n in range(60)}
    repository = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n"
        "metadata: {name: r, namespace: app}\nspec: {url: https://charts.example.com}\n"
    )
    write_tree(tmp_path, tree | {"r.yaml": repository})

    checked = run(tmp_path, "check", "--offline", *REGISTRY)
    scanned = run(tmp_path, "scan", "--offline", *REGISTRY)
    whole = run(tmp_path, "check", "--offline", "--charts", "require", *REGISTRY)

    assert checked.stderr.count("chart-unavailable") == 3
    assert "57 further charts weren't rendered: --verbose names them\n" in checked.stderr
    assert checked.stderr.count("charts-unread: the charts of 60 releases") == 1
    assert len(scanned.stdout.splitlines()) < 12
    assert (whole.code, whole.stderr.count("chart-unavailable")) == (4, 60)


@pytest.mark.helm
def test_images_that_post_renderers_move_are_counted(tmp_path: Path) -> None:
    """A report says how many, and why; a release whose values move them has no such line."""
    for name, chart in {"fixed": FIXED, "split": SPLIT}.items():
        files = {f"chart/{file}": text for file, text in chart.items()}
        config = "charts: {sources: {app/app: chart}}\n"
        release = RELEASE.replace("$", "app").replace("GitRepository", "HelmRepository")
        tree = {"chart/Chart.yaml": META, ".imageshift.yaml": config, "tree/r.yaml": release}
        write_tree(tmp_path / name, files | tree)

    said = {
        name: run(tmp_path / name, "migrate", "tree", *REGISTRY).stdout
        for name in ("fixed", "split")
    }

    line = "1 image by post-renderers, since no value of their charts reaches them\n"
    assert {name: line in text for name, text in said.items()} == {"fixed": True, "split": False}


TAGS = {
    "a chart's values may have the tag": ("values.yaml", "image: {repository: quay.io/a/b}\n", 0),
    "a base may have the tag": (
        "kustomization.yaml",
        "images: [{name: a, newName: quay.io/a/b}]\n",
        0,
    ),
    "the values say latest": ("values.yaml", "image: {repository: quay.io/a/b, tag: latest}\n", 1),
    "a pod without a tag": ("pod.yaml", POD.replace("$", "quay.io/a/b"), 1),
}


@pytest.mark.parametrize("name", TAGS)
def test_only_a_tag_that_is_known_to_move_is_named(name: str, tmp_path: Path) -> None:
    """A repository alone says nothing of the tag that comes with it."""
    file, text, expected = TAGS[name]
    write_tree(tmp_path, {"c/Chart.yaml": META, f"c/{file}": text})

    assert codes(tmp_path, "scan", "c", "--charts", "off").count("mutable-tag") == expected
