"""What a server may do to us: be slow, endless, or lead us elsewhere."""

import gzip
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from imageshift.errors import NetworkError
from imageshift.net import Login, Transport, address
from imageshift.net.address import Reach, judge
from web_server import Page, Web, closed_port, drip, make_certificate, page, serve

pytestmark = pytest.mark.once

HEAD = b"HTTP/1.1 200 OK\r\n"
LOGIN = Login("robot", "planted")


def quick(**given: Any) -> Transport:
    """Return a transport that doesn't wait between tries."""
    return Transport(**{"timeout": 5.0, "deadline": 10.0, "backoff": 0.0, **given})


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for loopback."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost", "a.test", "b.test")


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trust the certificate as the system's own ones are trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Give names of `.test` their addresses: each look-up takes the first, and keeps the last."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
        if host in known:
            found = known[host]
            host = found.pop(0) if len(found) > 1 else found[0]
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


SLOW = {
    "nothing": drip(b"", b""),
    "a status line by bytes": drip(b"HTTP/1.1 2", b"0"),
    "headers by bytes": drip(HEAD + b"X: ", b"x"),
    "headers by lines": drip(HEAD, b"X: y\r\n", 0.1),
    "interim answers": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body by bytes": drip(HEAD + b"Content-Length: 999999\r\n\r\n", b"x"),
    "a body without a length": drip(HEAD + b"\r\n", b"x"),
    "chunks": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a chunk's size": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "trailers": drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_a_slow_server(slow: Page) -> None:
    """A request ends at its deadline, however the server spreads its bytes."""
    with serve({"*": slow}) as web:
        started = time.monotonic()
        with pytest.raises(NetworkError, match=r"too long|read"):
            quick(deadline=0.5).get(f"{web.url}/x")

    assert time.monotonic() - started < 2
    assert len(web.asked) <= 3


def test_a_silent_tls_server() -> None:
    """A server that takes the connection and never shakes hands is given up at the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        started = time.monotonic()
        with pytest.raises(NetworkError, match="too long"):
            quick(deadline=0.5).get(f"https://127.0.0.1:{mute.getsockname()[1]}/x")

    assert time.monotonic() - started < 2


def test_hosts_that_never_answer() -> None:
    """All silent hosts of a run together take no more than the run's patience."""
    transport = quick(timeout=0.2, patience=0.1)
    mutes = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    said = []
    for mute in mutes:
        with pytest.raises(NetworkError) as caught:
            transport.get(f"http://127.0.0.1:{mute.getsockname()[1]}/x")
        said.append(str(caught.value).partition(": ")[2])
        mute.close()

    refused = "not contacted, since too many servers failed before it"
    assert said == ["timed out", refused, refused, refused]


def test_a_host_that_answers_some_requests() -> None:
    """An answer that breaks off doesn't count against its host; silence does the second time."""
    with serve({"/broken": fail_first(99), "/slow": SLOW["nothing"], "/x": page("ok")}) as web:
        transport = quick(timeout=0.5)
        with pytest.raises(NetworkError, match="can be read"):
            transport.get(f"{web.url}/broken")
        urls = [f"{web.url}/{path}" for path in ("slow", "x", "slow", "x")]
        said = [said_of(transport, url).partition(": ")[2] for url in urls]

    assert said == ["timed out", "", "timed out", "timed out"]
    assert web.paths.count("/x") == 1


def bomb(layers: int = 1) -> bytes:
    """Return two megabytes of zeros, compressed over and over."""
    data = bytes(2 << 20)
    for _ in range(layers):
        data = gzip.compress(data)
    return data


LARGE = {
    "a body": page(bytes(2 << 20)),
    "no length": drip(HEAD + b"\r\n", bytes(1 << 16), 0),
    "a false length": page(b"", headers={"Content-Length": "99999999999999"}),
    "a negative length": page(b"x", headers={"Content-Length": "-1"}),
    "gzip": page(bomb(), headers={"Content-Encoding": "gzip"}),
    "gzip in gzip": page(bomb(2), headers={"Content-Encoding": "gzip, gzip"}),
    "many encodings": page(b"x", headers={"Content-Encoding": ", ".join(["gzip"] * 99)}),
    "what is no gzip": page(b"garbage", headers={"Content-Encoding": "gzip"}),
    "many headers": drip(HEAD, b"X: y\r\n", 0),
    "a long header": drip(HEAD + b"X: ", bytes(1 << 16), 0),
    "a long status line": drip(b"HTTP/1.1 200 ", b"x" * 4096, 0),
    "another protocol": drip(b"SSH-2.0-OpenSSH_9.9\r\n", b"\r\n", 0),
}


@pytest.mark.parametrize("large", LARGE.values(), ids=LARGE)
def test_a_large_or_broken_answer(large: Page) -> None:
    """Nothing is read past the limit, compressed or not, and every broken answer is an error."""
    with serve({"*": large}) as web:
        said = said_of(quick(largest=1 << 20, deadline=5.0, timeout=1.0), web.url)

    # A length that is no number counts as none.
    assert said == "as b'x'" or "more than 1 MiB" in said or "can be read" in said


def said_of(transport: Transport, url: str) -> str:
    """Return the message of a request that fails, or the answer's body."""
    try:
        return f"as {transport.get(url).body!r}"
    except NetworkError as error:
        return str(error)


def test_what_is_compressed_below_the_limit() -> None:
    """A compressed answer below the limit arrives whole."""
    index = b"entries: {}\n" * 1000
    headers = {"Content-Encoding": "gzip"}
    with serve({"*": page(gzip.compress(index), headers=headers)}) as web:
        assert quick().get(web.url).body == index


def to(target: str) -> Page:
    """Return a redirect."""
    return page(status=302, headers={"Location": target})


def test_a_redirect_that_is_allowed() -> None:
    """A few redirects are followed, relative ones included."""
    pages = {"/a": to("/b/c"), "/b/c": to("d?x=1"), "/b/d": page("there")}
    with serve(pages) as web:
        assert quick().get(f"{web.url}/a").body == b"there"
        assert web.paths == ["/a", "/b/c", "/b/d?x=1"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("/a", "more than 5 redirects"),
        ("file:///etc/passwd", "isn't an http or https URL"),
        ("ftp://127.0.0.1/x", "isn't an http or https URL"),
        ("gopher://127.0.0.1/x", "isn't an http or https URL"),
        ("data:text/plain,x", "isn't an http or https URL"),
        ("http://", "more than 5 redirects"),
        ("http://[::1", "isn't a URL"),
        ("http://127.0.0.1:99999999/", "isn't an http or https URL"),
        ("http://127.0.0.1%00.example/", "isn't an http or https URL"),
        ("http://exa mple/", "isn't an http or https URL"),
        ("//169.254.169.254/latest/meta-data/", "link-local or special"),
        ("http://169.254.169.254/latest/meta-data/", "link-local or special"),
        ("http://2852039166/latest/meta-data/", "link-local or special"),
        ("http://0xA9FEA9FE/", "link-local or special"),
        ("http://0251.0376.0251.0376/", "link-local or special"),
        ("http://169.254.43518/", "link-local or special"),
        ("http://[::ffff:169.254.169.254]/", "link-local or special"),
        ("http://[::ffff:a9fe:a9fe]/", "link-local or special"),
        ("http://[fe80::1]/", "link-local or special"),
        ("http://[fd00:ec2::254]/", "link-local or special"),
        ("http://100.100.100.200/", "link-local or special"),
        ("http://0.0.0.0:1/", "link-local or special"),
        ("http://metadata.test/", "link-local or special"),
    ],
)
def test_a_redirect_that_is_refused(target: str, message: str, names: dict[str, list[str]]) -> None:
    """No redirect leads to another protocol, or to an address that gives credentials away."""
    names["metadata.test"] = ["169.254.169.254"]
    with serve({"/a": to(target)}) as web, pytest.raises(NetworkError, match=message):
        quick().get(f"{web.url}/a")

    with pytest.raises(NetworkError):
        quick().get(target)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", Reach.MACHINE),
        ("::1", Reach.MACHINE),
        ("::ffff:127.0.0.1", Reach.MACHINE),
        ("10.1.2.3", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd12:3456::1", Reach.PRIVATE),
        ("64:ff9b::10.0.0.1", Reach.PRIVATE),
        ("2002:a00:1::", Reach.PRIVATE),
        ("8.8.8.8", Reach.PUBLIC),
        ("2606:4700::1111", Reach.PUBLIC),
        ("169.254.169.254", None),
        ("169.254.170.23", None),
        ("::ffff:169.254.169.254", None),
        ("::169.254.169.254", None),
        ("64:ff9b::169.254.169.254", None),
        ("2002:a9fe:a9fe::1", None),
        ("fe80::1%eth0", None),
        ("febf::1", None),
        ("fd00:ec2::254", None),
        ("fd00:ec2::23", None),
        ("100.100.100.200", None),
        ("168.63.129.16", None),
        ("0.0.0.0", None),  # noqa: S104 nothing is bound
        ("::", None),
        ("224.0.0.1", None),
        ("ff02::1", None),
    ],
)
def test_addresses(text: str, expected: Reach | None) -> None:
    """Every spelling of an address is judged as the address it stands for."""
    assert judge(text) is expected


