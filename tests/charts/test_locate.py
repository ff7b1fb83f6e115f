"""Finding charts: a real HTTP server, a real registry, Helm's own files, and no network."""

import base64
import hashlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from chart_cases import CASES, Case

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.fetch.helm import HelmHome
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.fetch.store import Store
from imageshift.charts.model import ChartSource, ChartUnavailableError, SourceKind
from imageshift.net import Transport
from oci_registry import OciRegistry, serve_registry


def _archive(version: str) -> bytes:
    files = dict(Case("whole").chart().files)
    files["Chart.yaml"] = f"apiVersion: v2\nname: whole\nversion: {version}\n".encode()
    return ChartFiles(files, "whole").archive()


ARCHIVES = {version: _archive(version) for version in ("1.0.0", "1.1.0", "2.0.0-rc.1")}


@dataclass
class Site:
    """A chart repository on loopback: what it serves, and what it was asked for."""

    url: str
    files: dict[str, bytes]
    user: str = ""
    bearer: str = ""
    asked: list[str] = field(default_factory=list)


def _index(name: str = "whole") -> bytes:
    lines = ["apiVersion: v1", "entries:", "  other:", "  - version: 9.9.9", f"  {name}:"]
    for version, data in ARCHIVES.items():
        lines += [f"  - name: {name}", f"    version: {version}"]
        lines += [f"    digest: {hashlib.sha256(data).hexdigest()}"]
        lines += ["    urls:", f"    - {name}-{version}.tgz"]
    return "\n".join([*lines, "  zeta:", "  - version: 0.1.0", "generated: now", ""]).encode()


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve a chart repository."""
    made = Site("", {"/index.yaml": _index()})
    made.files |= {f"/whole-{version}.tgz": data for version, data in ARCHIVES.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            path = self.path.partition("?")[0]
            given = self.headers.get("Authorization", "")
            basic = f"Basic {base64.b64encode(made.user.encode()).decode()}"
            status = 200 if path in made.files else 404
            if (made.user and given != basic) or (
                made.bearer and path != "/token" and given != f"Bearer {made.bearer}"
            ):
                status = 401
            elif self.headers.get("If-None-Match") == '"1"':
                status = 304
            body = made.files[path] if status == 200 else b""
            self.send_response(status)
            realm = f'Bearer realm="{made.url}/token",service="here"'
            self.send_header("WWW-Authenticate", realm)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def home(tmp_path: Path) -> HelmHome:
    """Return a Helm home of its own."""
    return HelmHome.of({"HOME": str(tmp_path / "home")})


def _locator(tmp_path: Path, home: HelmHome, **given: object) -> Locator:
    return Locator(store=Store(tmp_path / "store"), home=home, **given)  # type: ignore[arg-type]


def _http(site: Site, version: str | None = None, name: str = "whole") -> ChartSource:
    return ChartSource(kind=SourceKind.HELM_HTTP, name=name, url=site.url, version=version)


@pytest.mark.parametrize(
    ("version", "expected"),
    [(None, "1.1.0"), ("1.0.x", "1.0.0"), ("1.0.0", "1.0.0"), (">=2.0.0-0", "2.0.0-rc.1")],
)
def test_versions_over_http(
    version: str | None, expected: str, site: Site, tmp_path: Path, home: HelmHome
) -> None:
    """The newest version in the range is fetched."""
    assert _locator(tmp_path, home).find(_http(site, version)).version == expected


def test_what_is_kept(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """A second run asks for the index alone, offline or with an exact version for nothing."""
    _locator(tmp_path, home).find(_http(site, "1.x"))
    site.asked.clear()

    _locator(tmp_path, home).find(_http(site, "1.x"))
    assert site.asked == ["/index.yaml"]
    _locator(tmp_path, home).find(_http(site, "1.1.0"))
    offline = _locator(tmp_path, home, transport=Transport(offline=True))
    assert offline.find(_http(site, "1.x")).version == "1.1.0"
    assert site.asked == ["/index.yaml"]


def test_one_run_asks_once(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """Found or not, a chart is looked for once in a run."""
    locator = _locator(tmp_path, home)
    locator.find(_http(site))
    for _ in range(2):
        locator.find(_http(site))
        with pytest.raises(ChartUnavailableError):
            locator.find(_http(site, name="gone"))

    assert site.asked == ["/index.yaml", "/whole-1.1.0.tgz", "/index.yaml"]


@pytest.mark.parametrize(
    ("version", "name", "message"),
    [("3.x", "whole", "no version of whole in the range 3.x"), (None, "gone", "no chart gone")],
)
def test_what_a_repository_lacks(
    version: str | None, name: str, message: str, site: Site, tmp_path: Path, home: HelmHome
) -> None:
    """A chart or a version that isn't there is named."""
    with pytest.raises(ChartUnavailableError, match=message):
        _locator(tmp_path, home).find(_http(site, version, name))


