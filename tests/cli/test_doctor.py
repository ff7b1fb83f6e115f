"""imageshift doctor: what a machine lacks, on machines that lack it."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import HOST, REGISTRY, run, write_tree
from web_server import Web, closed_port, page, serve

NETWORK = ("doctor", "--format", "json")
OFFLINE = ("doctor", "--offline", "--format", "json")
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: app}
spec: {chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: r}}}}
"""


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave boto3 nowhere to find a login."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def rules(upstream: str) -> str:
    """Return a configuration with one rule."""
    return f"rules: [{{upstream: '{upstream}', prefix: own}}]\n"


@pytest.fixture
def web() -> Iterator[Web]:
    """Run a registry that wants a login."""
    with serve({"*": page(status=401)}) as running:
        yield running


def states(root: Path, *arguments: str) -> tuple[int, dict[str, str]]:
    """Return the exit code of a run and the state of each check."""
    done = run(root, *arguments)
    checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    return done.code, {check["name"]: check["state"] for check in checks}


@pytest.mark.helm
@pytest.mark.kustomize
def test_all_is_well(tmp_path: Path) -> None:
    """Every check has its line; nothing is contacted with --offline."""
    write_tree(tmp_path, {".imageshift.yaml": "account: '123456789012'\nregion: eu-west-2\n"})

    code, found = states(tmp_path, *OFFLINE)

    networks = {f"network {host}" for host in (HOST, "docker.io", "ghcr.io", "quay.io")}
    networks |= {"network registry.k8s.io", "network public.ecr.aws", "AWS"}
    assert code == 0
    assert {name for name, state in found.items() if state == "skipped"} == networks
    assert {name for name, state in found.items() if state == "ok"} == {
        *("imageshift", "git", "helm", "kustomize", "configuration", "tree", "registry", "rules")
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.yaml": "kind: Pod\n"}, {"git": "missing", "helm": "missing", "kustomize": "missing"}),
        ({"a.yaml": RELEASE}, {"git": "missing", "helm": "problem", "kustomize": "missing"}),
        (
            {"kustomization.yaml": "resources: []\n"},
            {"git": "missing", "helm": "missing", "kustomize": "problem"},
        ),
    ],
)
def test_machine_without_programs(
    files: dict[str, str],
    expected: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program that is absent is a problem where the tree needs it."""
    write_tree(tmp_path, {"tree/" + name: text for name, text in files.items()})
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    code, found = states(tmp_path / "tree", *OFFLINE, *REGISTRY)

    assert {name: found[name] for name in expected} == expected
    assert code == ("problem" in expected.values())


def test_text(tmp_path: Path) -> None:
    """A check is a line, with what to do about it on the next one."""
    write_tree(tmp_path, {"a.yaml": "kind: Pod\n"})

    done = run(tmp_path, "doctor", "--offline", "--account", "123", "--region", "eu-west-2")

    assert done.code == 1
    assert (
        "missing  configuration: no .imageshift.yaml up to the root\n"
        "  hint: imageshift init writes one\n"
    ) in done.stdout
    assert (
        "problem  registry: 123.dkr.ecr.eu-west-2.amazonaws.com can't exist\n"
        "  hint: give --account with the twelve digits of the account that owns the cache\n"
    ) in done.stdout


def test_run_that_was_stopped(tmp_path: Path) -> None:
    """A journal that is left is a problem of the tree."""
    git = {".git/HEAD": "ref: refs/heads/main\n", ".git/objects/x": "", ".git/refs/x": ""}
    write_tree(tmp_path, {**git, ".git/imageshift/journal": "x"})

    code, found = states(tmp_path, *OFFLINE, *REGISTRY)

    assert (code, found["tree"]) == (1, "problem")


def test_network(web: Web, tmp_path: Path) -> None:
    """A registry that asks for a login is there; one that fails, or no login, is missing."""
    asked = (*NETWORK, "--registry-host", web.host, "--config", "own.yaml")
    write_tree(tmp_path, {"own.yaml": rules(f"127.0.0.1:{closed_port()}")})

    _, found = states(tmp_path, *asked)
    web.pages["*"] = page(status=503)
    _, failed = states(tmp_path, *asked)

    assert [state for name, state in found.items() if "network" in name] == ["ok", "missing"]
    assert (failed[f"network {web.host}"], failed["AWS"]) == ("missing", "missing")
    assert {request.path for request in web.asked} == {"/v2/"}


def test_hosts_of_a_foreign_tree(web: Web, tmp_path: Path) -> None:
    """A host that only the tree's configuration names isn't contacted until the user trusts it."""
    with serve({"*": page(status=401)}) as other:
        write_tree(tmp_path, {".imageshift.yaml": rules(other.host)})
        asked = (*NETWORK, "--registry-host", web.host)

        code, found = states(tmp_path, *asked)
        nobody = len(other.asked)
        _, trusted = states(tmp_path, *asked, "--config", ".imageshift.yaml")

    name = f"network {other.host}"
    assert [check for check, state in found.items() if state == "problem"] == []
    assert (code, found[name], nobody, trusted[name]) == (0, "skipped", 0, "ok")


def test_hosts_of_a_rule_that_is_given(web: Web, tmp_path: Path) -> None:
    """A host that a rule of the command line names is contacted, with a prefix behind it too."""
    with serve({"*": page(status=401)}) as other:
        write_tree(tmp_path, {"a.yaml": "kind: Pod\n"})
        given = ("--registry-host", web.host, "--rule", f"{other.host}/team=own")

        _, found = states(tmp_path, *NETWORK, *given)

    assert found[f"network {other.host}"] == "ok"
