"""To whom a registry's login goes, and what registries may answer."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from imageshift.errors import AnswerError, NetworkError
from imageshift.net import Login, Registry, Transport, registry_login
from imageshift.net.registry import is_token_server
from imageshift.net.url import parse_url
from web_server import Page, Web, make_certificate, page, serve

pytestmark = pytest.mark.once

LOGIN = Login("robot", "planted")
BASIC = LOGIN.header["Authorization"]
MANIFEST = b'{"layers": []}'


def registry(web: Web, login: Login = LOGIN) -> Registry:
    """Return a client of the registry on a server."""
    return Registry(web.host, login, Transport(timeout=5.0, deadline=5.0, backoff=0.0))


def behind(challenge: str, answer: Page) -> Page:
    """Return a page that asks for a login by a challenge first."""

    def guarded(handler: BaseHTTPRequestHandler) -> None:
        given = handler.headers.get("Authorization")
        refused = page(status=401, headers={"WWW-Authenticate": challenge})
        (refused if given is None else answer)(handler)

    return guarded


@pytest.fixture
def web() -> Iterator[Web]:
    """Run the registry."""
    with serve() as running:
        yield running


@pytest.fixture
def other() -> Iterator[Web]:
    """Run a server that gives a token to anybody."""
    with serve({"*": page('{"token": "granted"}')}) as running:
        yield running


def test_basic(web: Web) -> None:
    """A login goes to the registry when it asks, and from then on at once."""
    web.pages["*"] = behind('Basic realm="x"', page(MANIFEST))
    client = registry(web)

    assert client.manifest("a/b", "1", "*/*").status == 200
    assert client.manifest("c", "1", "*/*").status == 200
    assert web.logins == [None, BASIC, BASIC]


def test_a_token_of_the_registry_itself(web: Web) -> None:
    """A token server at the registry's own place gets the login, and the registry the token."""
    challenge = f'Bearer realm="{web.url}/token?x=1",service="s"'
    web.pages = {
        "*": behind(challenge, page(MANIFEST)),
        "/token": page('{"access_token": "granted"}'),
    }

    assert registry(web).manifest("a/b", "1", "*/*").status == 200
    assert web.logins == [None, BASIC, "Bearer granted"]
    assert web.paths[1] == "/token?x=1&service=s&scope=repository%3Aa%2Fb%3Apull"


def test_a_token_server_elsewhere(web: Web, other: Web) -> None:
    """A token server elsewhere is asked without the login, and a refusal says so."""
    denied = page(status=403)
    web.pages["*"] = behind(f'Bearer realm="{other.url}/token"', denied)
    client = registry(web)

    assert client.manifest("a/b", "1", "*/*").status == 403
    assert other.logins == [None]
    assert web.logins == [None, "Bearer granted"]
    assert client.note == (
        f"{web.host} asks for a token from {other.url}, which doesn't get its login"
    )


@pytest.mark.parametrize(
    ("host", "realm", "expected"),
    [
        ("registry.example.com", "https://registry.example.com/token", True),
        ("registry.example.com:5000", "https://registry.example.com:5001/auth", True),
        ("docker.io", "https://auth.docker.io/token", True),
        ("registry-1.docker.io", "https://auth.docker.io/token", True),
        ("ghcr.io", "https://ghcr.io/token", True),
        ("quay.io", "https://quay.io/v2/auth", True),
        ("public.ecr.aws", "https://public.ecr.aws/token/", True),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("europe-docker.pkg.dev", "https://europe-docker.pkg.dev/v2/token", True),
        ("registry.example.com", "http://registry.example.com/token", False),
        ("registry.example.com", "https://auth.example.com/token", False),
        ("registry.example.com", "https://registry.example.com.evil.test/token", False),
        ("registry.example.com", "https://auth.docker.io/token", False),
        ("docker.io", "http://auth.docker.io/token", False),
        ("docker.io", "https://auth.docker.io.evil.test/token", False),
        ("gitlab.com", "https://registry.gitlab.com/jwt/auth", False),
        ("127.0.0.1:5000", "http://127.0.0.1:5000/token", True),
        ("127.0.0.1:5000", "http://127.0.0.1:5001/token", False),
        ("127.0.0.1:5000", "http://localhost:5000/token", False),
    ],
)
def test_token_servers(host: str, realm: str, expected: bool) -> None:  # noqa: FBT001
    """The login leaves for the same host by https, or for the token server known to be its own."""
    assert is_token_server(host, parse_url(realm)) is expected


