"""What can go wrong with one release's chart, while the others go on: messages, places, codes."""

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from migrate_cases import HOST, REGISTRY, run

from imageshift.charts.fetch import files
from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import RenderOptions, Values
from imageshift.charts.rendering.render import Manifests, Renderer, SdkRenderer
from imageshift.charts.solving import decide as deciding
from imageshift.verify import proof as proving

pytestmark = pytest.mark.once

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: apps
spec:
  chart:
    spec:
      chart: {chart}
      sourceRef: {{kind: {kind}, name: {source}}}
"""
REPOSITORY = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata:
  name: {name}
  namespace: apps
spec:
  url: {url}
"""
POD = "kind: Pod\nspec:\n  containers:\n    - image: {{ .Values.image }}\n"
VALUES = "image: quay.io/org/app:1\n"
SCHEMA = '{"properties": {"image": {"type": "integer"}}}'
SLOW = "{{ range until 4000 }}{{ range until 4000 }}{{ end }}{{ end }}"

FAULTS = {
    "lacks": "no such chart|no chart in charts/lacks",
    "missing": "no chart missing",
    "down": "refused",
    "schema": "got string, want integer",
    "fails": "no cluster is named",
    "slow": "took longer than",
    "huge": "more than 0 MiB",
}
"""What the message of each release says, as a regular expression."""


@pytest.fixture
def repository() -> Iterator[str]:
    """Serve a chart repository in which no chart is."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"apiVersion: v1\nentries: {}\n"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent() -> str:
    """Return the address of a port on which nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


class _Impatient:
    """Helm's SDK with little patience for the slow chart alone."""

    version = "impatient"

    def render(
        self, chart: ChartFiles, values: Values, options: RenderOptions, *, schemas: bool = False
    ) -> Manifests:
        """Render as the SDK does."""
        renderer = SdkRenderer(timeout=0.01) if chart.name == "slow" else SdkRenderer()
        return renderer.render(chart, values, options, schemas=schemas)


@pytest.fixture
def tree(tmp_path: Path, repository: str, silent: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a tree with a release for each fault, and a good one."""
    pytest.importorskip("helm_python", reason="needs imageshift[charts]")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "_LARGEST", 1000)
    for module in (deciding, proving):
        monkeypatch.setattr(module, "find_renderer", _impatient)
    root = tmp_path / "tree"
    (root / ".git").mkdir(parents=True)
    (root / "apps").mkdir()
    for name in (*FAULTS, "good"):
        chart, kind, source = f"./charts/{name}", "GitRepository", "flux-system"
        if name in {"missing", "down"}:
            chart, kind, source = name, "HelmRepository", name
        text = RELEASE.format(name=name, chart=chart, kind=kind, source=source)
        (root / "apps" / f"{name}.yaml").write_text(text)
    for name, url in (("missing", repository), ("down", silent)):
        (root / f"source-{name}.yaml").write_text(REPOSITORY.format(name=name, url=url))
    for name, template in (
        ("good", POD),
        ("schema", POD),
        ("slow", SLOW + POD),
        ("huge", POD + "#" * 1000),
        ("fails", '{{ fail "no cluster is named" }}'),
    ):
        _write_chart(root / "charts" / name, template)
    (root / "charts" / "schema" / "values.schema.json").write_text(SCHEMA)
    return root


def _impatient() -> Renderer:
    return _Impatient()


def _write_chart(folder: Path, template: str) -> None:
    (folder / "templates").mkdir(parents=True)
    meta = f"apiVersion: v2\nname: {folder.name}\nversion: 1.0.0\n"
    (folder / "Chart.yaml").write_text(meta)
    (folder / "values.yaml").write_text(VALUES)
    (folder / "templates" / "a.yaml").write_text(template)


@pytest.mark.parametrize(("mode", "code"), [("auto", 0), ("require", 4)])
def test_migrate_says_each_and_does_the_rest(mode: str, code: int, tree: Path) -> None:
    """Each release is named with its place and reason; the good one moves all the same."""
    done = run(tree, "migrate", "apps", *REGISTRY, "--charts", mode, "--format", "json")
    warnings = [w for w in done.report["warnings"] if w["code"] == "chart-unavailable"]
    places = {place for warning in warnings for place in warning["places"]}

    assert done.code == code
    assert places == {f"apps/{name}.yaml:4:9" for name in FAULTS}
    assert HOST in (tree / "apps" / "good.yaml").read_text()


def test_each_says_why(tree: Path) -> None:
    """The text report has the reason of each release above its place, without the tree's path."""
    said = run(tree, "scan", "apps", "--verbose", *REGISTRY).stdout.splitlines()
    places = {name: said.index(f"  apps/{name}.yaml:4:9") for name in FAULTS}

    for name, reason in FAULTS.items():
        assert re.search(rf"chart-unavailable: apps/{name}: .*{reason}", said[places[name] - 1])
    assert str(tree) not in "".join(said)


def test_check_says_why_it_fails(tree: Path) -> None:
    """A check that needs charts names those that it couldn't have, with place, reason and hint."""
    run(tree, "migrate", "apps", *REGISTRY)

    done = run(tree, "check", "apps", *REGISTRY, "--charts", "require")
    said = done.stderr.splitlines()

    assert (done.code, done.stdout) == (4, "")
    for name, reason in FAULTS.items():
        line = next(line for line in said if line.startswith(f"apps/{name}.yaml:4:9: "))
        assert re.search(f"chart-unavailable: apps/{name}: .*{reason}", line)


def test_verify_proves_the_rest(tree: Path) -> None:
    """What can't be rendered is a problem with place and reason; the rest is proven, exit 4."""
    base = shutil.copytree(tree, tree.parent / "base")
    run(tree, "migrate", "apps", *REGISTRY)

    done = run(tree, "verify", "apps", *REGISTRY, "--base", str(base), "--format", "json")
    problems = {row["place"]: row["message"] for row in done.report["problems"]}
    releases = [row for row in done.report["renders"] if row["kind"] == "HelmRelease"]

    assert done.code == 4
    assert [(row["name"], row["equal"]) for row in releases] == [("good", True)]
    assert problems.keys() == {f"apps/{name}.yaml:1" for name in FAULTS}
    for name, reason in FAULTS.items():
        assert re.search(reason, problems[f"apps/{name}.yaml:1"])
