"""Answers that no well-behaved registry gives, from a small server on loopback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from imageshift.aws import UsedImage
from imageshift.net.registry import registry_url
from imageshift.reference import ImageReference
from imageshift.warm import plan_warm, pull_all
from imageshift.warm.registry import Absent, Manifest, RegistryClient

ANSWERS: dict[str, tuple[int, bytes]] = {
    "forbidden": (403, b'{"errors": [{"code": "DENIED", "message": "no credentials"}]}'),
    "unknown-name": (404, b'{"errors": [{"code": "NAME_UNKNOWN", "message": "x"}]}'),
    "plain-404": (404, b"<html>"),
    "teapot": (418, b'{"errors": []}'),
    "down": (503, b"later"),
    "limited": (429, b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down"}]}'),
    "no-json": (200, b"hello"),
    "odd-json": (200, b"[1]"),
    "no-platform": (
        200,
        b'{"manifests": [{"digest": "sha256:1"}, 7, {"platform": {"os": "linux"}}]}',
    ),
}


@pytest.fixture(scope="module")
def tried() -> list[str]:
    """Return the list of the paths that were asked for."""
    return []


@pytest.fixture(scope="module")
def client(tried: list[str]) -> Iterator[RegistryClient]:
    """Run the server and return a client of it that doesn't wait between tries."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            tried.append(name)
            if name == "sometimes" and tried.count(name) < 3:
                status, content = 429, b""
            else:
                status, content = ANSWERS.get(name, (200, b"{}"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield RegistryClient(f"127.0.0.1:{server.server_address[1]}", backoff=0)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        pytest.param("forbidden", "(no credentials)", id="403 with a reason"),
        pytest.param("unknown-name", "is ecr:CreateRepository allowed?", id="name unknown"),
        pytest.param("plain-404", "the registry doesn't have it", id="404 without a reason"),
        pytest.param("limited", "a rate limit is reached (slow down)", id="429"),
        pytest.param("teapot", "the registry answered 418", id="an odd status"),
        pytest.param("down", "the registry answered 503", id="down for good"),
    ],
)
def test_refusals(client: RegistryClient, tag: str, message: str) -> None:
    """Every refusal is told in words."""
    answer = client.manifest("a/b", tag)

    assert isinstance(answer, Absent)
    assert message in answer.message


def test_a_limit_ends_the_pulls_of_its_upstream(client: RegistryClient, tried: list[str]) -> None:
    """After a refusal for a rate limit, only other upstreams are asked on."""
    host = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
    names = [("ghcr.io", "a", "limited"), ("ghcr.io", "b", "v7"), ("quay.io", "c", "v8")]
    images = [
        UsedImage(
            ImageReference(there, name, tag), ImageReference(host, name, tag), ("a.yaml:1:1",)
        )
        for there, name, tag in names
    ]

    report = pull_all(plan_warm(images), client, jobs=1)

    assert [one.is_tried for one in report.pulls] == [True, False, True]
    assert report.pulls[1].error == (
        "not tried, since a rate limit of ghcr.io is reached: run it again later"
    )
    assert report.pulls[2].error is None
    assert "v7" not in tried


@pytest.mark.parametrize("tag", ["no-json", "odd-json", "no-platform"])
def test_odd_manifests(client: RegistryClient, tag: str) -> None:
    """A manifest that can't be read still has its digest, by its bytes."""
    answer = client.manifest("a/b", tag)

    assert isinstance(answer, Manifest)
    assert answer.digest.startswith("sha256:")


def test_throttled_requests_are_tried_again(client: RegistryClient, tried: list[str]) -> None:
    """A request that is throttled twice succeeds at the third try."""
    answer = client.manifest("a/b", "sometimes")

    assert isinstance(answer, Manifest)
    assert tried.count("sometimes") == 3


@pytest.mark.parametrize(
    ("host", "scheme"),
    [
        ("localhost:5000", "http"),
        ("127.0.0.1", "http"),
        ("[::1]:5000", "http"),
        ("[::1]", "http"),
        ("registry.example.com:5000", "https"),
        ("111122223333.dkr.ecr.eu-west-2.amazonaws.com", "https"),
    ],
)
def test_scheme(host: str, scheme: str) -> None:
    """Only loopback is asked without encryption."""
    assert registry_url(host) == f"{scheme}://{host}/v2"
