"""A server on loopback that speaks ECR's JSON protocol, and a little of IAM's, to boto3."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

PLANTED = "planted-secret-value-0123456789"
"""What must never be seen in any output: the password of the fake's logins."""

PAGE = 2


class EcrError(Exception):
    """An error that the fake answers with, by ECR's code."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code and the message of the answer."""
        super().__init__(message)
        self.code = code


@dataclass
class EcrServer:
    """What the fake account holds, and how it misbehaves."""

    url: str = ""
    rules: list[dict[str, Any]] = field(default_factory=list)
    repositories: list[dict[str, Any]] = field(default_factory=list)
    templates: list[dict[str, Any]] = field(default_factory=list)
    images: set[tuple[str, str]] = field(default_factory=set)
    failures: dict[str, str] = field(default_factory=dict)
    refusals: dict[str, list[EcrError]] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    managed: list[str] = field(default_factory=list)
    image_failures: dict[tuple[str, str], str] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of one operation, or raise the next planned refusal."""
        self.calls.append((operation, asked))
        planned = self.refusals.get(operation)
        if planned:
            raise planned.pop(0) if len(planned) > 1 else planned[0]
        handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "DescribePullThroughCacheRules": lambda asked: _page(
                "pullThroughCacheRules", self.rules, asked
            ),
            "DescribeRepositories": lambda asked: _page("repositories", self.repositories, asked),
            "DescribeRepositoryCreationTemplates": lambda asked: _page(
                "repositoryCreationTemplates", self.templates, asked
            ),
            "ValidatePullThroughCacheRule": self.validate,
            "GetAuthorizationToken": lambda _: self.token(),
            "DescribeImages": self.describe_images,
            "BatchGetImage": self.batch_get_image,
        }
        return handlers[operation](asked)

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return ECR's verdict on one rule."""
        prefix = asked["ecrRepositoryPrefix"]
        if prefix not in {rule.get("ecrRepositoryPrefix") for rule in self.rules}:
            raise EcrError("PullThroughCacheRuleNotFoundException", f"no rule {prefix}")
        failure = self.failures.get(prefix)
        answer: dict[str, Any] = {"ecrRepositoryPrefix": prefix, "isValid": failure is None}
        return answer if failure is None else {**answer, "failure": failure}

    def token(self) -> dict[str, Any]:
        """Return a login with the planted password."""
        token = base64.b64encode(f"AWS:{PLANTED}".encode()).decode()
        data = {"authorizationToken": token, "proxyEndpoint": self.url, "expiresAt": 1.9e9}
        return {"authorizationData": [data]}

    def describe_images(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return the image of a digest, when it is cached."""
        name, digest = asked["repositoryName"], asked["imageIds"][0].get("imageDigest")
        if digest is None:
            return self.describe_tag(name, asked["imageIds"][0]["imageTag"])
        if name not in {repository for repository, _ in self.images}:
            raise EcrError("RepositoryNotFoundException", f"no repository {name}")
        if (name, digest) not in self.images:
            raise EcrError("ImageNotFoundException", f"no image {digest}")
        return {"imageDetails": [{"repositoryName": name, "imageDigest": digest}]}

    def describe_tag(self, name: str, tag: str) -> dict[str, Any]:
        """Return the image of a tag, when its size is known."""
        size = self.sizes.get((name, tag))
        if size is None:
            raise EcrError("ImageNotFoundException", f"no image {tag}")
        return {"imageDetails": [{"repositoryName": name, "imageSizeInBytes": size}]}

    def batch_get_image(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return why an image of a tag can't be had."""
        name, tag = asked["repositoryName"], asked["imageIds"][0]["imageTag"]
        code = self.image_failures.get((name, tag), "ImageNotFound")
        failure = {"imageId": {"imageTag": tag}, "failureCode": code, "failureReason": "so it is"}
        return {"images": [], "failures": [failure]}

    def iam(self, asked: dict[str, list[str]]) -> str:
        """Return the answer of one of IAM's operations, in its XML."""
        if asked["Action"] == ["SimulatePrincipalPolicy"]:
            return self.simulate(asked)
        rows = "".join(
            f"<member><PolicyName>{name}</PolicyName>"
            f"<PolicyArn>arn:aws:iam::aws:policy/{name}</PolicyArn></member>"
            for name in self.managed
        )
        return (
            '<ListAttachedRolePoliciesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<ListAttachedRolePoliciesResult><AttachedPolicies>{rows}</AttachedPolicies>"
            "<IsTruncated>false</IsTruncated></ListAttachedRolePoliciesResult>"
            "</ListAttachedRolePoliciesResponse>"
        )

    def simulate(self, asked: dict[str, list[str]]) -> str:
        """Return IAM's verdict on a role's actions, in its XML."""
        self.calls.append(("SimulatePrincipalPolicy", {"role": asked["PolicySourceArn"][0]}))
        actions = [values[0] for key, values in asked.items() if key.startswith("ActionNames")]
        rows = "".join(
            f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>"
            f"{'implicitDeny' if action in self.denied else 'allowed'}</EvalDecision></member>"
            for action in actions
        )
        return (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            f"<SimulatePrincipalPolicyResult><EvaluationResults>{rows}</EvaluationResults>"
            "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>"
            "</SimulatePrincipalPolicyResponse>"
        )


def _page(key: str, rows: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    start = int(asked.get("nextToken", "0"))
    page: dict[str, Any] = {key: rows[start : start + PAGE]}
    return page | ({"nextToken": str(start + PAGE)} if start + PAGE < len(rows) else {})


@contextmanager
def serve_ecr() -> Iterator[EcrServer]:
    """Run the fake on a free port of loopback while the context lasts."""
    state = EcrServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if "X-Amz-Target" not in self.headers:
                self.send(200, "text/xml", state.iam(parse_qs(body.decode())).encode())
                return
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            try:
                status, answer = 200, state.answer(operation, json.loads(body or b"{}"))
            except EcrError as error:
                status, answer = 400, {"__type": error.code, "message": str(error)}
            self.send(status, "application/x-amz-json-1.1", json.dumps(answer).encode())

        def send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
