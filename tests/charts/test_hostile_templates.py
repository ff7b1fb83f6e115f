"""Templates and options of an attacker's: each ends its own release alone, in bounded time."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from migrate_cases import HOST, REGISTRY, run

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import RenderError, RenderLimitError, RenderOptions, Values
from imageshift.charts.rendering.render import BinaryRenderer, Renderer, SdkRenderer
from imageshift.charts.solving import decide as deciding

pytestmark = pytest.mark.once

META = b"apiVersion: v2\nname: c\nversion: 1.0.0\n"
CYCLE = '{{ $d := dict }}{{ $_ := set $d "a" $d }}'
INCLUDE = '{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}'
SECONDS = 1.0
WAYS = ["sdk", "helm", pytest.param("helm3", marks=pytest.mark.helm3)]

HOSTILE: dict[str, tuple[str, Values]] = {
    "a list of two thousand million": ("{{ range until 2000000000 }}x{{ end }}", {}),
    "a range in steps": ("{{ untilStep 0 2000000000 1 | len }}", {}),
    "loops in loops": (
        "{{ range until 99999 }}{{ range until 99999 }}{{ end }}{{ end }}",
        {},
    ),
    "a text of 16 GB": ('a: {{ repeat 2000000000 "xxxxxxxx" }}', {}),
    "a text doubled forty times": (
        '{{ $x := "xxxxxxxx" }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}{{ len $x }}',
        {},
    ),
    "a map that holds itself, printed": (CYCLE + "{{ $d }}", {}),
    "a map that holds itself, copied": (CYCLE + "{{ deepCopy $d }}", {}),
    "a map that holds itself, merged": (CYCLE + '{{ merge (dict "a" (dict)) $d }}', {}),
    "a template that includes itself": (INCLUDE, {}),
    "a value that is its own template": (
        "{{ tpl .Values.t . }}",
        {"t": "{{ tpl .Values.t . }}"},
    ),
    "100,000 documents": ("{{ range until 100000 }}\n---\na: 1{{ end }}", {}),
    "one line of 30 MB": ('a: {{ repeat 30000000 "x" }}', {}),
}

NOT_OPTIONS = {
    "folder": RenderOptions(name="--output-dir=out"),
    "file": RenderOptions(name="--set-file=image.tag=secret"),
    "program": RenderOptions(name="--post-renderer=./program"),
    "short": RenderOptions(name="-f"),
    "end of options": RenderOptions(name="--"),
    "empty": RenderOptions(name=""),
    "54 characters": RenderOptions(name="a" * 54),
    "line end": RenderOptions(name="rel\n"),
    "upper case": RenderOptions(name="Rel"),
    "namespace": RenderOptions(name="rel", namespace="--output-dir=out"),
    "namespace with a line end": RenderOptions(name="rel", namespace="apps\n"),
    "cluster version": RenderOptions(name="rel", kube_version="--output-dir=out"),
    "API version": RenderOptions(name="rel", api_versions=("--output-dir=out",)),
    "two API versions": RenderOptions(name="rel", api_versions=("a/v1,--output-dir=out",)),
}


def _renderer(name: str, seconds: float = 30.0) -> Renderer:
    if name == "sdk":
        pytest.importorskip("helm_python", reason="needs imageshift[charts]")
        return SdkRenderer(seconds)
    return BinaryRenderer(name, seconds)


def _chart(template: str) -> ChartFiles:
    return ChartFiles({"Chart.yaml": META, "templates/a.yaml": template.encode()}, "c")


@pytest.fixture(params=WAYS)
def renderer(request: pytest.FixtureRequest) -> Renderer:
    """Return each way to render."""
    return _renderer(request.param)


@pytest.mark.helm
@pytest.mark.parametrize("way", ["sdk", "helm"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_template_fails_alone(kind: str, way: str) -> None:
    """It's refused in bounded time, and what is rendered next is as it should be."""
    template, values = HOSTILE[kind]
    options = RenderOptions(name="rel")
    start = time.monotonic()

    with pytest.raises(RenderError):
        _renderer(way, SECONDS).render(_chart(template), values, options)

    assert time.monotonic() - start < 10 * SECONDS
    good = _renderer(way).render(_chart("a: {{ .Release.Name }}"), {}, options)
    assert {path: text.strip() for path, text in good.items()} == {"c/templates/a.yaml": "a: rel"}


@pytest.mark.helm
@pytest.mark.parametrize("way", ["sdk", WAYS[-1]])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("a list of two thousand million", "used more than 1024 MiB|crashed"),
        ("a text of 16 GB", "crashed"),
        ("a map that holds itself, printed", "used more than 1024 MiB|crashed"),
        ("one line of 30 MB", "wrote more than 16 MiB"),
        ("100,000 documents", "more than 20,000 documents"),
        ("a template that includes itself", "error calling include"),
    ],
)
def test_why_a_template_is_refused(kind: str, reason: str, way: str) -> None:
    """The message names the limit that was reached, or says what Helm says."""
    template, values = HOSTILE[kind]

    with pytest.raises(RenderError, match=reason):
        _renderer(way).render(_chart(template), values, RenderOptions(name="rel"))