def test_a_token_server_by_tls(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another port of the same host gets the login by https, and no token by http."""
    certificate = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serve({"*": page('{"token": "granted"}')}, certificate=certificate) as tokens:
        web.pages["*"] = behind(f'Bearer realm="{tokens.url}/token"', page(MANIFEST))
        assert registry(web).manifest("a/b", "1", "*/*").status == 200
        assert tokens.logins == [BASIC]


def test_a_redirect_of_a_blob(web: Web, other: Web) -> None:
    """A blob comes from another host without the login, and is checked like any other."""
    digest = f"sha256:{hashlib.sha256(b'layer').hexdigest()}"
    moved = page(status=307, headers={"Location": f"{other.url}/blob?X-Amz-Signature=planted"})
    web.pages["*"] = behind("Basic", moved)
    other.pages["*"] = page("layer")
    assert registry(web).blob("a", digest).body == b"layer"

    other.pages["*"] = page("another layer")
    with pytest.raises(AnswerError, match="damaged"):
        registry(web).blob("a", digest)
    assert other.logins == [None, None]


def test_pages_of_tags(web: Web) -> None:
    """Tags come page by page."""

    def tags(handler: BaseHTTPRequestHandler) -> None:
        link = {"Link": '</v2/a/tags/list?last=1>; rel="next"'}
        second = handler.path.endswith("last=1")
        page('{"tags": ["2"]}' if second else '{"tags": ["1"]}', headers={} if second else link)(
            handler
        )

    web.pages["*"] = tags
    assert registry(web).tags("a") == ["1", "2"]


@pytest.mark.parametrize(
    "link",
    [
        '<{other}/v2/a/tags/list>; rel="next"',
        '<//{host}/v2/a/tags/list>; rel="next"',
        '</v2/other/tags/list>; rel="next"',
        '<file:///etc/passwd>; rel="next"',
        '<http://169.254.169.254/>; rel="next"',
        '</v2/a/tags/list?again>; rel="next"',
        '</v2/a/../secret/tags/list>; rel="next"',
    ],
)
def test_a_next_page_elsewhere(link: str, web: Web, other: Web) -> None:
    """The next page is asked for only below the repository, and the pages have an end."""
    text = link.format(other=other.url, host=other.host)
    web.pages["*"] = page('{"tags": ["1"]}', headers={"Link": text})

    with pytest.raises(NetworkError, match=r"isn't followed|pages of tags|isn't an http"):
        registry(web).tags("a")
    assert other.asked == []
    assert {path.partition("?")[0] for path in web.paths} == {"/v2/a/tags/list"}


@pytest.mark.parametrize(
    ("repository", "reference"),
    [
        ("../secret", "1"),
        ("a/../b", "1"),
        ("a//b", "1"),
        ("", "1"),
        ("a b", "1"),
        ("a?x", "1"),
        ("a#x", "1"),
        ("a\r\nX: y", "1"),
        ("a", "../blobs/x"),
        ("a", "1?x"),
        ("a", ""),
        ("a", "sha256:../x"),
        ("a", "1\r\nX: y"),
        ("a", "x" * 129),
    ],
)
def test_names_that_are_none(web: Web, repository: str, reference: str) -> None:
    """What is no name of a repository or tag never becomes a part of a URL."""
    with pytest.raises(NetworkError, match=r"isn't a repository|is neither a tag nor a digest"):
        registry(web).manifest(repository, reference, "*/*")
    assert web.asked == []


@pytest.mark.parametrize(
    "host", ["", "a/b", "a@b", "a b", "a:b", "a\nb", "[::1", "a?b", "a#b", "a%2fb"]
)
def test_hosts_that_are_none(host: str) -> None:
    """What is no host is refused before anything is asked."""
    with pytest.raises(NetworkError, match="host"):
        Registry(host, Login(), Transport()).tags("a")


@pytest.mark.parametrize("told", [None, "header", "reference"])
def test_a_manifest_that_is_another(told: str | None, web: Web) -> None:
    """A manifest is checked against the digest that was asked for, or that comes with it."""
    wrong = f"sha256:{'0' * 64}"
    headers = {"Docker-Content-Digest": wrong} if told == "header" else {}
    web.pages["*"] = page(MANIFEST, headers=headers)

    def ask() -> Any:
        return registry(web).manifest("a", wrong if told == "reference" else "1", "*/*").body

    if told is None:
        assert ask() == MANIFEST
    else:
        with pytest.raises(AnswerError, match="doesn't match its digest"):
            ask()


CHALLENGES: list[Callable[[Web], str]] = [
    lambda _: "",
    lambda _: "Bearer",
    lambda _: "Bearer realm=",
    lambda _: 'Bearer realm="',
    lambda _: 'Bearer realm=""',
    lambda _: 'Bearer realm="file:///etc/passwd"',
    lambda _: 'Bearer realm="http://169.254.169.254/latest/api/token"',
    lambda _: 'Bearer realm="http://robot:planted@[::1/"',
    lambda web: f'Bearer realm="{web.url}/token",scope="{"x" * 60000}"',
    lambda _: "Bearer " + "a" * 60000,
    lambda _: "Bearer " + 'a="' * 20000,
    lambda _: "Negotiate abc",
]


@pytest.mark.parametrize("number", range(len(CHALLENGES)))
def test_odd_challenges(number: int, web: Web) -> None:
    """Whatever a registry asks for, the answer is a refusal or an error that can be read."""
    web.pages["*"] = page(status=401, headers={"WWW-Authenticate": CHALLENGES[number](web)})

    started = time.monotonic()
    try:
        assert registry(web).manifest("a", "1", "*/*").status == 401
    except NetworkError as error:
        assert "planted" not in str(error)  # noqa: PT017
    assert set(web.logins) <= {None, BASIC}
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "no JSON",
        "[]",
        "7",
        "{}",
        '{"token": 7}',
        '{"token": ""}',
        '{"token": ["x"]}',
        '{"token": "x\\r\\nX-Injected: y"}',
        '{"token": "\\u00fc"}',
        '{"token": "a b"}',
        "[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_odd_tokens(answer: str | bytes, web: Web) -> None:
    """A token that is none is an error, and never a header."""
    web.pages = {
        "*": page(status=401, headers={"WWW-Authenticate": f'Bearer realm="{web.url}/token"'}),
        "/token": page(answer),
    }
    with pytest.raises(AnswerError, match=r"token"):
        registry(web).manifest("a", "1", "*/*")
    assert all("x-injected" not in one.headers for one in web.asked)


def test_auth_of_docker_hub(tmp_path: Path) -> None:
    """Docker keeps the login of Docker Hub under an address of its own."""
    path = tmp_path / "config.json"
    auth = base64.b64encode(b"robot:planted").decode()
    path.write_text(json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": auth}}}))

    for host in ("docker.io", "registry-1.docker.io", "index.docker.io"):
        assert registry_login([path], host) == LOGIN
    assert registry_login([path], "index.docker.io.evil.test") == Login()
