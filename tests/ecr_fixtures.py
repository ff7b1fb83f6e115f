"""Fixtures of the ECR side: a fake account and real registries, all on loopback.

A plugin that test modules name in `pytest_plugins`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecr_server import PLANTED, EcrServer, serve_ecr
from oci_registry import OciRegistry, serve_registry


@pytest.fixture
def aws_env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give boto3 fake credentials, and no configuration of this machine."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", PLANTED)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def ecr_server(
    aws_env: None,  # noqa: ARG001 it sets the environment
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[EcrServer]:
    """Run the fake account, which botocore finds by its own environment variable."""
    with serve_ecr() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", server.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", server.url)
        yield server


@pytest.fixture
def oci_registry(tmp_path: Path) -> Iterator[OciRegistry]:
    """Run a real registry."""
    with serve_registry(tmp_path / "registry") as running:
        yield running


@pytest.fixture
def pull_through(tmp_path: Path, oci_registry: OciRegistry) -> Iterator[OciRegistry]:
    """Run a real pull-through cache in front of the registry."""
    with serve_registry(tmp_path / "cache", cache_of=oci_registry) as running:
        yield running
