"""`imageshift values`: every chart convention in every format, and everywhere charts lie."""

import hashlib
import json
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from command_line import HOST, REGISTRY, Outcome, run, write_tree
from imageshift.charts.fetch.files import load_chart
from imageshift.charts.plain import load_plain
from oci_registry import OciRegistry, serve_registry
from web_server import page, serve

pytestmark = pytest.mark.once

CASES = Path(__file__).parent.parent / "fixtures" / "charts"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())
SHAPES = ["arguments", "list", "list-written", "network-schema", "pinned", "templated", "umbrella"]
"""Charts whose values have all the shapes that there are."""


def values(name: str, *arguments: str) -> Outcome:
    """Run the command for a chart of the fixtures with its release's values."""
    folder = CASES / name
    given = ("chart", "--values", "release.yaml", "--name", "rel", *REGISTRY)
    return run(folder, "values", *given, *arguments)


def helm(name: str, folder: Path, *arguments: str, stdin: str = "") -> list[str]:
    """Return the documents that real Helm renders of a chart with its release's values."""
    archive = folder / "chart.tgz"
    archive.write_bytes(load_chart(CASES / name / "chart").archive())
    given = ["-f", str(CASES / name / "release.yaml"), *arguments]
    command = ["helm", "template", "rel", str(archive), *given]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=True)
    return sorted(done.stdout.split("\n---\n"))


@pytest.mark.parametrize("name", NAMES)
def test_values_with_post_renderers(name: str) -> None:
    """The whole output for each convention is as values.txt has it, and rendering proves it."""
    expected = (CASES / name / "values.txt").read_text("utf-8").replace("HOST/", f"{HOST}/")

    done = values(name, "--post-renderer", "--verify")

    assert done.stdout == expected
    assert done.code == 0
    assert "proven by rendering" in done.stderr


@pytest.mark.helm
@pytest.mark.parametrize("name", SHAPES)
def test_helm_renders_each_format_alike(name: str, tmp_path: Path) -> None:
    """Real Helm renders the same with the YAML, the JSON, and the arguments of --set."""
    as_yaml = values(name, "--quiet").stdout
    as_json = values(name, "--quiet", "--format", "json").stdout
    arguments = shlex.split(values(name, "--quiet", "--format", "helm-set").stdout)

    wanted = helm(name, tmp_path, "-f", "-", stdin=as_yaml)

    assert helm(name, tmp_path, "-f", "-", stdin=as_json) == wanted
    assert helm(name, tmp_path, *arguments) == wanted
    assert f"{HOST}/" in "".join(wanted)


@pytest.mark.parametrize("name", [*SHAPES, "unchanged"])
def test_other_formats_hold_the_same_values(name: str) -> None:
    """Argo CD's and helmfile's form hold the same values, where these tools look for them."""
    plain = load_plain(values(name).stdout, name)
    argocd = load_plain(values(name, "--format", "argocd").stdout, name)
    helmfile = load_plain(values(name, "--format", "helmfile").stdout, name)

    whole = {"spec": {"source": {"helm": {"valuesObject": plain}}}} if plain else {}
    release = {"name": "rel", "namespace": "default", "chart": "chart", "values": [plain]}
    assert argocd == whole
    assert helmfile == ({"releases": [release]} if plain else {})


def test_what_has_no_comments_is_said() -> None:
    """JSON and --set hold nothing but values; the rest goes to standard error."""
    said = (
        "These now pin what used to come from umbrella 1.0.0: "
        "update them together with the chart (tag-frozen):\n"
        "  own.image\n"
        "No value moves these:\n"
        "  docker.io/bitnami/nginx:1.27.0-debian (Deployment/rel-w): "
        "the chart rejects other registries unless --allow-insecure-images is given\n"
        "umbrella 1.0.0: 2 images moved by values, 1 not moved by values\n"
    )
    as_json, as_set = (values("umbrella", "--format", each) for each in ("json", "helm-set"))

    assert json.loads(as_json.stdout) == {
        "db": {"image": {"repository": f"{HOST}/github/org/store"}},
        "own": {"image": f"{HOST}/quay/org/own:1"},
    }
    assert as_set.stdout == (
        f"--set-string=db.image.repository={HOST}/github/org/store\n"
        f"--set-string=own.image={HOST}/quay/org/own:1\n"
    )
    assert (as_json.stderr, as_set.stderr) == (said, said)