def test_a_name_that_changes_its_address(names: dict[str, list[str]]) -> None:
    """A name is looked up once: what it means a moment later is never asked."""
    names["rebind.test"] = ["127.0.0.1", "169.254.169.254"]
    with serve({"*": page("ok")}, name="rebind.test") as web:
        transport = quick()
        assert [transport.get(web.url).body for _ in range(2)] == [b"ok", b"ok"]
    assert names["rebind.test"] == ["169.254.169.254"]


def test_from_a_public_host_to_a_private_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public host leads to no private one: neither by a redirect nor by what it names."""

    def pretended(text: str) -> Reach | None:
        return Reach.PUBLIC if text == "127.0.0.2" else judge(text)

    monkeypatch.setattr(address, "judge", pretended)
    with serve({"*": page("inside")}) as inside, serve(address="127.0.0.2") as outside:
        outside.pages["*"] = to(f"{inside.url}/x")
        with pytest.raises(NetworkError, match="refused, since that is a private address"):
            quick().get(f"{outside.url}/y")
        with pytest.raises(NetworkError, match="refused, since that is a private address"):
            quick().get(f"{inside.url}/y", led_by=f"{outside.url}/index.yaml")
        assert inside.asked == []

        outside.pages["*"], inside.pages["*"] = page("out"), to(f"{outside.url}/x")
        assert quick().get(f"{inside.url}/y").body == b"out"


def test_from_https_to_http(trusted: Path) -> None:
    """An encrypted answer leads to no place that isn't encrypted."""
    with serve({"*": page("plain")}) as plain, serve(certificate=trusted) as safe:
        safe.pages["*"] = to(f"{plain.url}/x")
        with pytest.raises(NetworkError, match="refused, since that isn't encrypted"):
            quick().get(f"{safe.url}/y")
        assert plain.asked == []