@pytest.mark.helm
@pytest.mark.parametrize("kind", NOT_OPTIONS)
def test_nothing_of_a_release_is_an_option(
    kind: str, renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names and versions that aren't of Helm's grammar are refused before Helm runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_text("hunter2")

    with pytest.raises(RenderError, match="is not valid"):
        renderer.render(_chart("a: 1"), {}, NOT_OPTIONS[kind])

    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.helm
@pytest.mark.parametrize("way", ["sdk", "helm"])
def test_rendering_sees_nothing_of_the_user(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the environment's keys nor the home folder reach the process that renders."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("HELM_PLUGINS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    renderer = _renderer(way, 2 * SECONDS)
    seen: list[str] = []
    busy = _chart("{{ range until 9999 }}{{ range until 9999 }}{{ end }}{{ end }}")
    with ThreadPoolExecutor() as pool:
        done = pool.submit(renderer.render, busy, {}, RenderOptions(name="rel"))
        while not done.done():
            time.sleep(0.05)
            seen += map(_environment_of, psutil.Process().children(recursive=True))
        with pytest.raises(RenderLimitError):
            done.result()

    assert any("PATH=" in text for text in seen)
    assert not any("hunter2" in text or str(tmp_path) in text for text in seen)


def _environment_of(process: psutil.Process) -> str:
    try:
        name = Path(process.cmdline()[0]).name
        if not name.startswith(("python", "helm")):
            return ""
        return "\n".join(f"{key}={value}" for key, value in process.environ().items())
    except (psutil.Error, IndexError):
        return ""


ORPHAN = """\
from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import RenderOptions
from imageshift.charts.rendering.render import SdkRenderer
loops = b"{{ range until 99999 }}{{ range until 99999 }}{{ end }}{{ end }}"
meta = b"apiVersion: v2\\nname: c\\nversion: 1.0.0\\n"
files = {"Chart.yaml": meta, "templates/a.yaml": loops}
print("now", flush=True)
SdkRenderer(600.0).render(ChartFiles(files, "c"), {}, RenderOptions(name="rel"))
"""


def test_a_hanging_rendering_ends_with_the_run() -> None:
    """The child that renders ends when this process is killed, in the middle of a rendering."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    with subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        children: list[psutil.Process] = []
        until = time.monotonic() + 20
        while not children and time.monotonic() < until:
            children = psutil.Process(parent.pid).children()
            time.sleep(0.3)
        assert children

        parent.kill()

    gone, alive = psutil.wait_procs(children, timeout=5)
    assert (len(gone), alive) == (len(children), [])


def test_a_child_that_is_killed_is_replaced() -> None:
    """A child that ends between two releases costs none of them."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    renderer = SdkRenderer()
    chart, options = _chart("a: 1"), RenderOptions(name="rel")
    renderer.render(chart, {}, options)

    for child in psutil.Process().children():
        if "helm_worker.py" in " ".join(child.cmdline()):
            child.send_signal(signal.SIGKILL)
            psutil.wait_procs([child], timeout=5)

    assert renderer.render(chart, {}, options)


def test_one_child_serves_many_releases() -> None:
    """Renderings one after the other take one child."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    seen: set[int] = set()
    for number in range(5):
        SdkRenderer().render(_chart("a: 1"), {}, RenderOptions(name=f"rel-{number}"))
        seen |= {
            child.pid
            for child in psutil.Process().children()
            if "helm_worker.py" in " ".join(child.cmdline())
        }

    assert len(seen) <= 2


def test_as_many_children_as_renderings_at_once() -> None:
    """Three renderings at a time take three children at most, and each gives its own answer."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    before = {child.pid for child in psutil.Process().children()}

    def work(number: int) -> str:
        options = RenderOptions(name=f"rel-{number}")
        found = SdkRenderer().render(_chart("a: {{ .Release.Name }}"), {}, options)
        return found["c/templates/a.yaml"]

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(30))) == [f"a: rel-{number}" for number in range(30)]

    assert len({child.pid for child in psutil.Process().children()} - before) <= 3


RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: apps
spec:
  releaseName: {release}
  chart:
    spec:
      chart: ./charts/{chart}
      sourceRef: {{kind: GitRepository, name: flux-system}}
"""
POD = "kind: Pod\nspec:\n  containers:\n    - image: {{ .Values.image }}\n"


def _write_chart(folder: Path, template: str) -> None:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {folder.name}\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("image: quay.io/org/app:1\n")
    (folder / "templates" / "a.yaml").write_text(template)


@pytest.mark.helm
@pytest.mark.parametrize("way", WAYS)
def test_the_good_release_beside_them_moves(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration names each hostile release with its place, moves the good one, and exits 0."""
    renderer = _renderer(way, 2 * SECONDS)
    monkeypatch.setattr(deciding, "find_renderer", lambda: renderer)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "tree"
    (root / "apps").mkdir(parents=True)
    (root / ".git").mkdir()
    templates = {"good": POD, "hangs": HOSTILE["loops in loops"][0] + POD,
                 "cyclic": HOSTILE["a map that holds itself, printed"][0] + POD}  # fmt: skip
    for name, template in templates.items():
        _write_chart(root / "charts" / name, template)
    releases = {name: (name, name) for name in templates} | {
        "option": ("--output-dir=out", "good"),
        "file": ("--set-file=image=../secret", "good"),
        "program": ("--post-renderer=../program", "good"),
    }
    for name, (release, chart) in releases.items():
        text = RELEASE.format(name=name, release=release, chart=chart)
        (root / "apps" / f"{name}.yaml").write_text(text)
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "program").write_text("#!/bin/sh\ntouch ran\n")
    (tmp_path / "program").chmod(0o755)
    before = set(root.rglob("*"))

    done = run(root, "migrate", "apps", *REGISTRY, "--charts", "auto", "--format", "json")

    warnings = [w for w in done.report["warnings"] if w["code"] == "chart-unavailable"]
    places = {place for warning in warnings for place in warning["places"]}
    assert done.code == 0
    assert places == {f"apps/{name}.yaml:4:9" for name in releases if name != "good"}
    assert HOST in (root / "apps" / "good.yaml").read_text()
    assert set(root.rglob("*")) == before
    assert "hunter2" not in done.stdout + done.stderr
    assert not any(path.name in {"ran", "out"} for path in tmp_path.rglob("*"))
