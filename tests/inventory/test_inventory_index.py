"""The whole tree: what one file decides over how another is read."""

from pathlib import Path

import pytest

from command_line import write_tree
from imageshift.inventory import Index, build_index
from imageshift.repo.workspace import Workspace
from imageshift.sites import FileRole

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app, namespace: apps}
spec:
  chart: {spec: {chart: CHART, sourceRef: {kind: HelmRepository, name: source}}}
  valuesFrom:
    - {kind: ConfigMap, name: one}
    - {kind: ConfigMap, name: two, valuesKey: x.yaml}
    - {kind: ConfigMap, name: three, targetPath: image.tag}
    - {kind: Secret, name: four}
"""
GENERATOR = """\
configMapGenerator:
  - name: one
    files: [values.yaml, other.yaml]
  - name: two
    files: [x.yaml=sub/y.yaml, ../outside.yaml]
  - name: unrelated
    files: [values.yaml=z.yaml]
"""


def index_of(root: Path, files: dict[str, str], *patterns: str) -> Index:
    """Return the index of a tree."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    workspace = Workspace(root)
    return build_index(workspace, workspace.walk(), Index(workspace, values_patterns=patterns))


def roles(index: Index) -> dict[str, FileRole]:
    """Return the role of each file that has one of its own."""
    found = {file: index.context(file).role for file in index.files}
    return {file: role for file, role in found.items() if role is not FileRole.OBJECTS}


def test_values_that_a_release_takes(tmp_path: Path) -> None:
    """ConfigMaps by name and key, and the files that a generator puts into them."""
    names = ("values.yaml", "other.yaml", "sub/y.yaml", "z.yaml")
    files = {f"apps/{name}": "a: b\n" for name in names} | {
        "outside.yaml": "a: b\n",
        "apps/release.yaml": RELEASE,
        "apps/kustomization.yaml": GENERATOR,
    }

    index = index_of(tmp_path, files)

    assert index.context("x").values_maps == {
        "one": {"values.yaml": False},
        "two": {"x.yaml": False},
    }
    assert roles(index) == {
        "apps/kustomization.yaml": FileRole.KUSTOMIZATION,
        "apps/sub/y.yaml": FileRole.VALUES,
        "apps/values.yaml": FileRole.VALUES,
    }


SOURCES = {
    "by name": ("app-template", "https://bjw-s-labs.github.io/helm-charts", True),
    "elsewhere": ("nats", "https://charts.bitnami.com/bitnami", False),
    "official": ("nats", "https://nats-io.github.io/k8s/helm/charts/", True),
    "not on the list": ("kube-state-metrics", "https://prometheus-community.github.io/x", False),
}


@pytest.mark.parametrize(("chart", "url", "free"), SOURCES.values(), ids=SOURCES)
def test_charts_that_add_no_registry(tmp_path: Path, chart: str, url: str, *, free: bool) -> None:
    """Known by the chart's name, unless its source is in the tree and is another one."""
    source = (
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\n"
        f"metadata: {{name: source, namespace: flux-system}}\nspec: {{url: '{url}'}}\n"
    )

    index = index_of(tmp_path, {"a.yaml": RELEASE.replace("CHART", chart), "b.yaml": source})

    assert [index.is_prefix_free(release) for release in index.releases] == [free]
    assert index.context("x").values_maps["one"] == {"values.yaml": free}


def test_charts_and_their_files(tmp_path: Path) -> None:
    """Values beside Chart.yaml, templates below it, and other files of the names elsewhere."""
    files = dict.fromkeys(
        [
            *("c/Chart.yaml", "c/values.yaml", "c/values-prod.yaml", "c/values.schema.json"),
            *("c/templates/a.yaml", "c/templates/sub/b.yaml", "c/charts/d/Chart.yaml"),
            *("c/charts/d/values.yml", "c/charts/d/templates/e.yaml", "c/ci/values.yaml"),
            *("templates/f.yaml", "values.yaml"),
        ],
        "a: b\n",
    )

    assert roles(index_of(tmp_path, files)) == {
        "c/charts/d/templates/e.yaml": FileRole.TEMPLATE,
        "c/charts/d/values.yml": FileRole.VALUES,
        "c/templates/a.yaml": FileRole.TEMPLATE,
        "c/templates/sub/b.yaml": FileRole.TEMPLATE,
        "c/values-prod.yaml": FileRole.VALUES,
        "c/values.yaml": FileRole.VALUES,
    }