def _elsewhere(web: Web, other: Web) -> list[str]:
    """Return URLs that aren't of the first server's origin: another port, another name."""
    return [f"{other.url}/x", f"{web.url.replace('127.0.0.1', 'localhost')}/x"]


@pytest.mark.parametrize("number", [0, 1])
def test_a_login_stays_with_its_server(number: int) -> None:
    """A login goes along to the same server, to another port or name of it not, nor back again."""
    with serve({"*": page("ok")}) as other, serve() as web:
        target = _elsewhere(web, other)[number]
        web.pages |= {"/own": to("/out"), "/out": to(target), "/x": page("ok")}

        for headers, login in (
            ({"Authorization": "Bearer planted"}, Login()),
            ({}, LOGIN),
        ):
            quick().get(f"{web.url}/own", headers=headers, login=login)
            first, second, *rest = [*web.logins, *other.logins]
            assert first == second
            assert first in {"Bearer planted", LOGIN.header["Authorization"]}
            assert rest == [None]
            web.asked.clear()
            other.asked.clear()

        other.pages["*"] = to(f"{web.url}/x")
        web.pages["/out"] = to(f"{other.url}/back")
        quick().get(f"{web.url}/out", login=LOGIN)
        assert web.logins[-1] is None


def test_a_login_in_a_url() -> None:
    """The user and password of a URL are its server's login, and go nowhere else."""
    with serve({"*": page("ok")}) as other, serve() as web:
        web.pages["*"] = to(other.url.replace("http://", "http://robot:planted@"))
        quick().get(web.url.replace("http://", "http://robot:planted@"))

        assert web.logins == [LOGIN.header["Authorization"]]
        assert other.logins == [None]


