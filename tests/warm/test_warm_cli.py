"""`warm --pull` from end to end against real registries on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oci_registry import OciRegistry

pytest_plugins = ("ecr_fixtures",)
pytestmark = pytest.mark.registry

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: app
spec:
  containers:
    - name: app
      image: ghcr.io/{image}
"""


def warm(folder: Path, host: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Run `imageshift warm` with a registry's host; return its exit code and its report."""
    code = "from imageshift.cli import main; main()"
    where = ("--registry-host", host, "--rule", "ghcr.io=github", "--charts", "off")
    done = subprocess.run(
        [sys.executable, "-c", code, "warm", folder, *options, *where, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    return done.returncode, json.loads(done.stdout)


def test_pull_fills_the_cache(
    oci_registry: OciRegistry, pull_through: OciRegistry, tmp_path: Path
) -> None:
    """A pull of the tag brings the pinned digest into the cache, which `--check` then finds."""
    digest = oci_registry.push("github/org/app", "v1")
    cluster = tmp_path / "cluster"
    cluster.mkdir()
    (cluster / "pod.yaml").write_text(POD.format(image=f"org/app:v1@{digest}"))
    cold = pull_through.has_stored("github/org/app", digest)

    pulled, report = warm(cluster, pull_through.host, "--pull")
    oci_registry.stop()
    checked, pins = warm(cluster, pull_through.host, "--check")

    assert (cold, pull_through.has_stored("github/org/app", digest)) == (False, True)
    assert (pulled, checked) == (0, 0)
    assert report["pulls"][0]["digest"] == digest
    assert [row["is_cached"] for row in pins["pins"]] == [True]


def test_moved_tag_is_a_finding(oci_registry: OciRegistry, tmp_path: Path) -> None:
    """A pin whose tag has moved on is `digest-not-cached`, and exits 1."""
    moved = oci_registry.push("github/org/app", "v1")
    gone = "sha256:" + "0" * 64
    (tmp_path / "pod.yaml").write_text(POD.format(image=f"org/app:v1@{gone}"))

    code, report = warm(tmp_path / "pod.yaml", oci_registry.host, "--pull")

    assert code == 1
    assert [row["code"] for row in report["warnings"]] == ["digest-not-cached"]
    assert report["pulls"][0]["pins"][0]["remedy"].endswith(
        f"or pin it again: its tag is {moved} now"
    )


def test_failed_pull_exits_4(oci_registry: OciRegistry, tmp_path: Path) -> None:
    """An image that can't be pulled is reported, and exits 4."""
    (tmp_path / "pod.yaml").write_text(POD.format(image="org/absent:v1"))

    code, report = warm(tmp_path / "pod.yaml", oci_registry.host, "--pull")

    assert code == 4
    assert "ecr:" in report["pulls"][0]["error"]