def test_a_damaged_download(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """An archive that isn't what the index's digest says is refused."""
    site.files["/whole-1.1.0.tgz"] = ARCHIVES["1.0.0"]

    with pytest.raises(ChartUnavailableError, match="digest"):
        _locator(tmp_path, home).find(_http(site))


def test_nobody_listens(tmp_path: Path, home: HelmHome) -> None:
    """A server that is down is said with its address."""
    source = ChartSource(kind=SourceKind.HELM_HTTP, name="x", url="http://127.0.0.1:9")

    with pytest.raises(ChartUnavailableError, match=r"127\.0\.0\.1:9/index\.yaml"):
        _locator(tmp_path, home).find(source)


def test_a_host_that_is_down_is_tried_once(tmp_path: Path, home: HelmHome) -> None:
    """The second chart of a host that can't be reached doesn't wait for it again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    locator = _locator(tmp_path, home)

    for name in ("one", "two"):
        with pytest.raises(ChartUnavailableError, match="refused"):
            locator.find(ChartSource(kind=SourceKind.HELM_HTTP, name=name, url=f"{url}/{name}"))
    assert len(locator.transport.unreachable) == 1


def test_a_host_that_never_answers(tmp_path: Path, home: HelmHome) -> None:
    """A server that takes the request and says nothing is given up, with its address."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        locator = _locator(tmp_path, home, transport=Transport(timeout=0.1))

        with pytest.raises(ChartUnavailableError, match=r"index\.yaml: .*timed out"):
            locator.find(ChartSource(kind=SourceKind.HELM_HTTP, name="x", url=url))


def test_a_download_that_never_ends(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """Of an answer that is too large no more is read than shows it, whatever it says first."""
    site.files["/whole-1.1.0.tgz"] = bytes(3 << 20)

    with pytest.raises(ChartUnavailableError, match=r"whole-1\.1\.0\.tgz: more than 1 MiB"):
        _locator(tmp_path, home, transport=Transport(largest=1 << 20)).find(_http(site))


def test_offline_without_a_cache(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """Offline nothing is asked."""
    with pytest.raises(ChartUnavailableError, match="isn't in the cache"):
        _locator(tmp_path, home, transport=Transport(offline=True)).find(_http(site))
    assert site.asked == []


def test_credentials_of_helm(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """User and password come from Helm's repositories.yaml; without them the hint says so."""
    site.user = "me:secret"
    with pytest.raises(ChartUnavailableError, match="401") as caught:
        _locator(tmp_path, home).find(_http(site))
    assert caught.value.hint == "log in with `helm repo add --username`"

    home.repositories.parent.mkdir(parents=True)
    home.repositories.write_text(
        f"repositories:\n- {{name: mine, url: {site.url}/, username: me, password: secret}}\n"
    )

    assert _locator(tmp_path, home).find(_http(site)).version == "1.1.0"


def test_the_cache_of_helm(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """An archive that Helm has is taken when it is the one that the index means."""
    home.cache.mkdir(parents=True)
    (home.cache / "whole-1.1.0.tgz").write_bytes(ARCHIVES["1.1.0"])
    (home.cache / "whole-1.0.0.tgz").write_bytes(b"of another repository")
    locator = _locator(tmp_path, home)

    assert locator.find(_http(site, "~1.1")).version == "1.1.0"
    assert locator.find(_http(site, "~1.0.0")).version == "1.0.0"
    assert site.asked == ["/index.yaml", "/index.yaml", "/whole-1.0.0.tgz"]


def test_the_config_names_a_folder(tmp_path: Path, home: HelmHome) -> None:
    """A `charts:` entry by URL and name, URL or name takes the place of the source."""
    url = "https://charts.example.com"
    source = ChartSource(kind=SourceKind.HELM_HTTP, name="whole", url=f"{url}/")
    for key in (f"{url}/whole", url, "whole"):
        locator = _locator(tmp_path, home, known={key: CASES / "whole" / "chart"})

        assert locator.find(source).name == "whole"


def test_a_source_without_a_place(tmp_path: Path, home: HelmHome) -> None:
    """A chart that nobody can find is said, with what to write."""
    with pytest.raises(ChartUnavailableError, match="where the chart x is") as caught:
        _locator(tmp_path, home).find(ChartSource(kind=SourceKind.LOCAL, name="x"))
    assert caught.value.hint == "name its folder under `charts:` in .imageshift.yaml"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[OciRegistry]:
    """Run a registry and push the versions with the real helm."""
    with serve_registry(tmp_path / "registry") as running:
        for version, data in {**ARCHIVES, "1.1.0+eks.1": _archive("1.1.0+eks.1")}.items():
            path = tmp_path / f"whole-{version}.tgz"
            path.write_bytes(data)
            command = ["helm", "push", str(path), f"oci://{running.host}/charts", "--plain-http"]
            subprocess.run(command, check=True, capture_output=True)
        yield running


@pytest.mark.helm
@pytest.mark.registry
def test_charts_from_a_registry(registry: OciRegistry, tmp_path: Path, home: HelmHome) -> None:
    """Tags, ranges, build data and digests all lead to the chart; a second run needs no network."""
    url = f"oci://{registry.host}/charts/whole"
    locator = _locator(tmp_path, home)

    def found(version: str | None) -> str:
        source = ChartSource(kind=SourceKind.HELM_OCI, name="whole", url=url, version=version)
        return locator.find(source).version

    assert found("1.0.0") == "1.0.0"
    assert found("~1.0") == "1.0.0"
    assert found(None) in {"1.1.0", "1.1.0+eks.1"}
    assert found("1.1.0+eks.1") == "1.1.0+eks.1"
    assert found(">=2.0.0-0") == "2.0.0-rc.1"
    with pytest.raises(ChartUnavailableError, match=r"no tag in the range 7\.x"):
        found("7.x")
    with pytest.raises(ChartUnavailableError, match=r"\(7\.0\.0\): the registry answers 404"):
        found("7.0.0")
    offline = _locator(tmp_path, home, transport=Transport(offline=True))
    source = ChartSource(kind=SourceKind.HELM_OCI, name="whole", url=url, version="1.0.0")
    assert offline.find(source).version == "1.0.0"


HTPASSWD = "robot:$2b$04$EkX9VfrYEaz6nkjhtZhKBucvvob.d7U8i6HBgoKW5YneInjJeJu6K"
"""The user robot with the password not-a-secret, as htpasswd keeps it (bcrypt)."""


@pytest.mark.registry
def test_a_registry_that_asks_for_a_login(tmp_path: Path, home: HelmHome) -> None:
    """Without Helm's login the refusal is said with a hint; with it the chart is looked for."""
    with serve_registry(tmp_path / "registry", login=HTPASSWD) as running:
        url = f"oci://{running.host}/charts/whole"
        source = ChartSource(kind=SourceKind.HELM_OCI, name="whole", url=url)
        with pytest.raises(ChartUnavailableError, match="answers 401") as caught:
            _locator(tmp_path, home).find(source)
        assert caught.value.hint == f"log in with `helm registry login {running.host}`"

        auth = base64.b64encode(b"robot:not-a-secret").decode()
        home.registry.parent.mkdir(parents=True)
        home.registry.write_text(json.dumps({"auths": {running.host: {"auth": auth}}}))
        with pytest.raises(ChartUnavailableError, match="answers 404"):
            _locator(tmp_path, home).find(source)


def test_registry_logins(home: HelmHome) -> None:
    """Helm's config.json gives a registry's user and password."""
    home.registry.parent.mkdir(parents=True)
    auth = base64.b64encode(b"me:se:cret").decode()
    home.registry.write_text(json.dumps({"auths": {"registry.example.com": {"auth": auth}}}))

    login = home.registry_login("registry.example.com")

    assert (login.username, login.password) == ("me", "se:cret")
    assert "se:cret" not in repr(login)


def test_logins_of_helpers(tmp_path: Path, home: HelmHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential helper that the config names is asked, as Docker asks it."""
    helper = tmp_path / "docker-credential-fake"
    helper.write_text('#!/bin/sh\necho "{\\"Username\\": \\"$(cat)\\", \\"Secret\\": \\"s\\"}"\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    home.registry.parent.mkdir(parents=True)
    home.registry.write_text(
        json.dumps({"credHelpers": {"one.example": "fake", "two.example": "absent"}})
    )

    assert home.registry_login("one.example").username == "one.example"
    assert home.registry_login("two.example").username == ""


def test_a_registry_with_tokens(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """A registry that wants a token gets the one that its realm gives for the login."""
    layer = ARCHIVES["1.0.0"]
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    media = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    manifest = {"layers": [{"mediaType": "x"}, {"mediaType": media, "digest": digest}]}
    site.bearer = "granted"
    site.files = {
        "/v2/org/whole/manifests/1.0.0": json.dumps(manifest).encode(),
        f"/v2/org/whole/blobs/{digest}": layer,
        "/token": b'{"token": "granted"}',
    }
    url = f"{site.url.replace('http://', 'oci://')}/org/whole"
    source = ChartSource(kind=SourceKind.HELM_OCI, name="whole", url=url, version="1.0.0")

    assert _locator(tmp_path, home).find(source).version == "1.0.0"
    assert site.asked == [
        "/v2/org/whole/manifests/1.0.0",
        "/token?service=here&scope=repository%3Aorg%2Fwhole%3Apull",
        "/v2/org/whole/manifests/1.0.0",
        f"/v2/org/whole/blobs/{digest}",
    ]


def test_something_else_than_a_chart(site: Site, tmp_path: Path, home: HelmHome) -> None:
    """An image under the chart's name is refused, and so is a layer that came damaged."""
    media = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    damaged = {"layers": [{"mediaType": media, "digest": "sha256:00"}]}
    site.files = {
        "/v2/x/manifests/1.0.0": b'{"layers": []}',
        "/v2/x/manifests/2.0.0": json.dumps(damaged).encode(),
        "/v2/x/blobs/sha256:00": b"x",
    }
    url = f"{site.url.replace('http://', 'oci://')}/x"

    for version, message in (("1.0.0", "isn't a chart"), ("2.0.0", "is damaged")):
        source = ChartSource(kind=SourceKind.HELM_OCI, name="x", url=url, version=version)
        with pytest.raises(ChartUnavailableError, match=message):
            _locator(tmp_path, home).find(source)
