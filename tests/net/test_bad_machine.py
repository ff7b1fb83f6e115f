"""Whole runs on machines and repositories where something about the network is broken."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from planted_tree import release, repository

from command_line import REGISTRY, read_tree, run, write_tree
from imageshift.charts.fetch.files import load_chart
from web_server import Web, page, serve

pytestmark = pytest.mark.once

CHART = Path(__file__).parent.parent / "fixtures" / "charts" / "whole" / "chart"
GOOD = "charts/good.yaml:9:18: rewrite: nginx:1.27 [chart] → "
BROKEN = {
    "an index that is a list": page("[]"),
    "an index without entries": page("entries: 7"),
    "versions of odd types": page("entries: {whole: [{version: {}}, [], 7]}"),
    "an address of metadata": page(
        "entries: {whole: [{version: 1.0.0, urls: ['http://169.254.169.254/x.tgz']}]}"
    ),
    "deep JSON": page('{"entries": {"whole": ' + "[" * 50_000),
    "an answer that breaks off": page("", headers={"Content-Length": "9"}),
    "a redirect to itself": page(status=302, headers={"Location": "/bad/index.yaml"}),
    "a redirect to a file": page(status=302, headers={"Location": "file:///etc/passwd"}),
}


@pytest.fixture
def web() -> Iterator[Web]:
    """Serve one good repository of charts."""
    index = "entries: {whole: [{version: 1.0.0, urls: [whole.tgz]}]}"
    pages = {"/good/index.yaml": page(index), "/good/whole.tgz": page(load_chart(CHART).archive())}
    with serve(pages) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the run a home of its own."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HELM_CACHE_HOME", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def tree_of(folder: Path, web: Web, *names: str) -> Path:
    """Write releases whose charts are in repositories of a server, by their names."""
    files: dict[str, str | bytes] = {
        f"charts/{name}.yaml": repository(name, f"{web.url}/{name}")
        + release(name, "HelmRepository")
        for name in names
    }
    write_tree(folder / "tree", files)
    return folder / "tree"


@pytest.mark.helm
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("broken", BROKEN)
def test_one_broken_repository(broken: str, web: Web, tmp_path: Path) -> None:
    """One broken repository of charts is a warning, and the release beside it is done."""
    web.pages["/bad/index.yaml"] = BROKEN[broken]
    tree = tree_of(tmp_path, web, "bad", "good")

    done = run(tree, "scan", ".", *REGISTRY)

    assert done.code == 0, done.stderr
    assert GOOD in done.stdout
    assert "warning chart-unavailable: apps/bad: " in done.stdout
    assert "charts/bad.yaml:9:18" in done.stdout


MACHINES: dict[str, dict[str, str | bytes]] = {
    "logins of another shape": {
        ".config/helm/repositories.yaml": "repositories: {a: [b]}",
        ".config/helm/registry/config.json": "[1, 2]",
        ".docker/config.json": json.dumps({"auths": [], "credsStore": 7}),
    },
    "logins that are garbage": {
        ".config/helm/repositories.yaml": b"\xff\xfe\x00",
        ".config/helm/registry/config.json": b"\xff",
        ".docker/config.json": "{" * 50_000,
    },
    "caches that are garbage": {
        ".cache/helm/repository/good-index.yaml": b"\xff",
        ".cache/imageshift/charts": "a file",
    },
}


@pytest.mark.helm
@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_that_is_set_up_badly(machine: str, web: Web, home: Path, tmp_path: Path) -> None:
    """Garbage in the configuration of Helm and Docker, or in a cache, stops nothing."""
    write_tree(home, MACHINES[machine])
    tree = tree_of(tmp_path, web, "good")
    before = read_tree(tree)

    done = run(tree, "scan", ".", *REGISTRY)

    assert done.code == 0, done.stderr
    assert GOOD in done.stdout
    assert read_tree(tree) == before


@pytest.mark.helm
@pytest.mark.usefixtures("home")
def test_links_in_a_shared_cache(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that another user put in the place of our cache receives nothing."""
    if os.geteuid() != 0:
        pytest.skip("only root can make another user's files")
    shared, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    shared.mkdir()
    shared.chmod(0o1777)
    (elsewhere / "charts").mkdir(parents=True)
    (elsewhere / "traces").mkdir()
    (shared / "imageshift").symlink_to(elsewhere)
    os.lchown(shared / "imageshift", 12345, 12345)
    monkeypatch.setenv("XDG_CACHE_HOME", str(shared))

    assert GOOD in run(tree_of(tmp_path, web, "good"), "scan", ".", *REGISTRY).stdout
    assert list((elsewhere / "charts").iterdir()) == []
