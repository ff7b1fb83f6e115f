"""A repository, and a machine's configuration, with a secret in every place that one may be."""

import base64
import json
import os
import zlib
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from command_line import write_tree
from imageshift.charts.fetch.files import ChartFiles, load_chart
from web_server import Web, page

__all__ = [
    "KINDS",
    "plant",
    "plant_helper",
    "release",
    "repository",
    "secrets_in",
    "serve_charts",
    "serve_registry",
]

_CHART = Path(__file__).parent.parent / "fixtures" / "charts" / "whole" / "chart"

KINDS = (
    "aws-environment",
    "token-environment",
    "helm-repository-login",
    "helm-registry-login",
    "docker-login",
    "credential-helper",
    "repository-url",
    "broken-repository-url",
    "oci-url",
    "git-url",
    "base-url",
    "argo-url",
    "helmfile-login",
    "index-signature",
    "redirect-login",
    "secret-data",
    "secret-string",
    "secret-values",
    "secret-beside-image",
    "sops-value",
    "config-beside",
)
"""What is planted: `planted-KIND` is a secret each."""


def planted(kind: str) -> str:
    """Return the secret of a kind."""
    assert kind in KINDS
    return f"planted-{kind}"


def secrets_in(data: bytes) -> set[str]:
    """Return the kinds of secrets in some bytes: plain, in base64, or compressed."""
    with suppress(zlib.error):
        data += zlib.decompress(data)
    with suppress(zlib.error):
        data += zlib.decompress(data[32:], wbits=31)
    found = {kind for kind in KINDS if planted(kind).encode() in data}
    for kind in KINDS:
        # The bytes before a secret shift its base64: each of three spellings is looked for.
        for shift in range(3):
            text = base64.b64encode(b"x" * shift + planted(kind).encode())
            if text[(4 if shift else 0) : -4] in data:
                found.add(kind)
    return found


def plant(monkeypatch: pytest.MonkeyPatch, folder: Path, web: Web) -> Path:
    """Plant all of them, with a tree below the folder; return the tree's root."""
    home, tree = folder / "home", folder / "tree"
    _plant_machine(monkeypatch, home, web)
    write_tree(tree, {**_charts(web), **_elsewhere(web), **_secrets()})
    return tree


def _plant_machine(monkeypatch: pytest.MonkeyPatch, home: Path, web: Web) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HELM_CACHE_HOME", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAPLANTED")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", planted("aws-environment"))
    monkeypatch.setenv("GITHUB_TOKEN", planted("token-environment"))
    repositories = [
        {
            "name": "private",
            "url": f"{web.url}/private",
            "username": "robot",
            "password": planted("helm-repository-login"),
        }
    ]

    def auths(host: str, kind: str) -> str:
        pair = base64.b64encode(f"robot:{planted(kind)}".encode()).decode()
        return json.dumps({"auths": {host: {"auth": pair}}})

    write_tree(
        home,
        {
            ".config/helm/repositories.yaml": json.dumps({"repositories": repositories}),
            ".config/helm/registry/config.json": auths(web.host, "helm-registry-login"),
            ".docker/config.json": auths("localhost:9", "docker-login"),
        },
    )


def plant_helper(monkeypatch: pytest.MonkeyPatch, home: Path, web: Web) -> None:
    """Give the machine a credential helper that knows the login of the server as a registry."""
    answer = json.dumps({"Username": "robot", "Secret": planted("credential-helper")})
    helper = home / "bin" / "docker-credential-planted"
    config = json.dumps({"credHelpers": {web.host: "planted"}})
    write_tree(home, {"bin/docker-credential-planted": f"#!/bin/sh\necho '{answer}'\n"})
    write_tree(home, {".docker/config.json": config, ".config/helm/registry/config.json": "{}"})
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}{os.pathsep}{os.environ['PATH']}")


def serve_registry(web: Web) -> None:
    """Serve a registry that wants a login, and repeats it in what it refuses."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        given = handler.headers.get("Authorization")
        refused = page(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        error = {
            "errors": [{"code": "DENIED", "message": f"{given} {planted('credential-helper')}"}]
        }
        (refused if given is None else page(json.dumps(error), status=403))(handler)

    web.pages = {"*": answer}


def release(name: str, source: str, more: str = "") -> str:
    """Return a HelmRelease whose chart is in the source of its own name."""
    return f"""\
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: apps}}
spec:
  chart: {{spec: {{chart: whole, sourceRef: {{kind: {source}, name: {name}}}}}}}
{more}"""


def repository(name: str, url: str) -> str:
    """Return a HelmRepository."""
    return f"""\
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: {name}, namespace: apps}}
spec: {{url: "{url}"}}
"""


def _charts(web: Web) -> dict[str, str]:
    """Releases whose charts are found, refused, broken, and led elsewhere."""
    values = """\
  valuesFrom: [{kind: Secret, name: values}]
  values: {image: "nginx:1.27"}