def test_json_with_post_renderers() -> None:
    """With --post-renderer JSON holds both parts of a HelmRelease's spec."""
    done = values("gate", "--format", "json", "--post-renderer")

    entry = {"name": "docker.io/bitnami/nginx", "newName": f"{HOST}/docker-hub/bitnami/nginx"}
    assert done.report == {
        "values": {},
        "postRenderers": [{"kustomize": {"images": [entry]}}],
    }


def test_nothing_is_pinned_where_no_post_renderer_works(tmp_path: Path) -> None:
    """Where kustomize rejects the chart there are no post-renderers, and nothing pinned by them."""
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: b, a: c}}\n"
        "spec: {containers: [{name: a, image: x.io/a, args: [--image=quay.io/a/b:1]}]}\n"
    )
    meta = "apiVersion: v2\nname: app\nversion: 1.0.0\n"
    write_tree(tmp_path, {"chart/Chart.yaml": meta, "chart/templates/p.yaml": pod})

    done = run(tmp_path, "values", "chart", "--format", "json", "--post-renderer", *REGISTRY)

    assert done.report == {"values": {}, "postRenderers": []}
    assert "a map that has the key a twice\n" in done.stderr
    assert "tag-frozen" not in done.stderr


def test_a_gate_is_opened_when_asked() -> None:
    """--allow-insecure-images sets the value that lets a Bitnami chart in, with its reason."""
    done = values("gate", "--allow-insecure-images", "--verify", "--strict")

    assert done.stdout == (
        "# gate 1.0.0: values that take its images from the cache\n"
        "global:\n"
        "  security:\n"
        "    # lets the chart use images from other registries\n"
        "    allowInsecureImages: true\n"
        "image:\n"
        "  # docker.io/bitnami/nginx:1.27.0-debian (Deployment/rel-w)\n"
        f"  registry: {HOST}/docker-hub\n"
    )
    assert done.code == 0


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("whole", (), 0),
        ("unchanged", (), 0),
        ("gate", (), 1),
        ("gate", ("--post-renderer",), 0),
        ("gate-config-map", ("--post-renderer",), 1),
    ],
)
def test_strict_counts_what_is_left(name: str, more: tuple[str, ...], code: int) -> None:
    """--strict fails while an image with a rule isn't moved, unless post-renderers do it."""
    assert values(name, "--strict", *more).code == code


CHART: Mapping[str, str | bytes] = {
    "my.chart/Chart.yaml": "apiVersion: v2\nname: my.chart\nversion: 1.2.3\n",
    "my.chart/values.yaml": (
        "a.b:\n  'x=y': nginx:1\n  'p[0],q': redis:2\n  'back\\slash': busybox\n"
    ),
    "my.chart/templates/all.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n"
        '  name: "x\\n# y: {{ .Release.Name | upper }}"\n'
        "spec:\n  containers:\n"
        '    - image: {{ index .Values "a.b" "x=y" }}\n'
        '    - image: {{ index .Values "a.b" "p[0],q" }}\n'
        '    - image: {{ index .Values "a.b" "back\\\\slash" }}\n'
    ),
}


