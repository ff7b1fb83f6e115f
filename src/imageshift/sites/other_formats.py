"""Formats that name images and aren't read, so that a report can name them by kind.

A file's name tells most of them; YAML that is no Kubernetes object is told by its keys, each of
them from the format's own reference.
"""

import re

from imageshift.lazy import lazy_re
from imageshift.source import Mapping

__all__ = ["DOCUMENTATION", "VARIABLES", "format_of_file", "format_of_object"]

DOCUMENTATION = "documentation"
"""The format of what only people read, which runs nothing."""

VARIABLES = "variables"
"""The format of files of variables, whose texts are listed although nothing reads them."""

_CI = lazy_re(
    r"(?:^|/)(?:\.github|\.circleci|\.forgejo|\.gitea|\.woodpecker|\.buildkite)/"
    r"|(?:^|/)(?:\.prow|updatecli\.d)/"
    r"|(?:^|/)(?:\.travis\.yml|\.gitlab-ci\.ya?ml|appveyor\.yml|\.drone\.ya?ml|cloudbuild\.ya?ml"
    r"|codeship-\w+\.yml|codefresh\.ya?ml|\.prow\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml"
    r"|bitbucket-pipelines\.yml)$"
)
_FORMATS = (
    ("CI", _CI),
    ("Terraform", lazy_re(r"\.(?:tf|tofu|tfvars|hcl|tf\.json|tofu\.json)$")),
    ("Dockerfile", lazy_re(r"(?:^|/)(?:Docker|Container)file[^/]*$|\.(?:Docker|docker)file$")),
    ("Compose", lazy_re(r"(?:^|/)(?:docker-)?compose[^/]*\.ya?ml$")),
    ("dev container", lazy_re(r"(?:^|/)(?:\.devcontainer/|\.?devcontainer(?:-lock)?\.json$)")),
    ("Kptfile", lazy_re(r"(?:^|/)Kptfile$")),
    (DOCUMENTATION, lazy_re(r"\.(?:md|mdx|rst|adoc|txt|html?|svg|csv)$|(?:^|/)[A-Z]+$")),
    (VARIABLES, lazy_re(r"(?:^|/)(?:\.env(?:\.[\w.-]+)?|[^/]+\.env)$")),
    ("Jsonnet", lazy_re(r"\.(?:jsonnet|libsonnet)$")),
    (
        "script",
        lazy_re(
            r"\.(?:sh|bash|zsh|fish|ps1|py|rb|js|ts|just|mk)$"
            r"|(?:^|/)(?:Makefile|\.?justfile|Tiltfile|Taskfile\.ya?ml)$"
        ),
    ),
)
_TALOS = {"type", "install", "kubelet", "network", "kernel", "files"}
_OTHER = lazy_re(r"\.([A-Za-z0-9]{1,8})$")
_BINARY = lazy_re(
    r"\.(?:png|jpe?g|gif|webp|ico|pdf|zip|tgz|gz|bz2|xz|zst|tar|jar|woff2?|ttf|otf|eot|mp4|webm"
    r"|bin|so|exe|dll|wasm|pyc|lock|sum|pem|crt|key|gpg|asc|age)$",
    re.IGNORECASE,
)


def format_of_file(file: str) -> str | None:
    """The format of a file that isn't read, by its name; None for what can hold no text."""
    if _BINARY.search(file):
        return None
    for name, pattern in _FORMATS:
        if pattern.search(file):
            return name
    found = _OTHER.search(file)
    return f"*.{found[1]}" if found else "other"


def format_of_object(root: Mapping) -> str | None:
    """The format of YAML that is no Kubernetes object, where its keys tell it."""
    services = root.mapping("services")
    if services is not None and _any_has(services, {"image", "build"}):
        return "Compose"
    jobs = root.mapping("jobs")
    if jobs is not None and _any_has(jobs, {"runs-on", "uses", "steps"}):
        return "CI"
    if _any_has(root, {"script"}) and (root.get("stages") or _any_has(root, {"stage"})):
        return "CI"
    if _any_has(root.mapping("tasks") or root, {"cmds"}):
        return "script"
    machine = root.mapping("machine")
    talos = machine is not None and _TALOS & machine.keys()
    return "Talos" if talos else None


def _any_has(mapping: Mapping, keys: set[str]) -> bool:
    """Whether any mapping in a mapping has one of some keys."""
    values = (value for _, value in mapping.pairs())
    return any(isinstance(value, Mapping) and keys & value.keys() for value in values)
