"""What the real Renovate finds in a migrated tree: upstream names, where its managers know aliases.

IMAGESHIFT_RENOVATE names its renovate.js; `nox -s renovate` installs it from npm and runs this.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, run, write_tree

RENOVATE = os.environ.get("IMAGESHIFT_RENOVATE")
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - image: nginx:1.25.0
    - image: ghcr.io/org/b:1.0.0
    - image: "bitnami/redis:7.0.0"
"""
TREE: dict[str, str | bytes] = {
    "k/pod.yaml": POD,
    "k/kustomization.yaml": (
        "resources: [pod.yaml]\nimages: [{name: foo, newName: quay.io/org/foo, newTag: 1.0.0}]\n"
    ),
    "v/Chart.yaml": "apiVersion: v2\nname: v\nversion: 0.1.0\n",
    "v/values.yaml": "image: {registry: docker.io, repository: natsio/nats-box, tag: 0.17.0}\n",
    "app.yaml": (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n"
        "spec:\n  source:\n"
        "    {repoURL: https://github.com/a/b, targetRevision: v1, path: k,\n"
        "     kustomize: {images: ['foo=quay.io/org/foo:1.0.0']}}\n"
    ),
    "renovate.json5": (
        '{extends: [], kubernetes: {fileMatch: ["k/pod.yaml$"]}, // kept\n'
        ' argocd: {fileMatch: ["app.yaml$"]}}\n'
    ),
}


@pytest.mark.renovate
@pytest.mark.skipif(RENOVATE is None, reason="IMAGESHIFT_RENOVATE names no renovate.js")
def test_renovate_sees_upstreams(tmp_path: Path) -> None:
    """Kubernetes, kustomize and Helm values by their upstreams, Argo CD's images by the cache."""
    write_tree(tmp_path, TREE)
    run(tmp_path, "migrate", ".", "--charts", "off", *REGISTRY)
    run(tmp_path, "bots", "renovate", "--write", *REGISTRY)
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)

    done = subprocess.run(
        ["node", str(RENOVATE), "--platform=local", "--dry-run=extract"],
        cwd=tmp_path,
        env={**os.environ, "LOG_LEVEL": "debug", "LOG_FORMAT": "json"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    names = set(re.findall(r'"packageName":("[^"]+")', done.stdout))
    found = {json.loads(name) for name in names}
    assert {
        "docker.io/library/nginx",
        "ghcr.io/org/b",
        "docker.io/bitnami/redis",
        "quay.io/org/foo",
        "docker.io/natsio/nats-box",
    } <= found
    assert {name for name in found if name.startswith(HOST)} == {f"{HOST}/quay/org/foo"}
