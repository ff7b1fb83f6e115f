"""Indexes, tags, manifests, tokens and logins of any other shape than the one that is expected."""

import base64
import copy
import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imageshift.charts.fetch.helm import HelmHome
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.fetch.store import Store
from imageshift.charts.model import ChartError, ChartSource, ChartUnavailableError, SourceKind
from imageshift.net import Login, Transport, registry_login
from imageshift.warm.registry import Absent, Manifest, RegistryClient
from web_server import Web, page, serve

pytestmark = pytest.mark.once

FUZZED = settings(
    max_examples=int(os.environ.get("IMAGESHIFT_SHAPES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
LAYER = b"no archive"
DIGEST = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"
MEDIA = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
INDEX = {
    "apiVersion": "v1",
    "entries": {"x": [{"version": "1.0.0", "urls": ["x-1.0.0.tgz"], "digest": DIGEST}]},
}
MANIFEST = {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "layers": [{"mediaType": MEDIA, "digest": DIGEST, "size": len(LAYER)}],
    "manifests": [{"digest": DIGEST, "platform": {"os": "linux", "architecture": "amd64"}}],
    "errors": [{"code": "DENIED", "message": "no"}],
}
CONFIG = {
    "auths": {"a.test": {"auth": base64.b64encode(b"robot:planted").decode()}},
    "credHelpers": {"b.test": "fake"},
    "credsStore": "",
}
REPOSITORIES = {"repositories": [{"name": "x", "url": "http://a.test", "username": "u"}]}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.sampled_from(["", "../x", "http://[::1", "file:///etc/passwd", "1" * 5000, "*", "\0", "x"])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(data: Any) -> Iterator[tuple[Any, ...]]:
    """Return the way to each part of some data, the whole included."""
    yield ()
    if isinstance(data, dict | list):
        for key, item in data.items() if isinstance(data, dict) else enumerate(data):
            yield from ((key, *rest) for rest in places(item))


def spoiled(data: Any) -> st.SearchStrategy[Any]:
    """Return the data with anything in place of any of its parts."""

    def put(place: tuple[Any, ...], value: Any) -> Any:
        if not place:
            return value
        made = copy.deepcopy(data)
        inner = made
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
        return made

    return st.builds(put, st.sampled_from(sorted(places(data), key=str)), ANYTHING)


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    """Run a server whose pages each example changes."""
    with serve() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> HelmHome:
    """Return a Helm home of its own."""
    return HelmHome.of({"HOME": str(tmp_path / "home")})


def locator(home: HelmHome) -> Locator:
    """Return a locator without a cache that gives up soon."""
    return Locator(Store(None), home, Transport(timeout=5.0, deadline=5.0, backoff=0.0))


def find(web: Web, home: HelmHome, kind: SourceKind, version: str | None = None) -> None:
    """Look for the chart on a server; it isn't found, since its archive is none."""
    url = web.url if kind is SourceKind.HELM_HTTP else f"oci://{web.host}/x"
    with pytest.raises(ChartError):
        locator(home).find(ChartSource(kind=kind, name="x", url=url, version=version))


@FUZZED
@given(data=spoiled(INDEX), as_yaml=st.booleans())
def test_any_index(data: Any, as_yaml: bool, web: Web, home: HelmHome) -> None:  # noqa: FBT001
    """An index of any shape ends as an error of that chart alone."""
    text = ("# as YAML\n" if as_yaml else "") + json.dumps(data)
    web.pages = {"/index.yaml": page(text), "*": page(LAYER)}

    find(web, home, SourceKind.HELM_HTTP)


YAML_BOMB = "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)
HALF = '{"entries": {"x": [{"version": "1.0.0", "urls": %s}]}}'
INDEXES = {
    "nothing": "",
    "a text": "hello",
    "a list": "[]",
    "no entries": "apiVersion: v1",
    "entries a list": "entries: []",
    "entries a text": "entries: x",
    "a chart a text": "entries: {x: y}",
    "a chart a map": "entries: {x: {version: 1.0.0}}",
    "versions without a version": "entries: {x: [{}, 7, null, [], {version: null}]}",
    "versions of odd types": "entries: {x: [{version: [1]}, {version: {}}, {version: true}]}",
    "a long version": "entries: {x: [{version: '" + "9" * 5000 + "'}]}",
    "urls a text": "entries: {x: [{version: 1.0.0, urls: x}]}",
    "urls of a number": "entries: {x: [{version: 1.0.0, urls: [7]}]}",
    "urls of a map": "entries: {x: [{version: 1.0.0, urls: [{}]}]}",
    "an address that is none": "entries: {x: [{version: 1.0.0, urls: ['http://[::1']}]}",
    "an address with half a character": HALF % '["\\ud800"]',
    "halves of a character in YAML": "# YAML\n" + HALF % '["\\ud800\\udc00"]',
    "an address of a file": "entries: {x: [{version: 1.0.0, urls: ['file:///etc/passwd']}]}",
    "an address of metadata": "entries: {x: [{version: 1.0.0, urls: ['http://169.254.169.254/']}]}",
    "aliases of aliases": f"a: &a x\n{YAML_BOMB}entries: *j\n",
    "an anchor in itself": "entries: &a {x: *a}",
    "deep": "entries: " + "[" * 300 + "]" * 300,
    "deep JSON": '{"entries": {"x": ' + "[" * 20_000 + "]" * 20_000 + "}}",
    "broken JSON": '{"entries": ',
    "JSON with a tail": '{"entries": {}} x',
    "no UTF-8": b"entries: {x: [{version: '\xff\xfe'}]}",
    "a tag": "entries: !!python/object/apply:os.system [id]",
    "HTML": "<html><body>log in</body></html>",
    "one line of text": "x" * 1_000_000,
}


@pytest.mark.parametrize("text", INDEXES.values(), ids=INDEXES)
def test_odd_indexes(text: str | bytes, web: Web, home: HelmHome) -> None:
    """Odd indexes end soon, as an error of the chart."""
    web.pages = {"/index.yaml": page(text), "*": page(LAYER)}
    started = time.monotonic()

    find(web, home, SourceKind.HELM_HTTP)
    assert time.monotonic() - started < 5


def test_an_index_that_is_too_large(web: Web, home: HelmHome) -> None:
    """An index that would have to be parsed as a whole has a limit, and so has one chart's part."""
    lines = "\n".join(f"  c{n}:\n  - version: 1.0.0" for n in range(1_000_000))
    web.pages = {"/index.yaml": page(f"entries:\n{lines}\n")}
    with pytest.raises(ChartUnavailableError, match="more than 24 MiB"):
        locator(home).find(ChartSource(kind=SourceKind.HELM_HTTP, name="x", url=web.url))


@FUZZED
@given(manifest=spoiled(MANIFEST))
def test_any_manifest(manifest: Any, web: Web, home: HelmHome) -> None:
    """A manifest of any shape ends as an error of that chart, or as an image's digest."""
    web.pages = {"*": page(json.dumps(manifest)), f"/v2/x/blobs/{DIGEST}": page(LAYER)}

    find(web, home, SourceKind.HELM_OCI, "1.0.0")
    client = RegistryClient(web.host, backoff=0.0)
    assert isinstance(client.manifest("x", "1.0.0"), Manifest)
    web.pages["*"] = page(json.dumps(manifest), status=404)
    assert isinstance(client.manifest("x", "1.0.0"), Absent)


@FUZZED
@given(tags=spoiled({"name": "x", "tags": ["1.0.0", "2.0.0"]}))
def test_any_list_of_tags(tags: Any, web: Web, home: HelmHome) -> None:
    """A list of tags of any shape ends as an error of that chart alone."""
    web.pages = {"*": page(status=404), "/v2/x/tags/list": page(json.dumps(tags))}

    find(web, home, SourceKind.HELM_OCI)


@FUZZED
@given(token=ANYTHING)
def test_any_token(token: Any, web: Web, home: HelmHome) -> None:
    """A token of any shape ends as an error of that chart alone."""
    challenge = {"WWW-Authenticate": f'Bearer realm="{web.url}/token"'}
    web.pages = {"*": page(status=401, headers=challenge), "/token": page(json.dumps(token))}

    find(web, home, SourceKind.HELM_OCI, "1.0.0")


@FUZZED
@given(config=spoiled(CONFIG))
def test_any_docker_config(config: Any, tmp_path: Path) -> None:
    """A config.json of any shape gives a login or none."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))

    for host in ("a.test", "b.test", "c.test"):
        assert isinstance(registry_login([path], host), Login)


CONFIGS = {
    "nothing": (b"", "it isn't JSON"),
    "YAML": (b"auths: {}", "it isn't JSON"),
    "a list": (b"[]", "it isn't a mapping"),
    "deep": (b"[" * 100_000, "it isn't JSON"),
    "no UTF-8": (b'{"auths": {"\xff": {}}}', "it isn't JSON"),
    "auths a list": (b'{"auths": [1]}', "auths isn't a mapping"),
    "helpers a text": (b'{"credHelpers": "x"}', "credHelpers isn't a mapping"),
    "a login a text": (b'{"auths": {"a.test": "x"}}', "the login for a.test isn't a mapping"),
    "no base64": (
        b'{"auths": {"a.test": {"auth": "planted!"}}}',
        "the login for a.test can't be decoded",
    ),
    "no text in base64": (
        b'{"auths": {"a.test": {"auth": "//79"}}}',
        "the login for a.test can't be decoded",
    ),
    "a helper with a path": (
        b'{"credsStore": "../../planted"}',
        "it names no credential helper that can be run",
    ),
    "a helper with an option": (
        b'{"credsStore": "x --planted"}',
        "it names no credential helper that can be run",
    ),
    "a helper that is a map": (
        b'{"credsStore": {}, "credHelpers": {"a.test": {"x": 1}}}',
        "it names no credential helper that can be run",
    ),
}


@pytest.mark.parametrize(("text", "expected"), CONFIGS.values(), ids=CONFIGS)
def test_odd_docker_configs(text: bytes, expected: str, tmp_path: Path) -> None:
    """A config.json that can't be used is as good as none, and its login says why."""
    path = tmp_path / "config.json"
    path.write_bytes(text)

    login = registry_login([path], "a.test")

    assert login.header == {}
    assert login.note == f"{path}: {expected}"


def test_the_next_config_counts(tmp_path: Path) -> None:
    """A config.json that can't be used doesn't hide the login in the next one."""
    first, second = tmp_path / "helm.json", tmp_path / "docker.json"
    first.write_text("garbage")
    second.write_text(json.dumps(CONFIG))

    assert registry_login([first, second], "a.test").username == "robot"


def test_a_config_that_never_ends(tmp_path: Path) -> None:
    """A config.json that is a device or a pipe is as good as none."""
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)

    for path in (Path("/dev/zero"), pipe):
        assert "a regular file" in registry_login([path], "a.test").note


HELPERS = {
    "garbage": ("echo hello", "it isn't JSON"),
    "a list": ("echo '[]'", "its answer isn't a mapping"),
    "no keys": ("echo '{}'", "it returned no login"),
    "odd keys": ("""echo '{"Username": 7, "Secret": []}'""", "it returned no login"),
    "no UTF-8": (r"""printf '{"Username": "\377", "Secret": "x"}'""", "it isn't JSON"),
    "too much": ("yes", "wrote more than 1 MiB"),
    "refusal": ("echo credentials not found; exit 1", None),
}


@pytest.mark.parametrize(("script", "expected"), HELPERS.values(), ids=HELPERS)
def test_odd_helpers(
    script: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A helper that fails gives no login, and the note says how."""
    login = helped(script, tmp_path, monkeypatch)

    assert login.header == {}
    assert (expected or "") in login.note
    assert bool(login.note) is (expected is not None)


def helped(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Login:
    """Return the login for a host that a helper answers for."""
    helper = folder / "docker-credential-odd"
    helper.write_text(f"#!/bin/sh\n{script}\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    path = folder / "config.json"
    path.write_text(json.dumps({"credsStore": "odd"}))
    return registry_login([path], "a.test")


def test_a_helper_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper that hangs is stopped, and not asked again for the same host."""
    from imageshift.net import credentials  # noqa: PLC0415 its limit is made short
    from imageshift.tool import Limits  # noqa: PLC0415

    monkeypatch.setattr(credentials, "_LIMITS", Limits(seconds=1.5))
    started = time.monotonic()
    login = helped("sleep 60", tmp_path, monkeypatch)
    again = registry_login([tmp_path / "config.json"], "a.test")

    assert "took longer than 1.5 s" in login.note
    assert again == login
    assert time.monotonic() - started < 2.9


def test_what_a_helper_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper has our environment, since it needs its own settings, and not our folder."""
    monkeypatch.setenv("AWS_PROFILE", "team")
    script = """echo "{\\"Username\\": \\"$AWS_PROFILE $PWD $1\\", \\"Secret\\": \\"s\\"}\""""

    assert helped(script, tmp_path, monkeypatch).username == "team / get"


def test_a_helper_in_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative entry of PATH leads to no helper: it would be the repository's program."""
    mark = tmp_path / "ran"
    monkeypatch.chdir(tmp_path)
    helped(f"touch {mark}", tmp_path, monkeypatch)
    mark.unlink()
    credentials_path = tmp_path / "config.json"
    credentials_path.write_text(json.dumps({"credHelpers": {"c.test": "odd"}}))

    for entry in (".", "", "./."):
        monkeypatch.setenv("PATH", f"{entry}:/usr/bin:/bin")
        assert registry_login([credentials_path], "c.test") == Login()
    assert not mark.exists()


@FUZZED
@given(data=spoiled(REPOSITORIES))
def test_any_list_of_repositories(data: Any, tmp_path: Path) -> None:
    """A repositories.yaml of any shape gives a login or none."""
    home = HelmHome.of({"HOME": str(tmp_path)})
    home.repositories.parent.mkdir(parents=True, exist_ok=True)
    home.repositories.write_text(json.dumps(data))

    assert isinstance(home.repository_login("http://a.test"), Login)


def test_a_list_of_repositories_that_is_none(web: Web, home: HelmHome) -> None:
    """Where Helm's list can't be read, the refusal of a repository says so."""
    home.repositories.parent.mkdir(parents=True)
    home.repositories.write_text("repositories: 7")
    web.pages = {"*": page(status=401)}

    with pytest.raises(ChartUnavailableError) as caught:
        locator(home).find(ChartSource(kind=SourceKind.HELM_HTTP, name="x", url=web.url))
    assert caught.value.hint == (
        f"log in with `helm repo add --username`; {home.repositories} contains no list of "
        "repositories"
    )


def test_a_home_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without HOME, and for a user that the system doesn't know, Helm's places are still given."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)

    home = HelmHome.of({})

    assert home.repository_login("http://a.test") == Login()
    assert home.kept("x-index.yaml") is None
    assert isinstance(Store.default(), Store)


def test_answers_of_a_registry_for_warm(web: Web) -> None:
    """One image whose answer can't be used is absent, and doesn't stop the others."""
    web.pages = {
        "/v2/a/manifests/1": page(bytes(9 << 20)),
        "/v2/b/manifests/1": page(status=302, headers={"Location": "http://169.254.169.254/"}),
        "/v2/c/manifests/1": page("{}", headers={"Docker-Content-Digest": DIGEST}),
        "/v2/d/manifests/1": page("x" * 3_000_000, status=500),
        "/v2/e/manifests/1": page("[" * 100_000),
    }
    client = RegistryClient(web.host, backoff=0.0)
    found = {name: client.manifest(name, "1") for name in "abcde"}

    said = {name: one.message for name, one in found.items() if isinstance(one, Absent)}
    assert "more than 8 MiB" in said["a"]
    assert "link-local" in said["b"]
    assert "doesn't match its digest" in said["c"]
    assert said["d"] == "the registry answered 500"
    assert isinstance(found["e"], Manifest)


def test_modes_of_what_is_kept(tmp_path: Path) -> None:
    """What is kept can be read by nobody else."""
    store = Store(tmp_path / "cache" / "charts")
    store.keep(b"x", "http://a.test", "1")

    [file] = store.folder.iterdir() if store.folder else []
    assert store.get("http://a.test", "1") == b"x"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