def test_patches_of_a_kustomization(tmp_path: Path) -> None:
    """Files of all three lists; strings with line breaks are patches themselves."""
    text = (
        "patches: [{path: a.yaml}, {patch: 'kind: Pod'}]\n"
        "patchesJson6902: [{path: sub/b.yaml}]\n"
        'patchesStrategicMerge: [../c.yaml, "kind: Pod\\n"]\n'
    )
    files = {"k/kustomization.yaml": text, "k/a.yaml": "", "k/sub/b.yaml": "", "c.yaml": ""}

    assert roles(index_of(tmp_path, files)) == {
        "c.yaml": FileRole.PATCH,
        "k/a.yaml": FileRole.PATCH,
        "k/kustomization.yaml": FileRole.KUSTOMIZATION,
        "k/sub/b.yaml": FileRole.PATCH,
    }


def test_values_that_helmfile_and_the_configuration_name(tmp_path: Path) -> None:
    """Paths relative to the helmfile, and patterns."""
    helmfile = "releases:\n  - {name: a, chart: x/y, values: [v/a.yaml, {image: b}]}\n"
    files = dict.fromkeys(["h/v/a.yaml", "h/v/b.yaml", "d/prod-values.yaml"], "a: b\n")

    index = index_of(tmp_path, files | {"h/helmfile.yaml": helmfile}, "*-values.yaml")

    assert roles(index) == {
        "d/prod-values.yaml": FileRole.VALUES,
        "h/v/a.yaml": FileRole.VALUES,
    }


def test_helmfile_follows_links(tmp_path: Path) -> None:
    """A file of values behind a link in the tree is the file that is there; one outside is none."""
    helmfile = (
        "releases:\n  - {name: a, chart: x/y, values: [common.yaml, ../d/b.yaml, out.yaml]}\n"
    )
    files = dict.fromkeys(["shared/common.yaml", "e/b.yaml"], "a: b\n")
    write_tree(tmp_path / "r", files)
    write_tree(tmp_path, {"out.yaml": "a: b\n"})
    (tmp_path / "r/h").mkdir()
    (tmp_path / "r/h/common.yaml").symlink_to("../shared/common.yaml")
    (tmp_path / "r/h/out.yaml").symlink_to("../../out.yaml")
    (tmp_path / "r/d").symlink_to("e")

    index = index_of(tmp_path / "r", {"h/helmfile.yaml": helmfile})

    assert roles(index) == {
        "e/b.yaml": FileRole.VALUES,
        "shared/common.yaml": FileRole.VALUES,
    }


def test_helmfile_may_name_what_no_file_system_has(tmp_path: Path) -> None:
    """Paths with a NUL, over a link to itself and far too long lead nowhere."""
    values = f'["a\\0b.yaml", loop/a.yaml, {"a" * 300}.yaml, b.yaml]'
    helmfile = f"releases:\n  - {{name: a, chart: x/y, values: {values}}}\n"
    (tmp_path / "loop").symlink_to("loop")

    index = index_of(tmp_path, {"helmfile.yaml": helmfile, "b.yaml": "a: b\n"})

    assert roles(index) == {"b.yaml": FileRole.VALUES}


def test_broken_files_do_not_stop_the_index(tmp_path: Path) -> None:
    """The second pass reports them."""
    files = {
        "a/kustomization.yaml": "patches: [\n",
        "b/helmfile.yaml": "releases: [\n",
        "c.yaml": RELEASE + "---\nkind: HelmRelease\nvaluesFrom: [fluxcd\n",
    }

    index = index_of(tmp_path, files)

    assert [release.resource.name for release in index.releases] == ["app"]