@pytest.mark.helm
def test_names_that_formats_have_to_spell(tmp_path: Path) -> None:
    """Keys with characters of --set's own arrive, and no object's name ends a comment."""
    write_tree(tmp_path, dict(CHART))
    arguments = ("values", "my.chart", "--name", "rel", *REGISTRY)

    as_yaml = run(tmp_path, *arguments)
    as_set = run(tmp_path, *arguments, "--format", "helm-set")

    mapped = f"{HOST}/docker-hub/library"
    assert as_yaml.stdout == (
        "# my.chart 1.2.3: values that take its images from the cache\n"
        "a.b:\n"
        f"  # busybox (Pod/x\\n# y: REL)\n"
        f'  "back\\\\slash": {mapped}/busybox\n'
        f"  # redis:2 (Pod/x\\n# y: REL)\n"
        f'  "p[0],q": {mapped}/redis:2\n'
        f"  # nginx:1 (Pod/x\\n# y: REL)\n"
        f'  "x=y": {mapped}/nginx:1\n'
        "# These now pin what used to come from my.chart 1.2.3: "
        "update them together with the chart (tag-frozen):\n"
        "#   a.b.p[0],q\n"
        "#   a.b.x=y\n"
    )
    command = ["helm", "template", "rel", "my.chart"]
    for more in (["-f", "-"], shlex.split(as_set.stdout)):
        done = subprocess.run(
            [*command, *more],
            cwd=tmp_path,
            input=as_yaml.stdout,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.count(mapped) == 3


@pytest.fixture
def archive() -> bytes:
    """Return the archive of one chart of the fixtures."""
    return load_chart(CASES / "whole" / "chart").archive()


EXPECTED = (
    "# whole 1.0.0: values that take its images from the cache\n"
    "# nginx:1.27 (Deployment/whole-web)\n"
    f"image: {HOST}/docker-hub/library/nginx:1.27\n"
    "# These now pin what used to come from whole 1.0.0: "
    "update them together with the chart (tag-frozen):\n"
    "#   image\n"
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep charts and Helm's own files of this machine out of it."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


@pytest.mark.usefixtures("cache")
def test_a_chart_in_an_archive_and_a_repository(tmp_path: Path, archive: bytes) -> None:
    """An archive and a repository's chart give the same; offline the kept chart is enough."""
    (tmp_path / "whole.tgz").write_bytes(archive)
    digest = hashlib.sha256(archive).hexdigest()
    index = (
        "apiVersion: v1\nentries:\n  whole:\n  - name: whole\n    version: 1.0.0\n"
        f"    digest: {digest}\n    urls:\n    - whole-1.0.0.tgz\n"
    )
    with serve({"/index.yaml": page(index), "/whole-1.0.0.tgz": page(archive)}) as web:
        named = ("values", "whole", "--repo", web.url, *REGISTRY)
        found = [
            run(tmp_path, "values", "whole.tgz", *REGISTRY),
            run(tmp_path, *named),
            run(tmp_path, *named, "--version", "1.x"),
        ]
        helmfile = run(tmp_path, *named, "--format", "helmfile", "--name", "web")
    found.append(run(tmp_path, *named, "--version", "1.0.0", "--offline"))

    assert [(each.code, each.stdout) for each in found] == [(0, EXPECTED)] * 4
    assert helmfile.stdout == (
        "# whole 1.0.0: for its release in helmfile.yaml\n"
        "repositories:\n"
        "  - name: whole\n"
        f"    url: {web.url}\n"
        "releases:\n"
        "  - name: web\n"
        "    namespace: default\n"
        "    chart: whole/whole\n"
        "    version: 1.0.0\n"
        "    values:\n"
        "      # nginx:1.27 (Deployment/web-web)\n"
        f"      - image: {HOST}/docker-hub/library/nginx:1.27\n"
        "# These now pin what used to come from whole 1.0.0: update them together with the chart "
        "(tag-frozen):\n"
        "#   image\n"
    )


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OciRegistry]:
    """Serve an empty registry."""
    with serve_registry(tmp_path_factory.mktemp("oci") / "registry") as made:
        yield made


@pytest.mark.registry
@pytest.mark.helm
@pytest.mark.usefixtures("cache")
def test_a_chart_in_a_registry(tmp_path: Path, archive: bytes, registry: OciRegistry) -> None:
    """A chart that Helm has pushed is found by its address, by tag, and with --repo."""
    (tmp_path / "whole-1.0.0.tgz").write_bytes(archive)
    charts = f"oci://{registry.host}/charts"
    push = ["helm", "push", "--plain-http", "whole-1.0.0.tgz", charts]
    subprocess.run(push, cwd=tmp_path, check=True, capture_output=True)

    found = [
        run(tmp_path, "values", *arguments, *REGISTRY)
        for arguments in (
            (f"{charts}/whole",),
            (f"{charts}/whole:1.0.0",),
            (f"{charts}/whole", "--version", "^1"),
            ("whole", "--repo", charts),
        )
    ]

    assert [(each.code, each.stdout) for each in found] == [(0, EXPECTED)] * 4


ERRORS: list[tuple[tuple[str, ...], int, str]] = [
    (("nowhere",), 2, "imageshift: no chart is at nowhere\n  hint: give a folder, a .tgz, an"),
    (("a/b", "--repo", "http://127.0.0.1:9"), 2, "imageshift: 'a/b' isn't the name of a chart"),
    (("oci://host",), 2, "imageshift: oci://host names no chart in a registry\n"),
    (("chart", "--version", "1"), 2, "imageshift: chart has only one version\n"),
    (("chart", "-f", "none.yaml"), 2, "imageshift: none.yaml: "),
    (
        ("chart", "-f", "chart/Chart.yaml", "-f", "list.yaml"),
        2,
        "imageshift: list.yaml: it contain",
    ),
    (("chart", "-f", "bad.yaml"), 2, "imageshift: bad.yaml:1:"),
    (("chart", "--format", "argocd", "--post-renderer"), 2, "imageshift: only Flux has post-"),
    (("x", "--repo", "http://127.0.0.1:9", "--offline"), 4, "imageshift: the index of http"),
    (("empty",), 4, "imageshift: "),
    (("broken",), 4, "imageshift: "),
    (("chart", "--name", "-x"), 4, "imageshift: the release name '-x' is not valid\n"),
]


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(("arguments", "code", "said"), ERRORS)
def test_errors(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    """What can't be used gives a message and an exit code, and nothing on standard output."""
    tree: dict[str, str | bytes] = {
        "chart/Chart.yaml": "name: chart\nversion: 1.0.0\n",
        "broken/Chart.yaml": "name: broken\nversion: 1.0.0\n",
        "broken/templates/a.yaml": '{{ fail "no" }}',
        "empty/README.md": "",
        "list.yaml": "[1]",
        "bad.yaml": "{",
    }
    write_tree(tmp_path, tree)

    done = run(tmp_path, "values", *arguments, *REGISTRY)

    assert (done.code, done.stdout) == (code, "")
    assert done.stderr.startswith(said)


def test_the_tools_find_nothing_left(tmp_path: Path) -> None:
    """An Application and a helmfile release with these values have nothing left to move."""
    write_tree(tmp_path, _charts())
    for form, path in (("argocd", "app.yaml"), ("helmfile", "helmfile.yaml")):
        text = run(tmp_path, "values", "charts/nat", "--format", form, *REGISTRY).stdout
        made: dict[str, Any] = load_plain(text, form)
        if form == "argocd":
            source = made["spec"]["source"]
            source |= {"repoURL": "https://example.com/me.git", "path": "charts/nat"}
            made |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
            made["metadata"] = {"name": "nat"}
        else:
            made["releases"][0]["chart"] = "./charts/nat"
        (tmp_path / path).write_text(json.dumps(made))

    done = run(tmp_path, "check", "app.yaml", "helmfile.yaml", "--charts", "auto", *REGISTRY)

    assert (done.code, done.stdout) == (0, "")


def _charts() -> dict[str, str | bytes]:
    files = load_chart(CASES / "registry-repository" / "chart").files
    return {f"charts/nat/{path}": content for path, content in files.items()}
