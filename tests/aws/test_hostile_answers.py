"""Answers of AWS that aren't what its model promises: each ends in exit code 4, in plain words."""

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from command_line import REGISTRY, run
from ecr_server import PLANTED, EcrServer
from imageshift.aws import AwsOptions, import_rules
from imageshift.aws import client as aws_client
from imageshift.aws.client import open_client
from imageshift.aws.failures import explain_failure
from imageshift.aws.validate import validate_rules
from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.errors import ToolError
from imageshift.reference import parse_reference
from imageshift.warm.login import EcrImages, ecr_login

pytestmark = pytest.mark.once

pytest_plugins = ["ecr_fixtures"]

CASES = Path(__file__).parent.parent / "fixtures" / "aws"
OPTIONS = AwsOptions("123456789012", "eu-west-2")
RULES = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
IMAGE = parse_reference(f"123456789012.dkr.ecr.eu-west-2.amazonaws.com/quay/a/b@sha256:{'1' * 64}")
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["ecrRepositoryPrefix", "upstreamRegistryUrl", "upstreamRepositoryPrefix", "credentialArn",
     "repositoryName", "imageTagMutability", "prefix", "appliedFor", "isValid", "failure",
     "authorizationToken", "imageSizeInBytes", "failureCode"],
)  # fmt: skip
ROWS = st.lists(st.dictionaries(KEYS, VALUES) | VALUES, max_size=3)
LISTS = (
    *("pullThroughCacheRules", "repositories", "repositoryCreationTemplates"),
    *("authorizationData", "imageDetails", "failures"),
)
ANSWERS = st.one_of(VALUES, st.dictionaries(st.sampled_from(LISTS), ROWS | VALUES))


@contextmanager
def serve_raw(write: Callable[[Any], None]) -> Iterator[str]:
    """Run a server whose answers are written by a function; the URL is yielded."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            with suppress(OSError):
                write(self)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def send(handler: Any, content: bytes) -> None:
    """Answer with a content."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/x-amz-json-1.1")
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def send_endless(handler: Any, chunk: bytes, pause: float) -> None:
    """Answer with a chunk again and again."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(chunk)
        time.sleep(pause)


@pytest.mark.usefixtures("aws_env")
@settings(
    max_examples=int(os.environ.get("IMAGESHIFT_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(answer=ANSWERS)
def test_any_answer(answer: Any) -> None:
    """Whatever JSON ECR answers to every question, there is a result or a clear error."""
    content = json.dumps(answer).encode()
    with serve_raw(lambda handler: send(handler, content)) as url:
        options = AwsOptions("123456789012", "eu-west-2", None, url)
        images = EcrImages(options)
        for ask in (
            lambda: validate_rules(RULES, (), options, every=True),
            lambda: ecr_login(options),
            lambda: images.has(IMAGE),
            lambda: images.size(IMAGE),
            lambda: explain_failure(open_client("ecr", options), IMAGE, options),
        ):
            with suppress(ToolError):
                ask()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>a proxy's page</html>", id="a page"),
        pytest.param(b"\xff\xfe\x00", id="not UTF-8"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"pullThroughCacheRules": "x"}', id="text for a list"),
        pytest.param(b'{"pullThroughCacheRules": ' + b"1" * 5000 + b"}", id="a long number"),
    ],
)
@pytest.mark.usefixtures("aws_env")
def test_odd_answers(content: bytes, tmp_path: Path) -> None:
    """An answer that can't be read ends with 4 and no traceback, or as an empty one."""
    with serve_raw(lambda handler: send(handler, content)) as url:
        done = run(tmp_path, "rules", "import", "aws", *REGISTRY, "--endpoint-url", url)

    assert done.code in {0, 4}
    assert "a bug" not in done.stderr


def test_pages_without_end(ecr_server: EcrServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that always names a next page is stopped."""
    monkeypatch.setattr(aws_client, "_MOST_PAGES", 20)
    pages = iter(range(1000))
    answer = ecr_server.answer

    def endless(operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        return answer(operation, asked) | {"nextToken": str(next(pages))}

    ecr_server.answer = endless  # type: ignore[method-assign]

    with pytest.raises(ToolError, match="more rows than any account"):
        import_rules("aws", OPTIONS)


@pytest.mark.usefixtures("aws_env")
@pytest.mark.parametrize(
    ("chunk", "pause", "message"),
    [(b" " * 65536, 0.0, "more than 32 MiB"), (b" ", 0.05, "longer than")],
    ids=["large", "slow"],
)
def test_answers_without_end(
    chunk: bytes, pause: float, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that doesn't end is stopped at its limit of size or time."""
    monkeypatch.setattr(aws_client, "_SECONDS", 60 if pause == 0 else 1)
    with (
        serve_raw(lambda handler: send_endless(handler, chunk, pause)) as url,
        pytest.raises(ToolError, match=message),
    ):
        import_rules("aws", AwsOptions("123456789012", "eu-west-2", None, url))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({}, id="no data"),
        pytest.param({"authorizationData": []}, id="empty"),
        pytest.param({"authorizationData": [{"authorizationToken": f"{PLANTED}%"}]}, id="odd"),
    ],
)
def test_a_login_without_token(
    answer: dict[str, Any],
    ecr_server: EcrServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A login that can't be read ends with 4, and is shown nowhere."""
    monkeypatch.setattr(ecr_server, "token", lambda: answer)
    shutil.copy(CASES / "cluster" / "app.yaml", tmp_path)

    done = run(tmp_path, "warm", ".", "--pull", *REGISTRY)

    assert done.code == 4
    assert "authorization token can't be read" in done.stderr
    assert PLANTED not in done.stdout + done.stderr