"""
    good = f"http://robot:{planted('repository-url')}@{web.host}/good"
    broken = f"http://robot:{planted('broken-repository-url')}@{web.host}"
    oci = f"oci://robot:{planted('oci-url')}@{web.host}/oci"
    git = f"https://robot:{planted('git-url')}@git.example/charts"
    files = {"good": repository("good", good) + release("good", "HelmRepository", values)}
    for name in ("absent", "denied", "garbage", "led"):
        url = f"{broken}/{name}?token={planted('broken-repository-url')}"
        files[name] = repository(name, url) + release(name, "HelmRepository")
    for name in ("private", "signed"):
        files[name] = repository(name, f"{web.url}/{name}") + release(name, "HelmRepository")
    files["oci"] = repository("oci", oci) + release("oci", "HelmRepository")
    files["git"] = f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: git, namespace: apps}}
spec: {{url: "{git}"}}
""" + release("git", "GitRepository")
    return {f"charts/{name}.yaml": text for name, text in files.items()}


def _archive() -> bytes:
    """A chart that makes a Secret of its values."""
    template = """\
apiVersion: v1
kind: Secret
metadata: {name: of-values}
stringData: {password: {{ .Values.password | quote }}}
"""
    files = load_chart(_CHART).files
    return ChartFiles({**files, "templates/secret.yaml": template.encode()}, "whole").archive()


def serve_charts(web: Web) -> None:
    """Serve what the releases of the tree ask for."""
    archive = _archive()
    index = "entries: {whole: [{version: 1.0.0, urls: [%s]}]}"
    signed = f"whole.tgz?X-Amz-Signature={planted('index-signature')}"
    to = f"http://robot:{planted('redirect-login')}@169.254.169.254/x?token=1"
    challenge = {"WWW-Authenticate": 'Basic realm="x"'}
    web.pages = {
        "/good/index.yaml": page(index % "whole.tgz"),
        "/good/whole.tgz": page(archive),
        "/signed/index.yaml": page(index % f"'{signed}'"),
        "/signed/whole.tgz": page(archive),
        "/denied/index.yaml": page(status=401, headers=challenge),
        "/private/index.yaml": page(status=401, headers=challenge),
        "/garbage/index.yaml": page("entries: ["),
        "/led/index.yaml": page(status=302, headers={"Location": to}),
        "/v2/oci/whole/tags/list": page(status=401, headers=challenge),
    }


def _elsewhere(web: Web) -> dict[str, str]:
    """Addresses that nothing is asked at."""
    base = f"https://robot:{planted('base-url')}@git.example/org/bases//web?ref=v1"
    argo = f"https://robot:{planted('argo-url')}@charts.example"
    return {
        "base/kustomization.yaml": f"resources: ['{base}']\n",
        "argo/app.yaml": f"""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: app, namespace: argocd}}
spec:
  destination: {{namespace: apps}}
  source:
    repoURL: {argo}
    chart: whole
    targetRevision: 1.0.0
    helm: {{values: "image: ghcr.io/org/argo:1"}}
""",
        "helmfile.yaml": f"""\
repositories:
  - name: x
    url: {web.url}/helmfile
    password: {planted("helmfile-login")}
releases:
  - name: x
    chart: x/whole
    values: [{{image: "ghcr.io/org/file:1"}}]
""",
        ".imageshift.yaml": f"# {planted('config-beside')}\nexclude: [nothing]\n",
    }


def _secrets() -> dict[str, str]:
    encoded = base64.b64encode(planted("secret-data").encode()).decode()
    pods = """\
apiVersion: v1
kind: Pod
metadata: {name: pod, namespace: apps}
spec:
  containers: [{name: web, image: "nginx:1.27"}]
"""
    return {
        "pods.yaml": pods,
        "kustomized/pods.yaml": pods,
        "kustomized/kustomization.yaml": """\
resources: [pods.yaml, secret.yaml]
secretGenerator: [{name: made, files: [generated.txt]}]
""",
        "kustomized/generated.txt": planted("secret-string"),
        "kustomized/secret.yaml": f"""\
apiVersion: v1
kind: Secret
metadata: {{name: plain, namespace: apps}}
data: {{password: {encoded}}}
stringData: {{password: {planted("secret-string")}}}
""",
        "values.yaml": f"""\
apiVersion: v1
kind: Secret
metadata: {{name: values, namespace: apps}}
stringData:
  values.yaml: |
    password: {planted("secret-values")}
    side:
      image: ghcr.io/org/side:1
      password: {planted("secret-beside-image")}
""",
        "sops/secret.sops.yaml": f"""\
apiVersion: v1
kind: Secret
metadata: {{name: sops, namespace: apps}}
stringData: {{password: {planted("sops-value")}, image: "nginx:1.27"}}
sops: {{version: 3.9.0, mac: ENC[x]}}
""",
    }