def test_a_client_certificate_stays_with_its_server(trusted: Path) -> None:
    """The TLS certificate of a login is shown to its own server alone."""
    login = Login(cert_file=str(trusted), ca_file=str(trusted))
    with serve({"*": page("ok")}, certificate=trusted) as other, serve(certificate=trusted) as web:
        web.pages["*"] = to(f"{other.url}/x")
        quick().get(web.url, login=login)

        assert [one.certified for one in web.asked] == [True]
        assert [one.certified for one in other.asked] == [False]


def test_a_certificate_that_nobody_signed(certificate: Path) -> None:
    """A server whose certificate isn't trusted is refused; Helm's own setting lets it in."""
    with serve({"*": page("ok")}, certificate=certificate) as web:
        with pytest.raises(NetworkError, match="self-signed certificate"):
            quick().get(web.url)
        assert quick().get(web.url, login=Login(insecure=True)).body == b"ok"


def test_a_server_that_wants_us_to_wait() -> None:
    """A time to wait that is longer than the deadline isn't waited."""
    with serve({"*": page(status=503, headers={"Retry-After": "99999"})}) as web:
        started = time.monotonic()
        assert quick(deadline=10.0).get(web.url).status == 503
        assert time.monotonic() - started < 2
        assert len(web.asked) == 1


def fail_first(times: int) -> Page:
    """Return a page that breaks off the first few times."""
    left = [times]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        left[0] -= 1
        if left[0] < 0:
            page("ok")(handler)
        handler.close_connection = True

    return answer


def test_a_connection_that_breaks() -> None:
    """A request that breaks off is tried again, but not for ever."""
    with serve({"*": fail_first(2)}) as web:
        assert quick().get(web.url).body == b"ok"
        web.pages["*"] = fail_first(3)
        with pytest.raises(NetworkError, match="no answer that can be read"):
            quick().get(web.url)


def test_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline not even a name is looked up."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NetworkError, match=r"https://a\.test/x isn't in the cache"):
        Transport(offline=True).get("https://a.test/x?token=planted")


SECRET_URLS: list[Callable[[str], str]] = [
    lambda host: f"http://robot:planted@{host}/x",
    lambda host: f"http://planted@{host}/x",
    lambda host: f"http://robot:pla/planted@{host}/x",
    lambda host: f"http://robot:p@planted@{host}/x",
    lambda host: f"http://{host}/x?X-Amz-Signature=planted",
    lambda host: f"http://{host}/x?a=b&token=planted#planted?",
    lambda host: f"http://robot:planted@{host}:99999999/x",
    lambda host: f"ftp://robot:planted@{host}/x",
    lambda host: f"http://robot:planted@[{host}/x",
    lambda host: f"http://robot:planted@/{host}\n\x1b[31m",
]

FAULTS: dict[str, Page] = {
    "broken": drip(b"x\r\n\r\n", b"", 0),
    "large": page(bytes(2 << 20)),
    "led away": to("http://robot:planted@169.254.169.254/planted?token=planted"),
    "led to nothing": to("http://robot:planted@127.0.0.1:1/?token=planted"),
    "led nowhere": to("http://robot:planted@[::1/x"),
}


@pytest.mark.parametrize("number", range(len(SECRET_URLS)))
@pytest.mark.parametrize("fault", [*FAULTS, "down"])
def test_no_message_shows_a_secret(fault: str, number: int) -> None:
    """Whatever goes wrong, the message shows no user, password or query of a URL."""
    with serve({"*": FAULTS.get(fault, page())}) as web:
        host = f"127.0.0.1:{closed_port()}" if fault == "down" else web.host
        with pytest.raises(NetworkError) as caught:
            quick(largest=1 << 20).get(SECRET_URLS[number](host))

    shown = f"{caught.value}{caught.value.hint}".replace("/planted", "")
    assert "planted" not in shown
    assert shown.isprintable()
    assert caught.value.__cause__ is None
