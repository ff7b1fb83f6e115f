"""Secrets in every place, every command, and a look at everything that comes of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from planted_tree import plant, plant_helper, secrets_in, serve_charts, serve_registry

from command_line import REGISTRY, read_tree, run
from web_server import Web, serve

pytestmark = pytest.mark.once

COMMANDS = {
    "scan": ["scan", "."],
    "scan in JSON": ["scan", ".", "--format", "json"],
    "scan, all told": ["scan", ".", "--verbose"],
    "scan of texts": ["scan", ".", "--charts", "off"],
    "scan with charts required": ["scan", ".", "--charts", "require"],
    "check": ["check", "."],
    "check a file": ["check", "charts/led.yaml"],
    "migrate, shown": ["migrate", ".", "--dry-run"],
    "migrate in JSON": ["migrate", ".", "--dry-run", "--format", "json"],
    "migrate as a diff": ["migrate", ".", "--diff"],
    "revert": ["revert", ".", "--all", "--dry-run"],
    "explain": ["explain", "charts/good.yaml:1"],
    "explain an image": ["explain", "pods.yaml:5"],
    "warm": ["warm", "."],
    "warm in JSON": ["warm", ".", "--format", "json"],
    "warm by Jobs": ["warm", ".", "--as", "job"],
    "rules": ["rules", "list"],
    "init": ["init", ".", "--dry-run"],
}


@pytest.fixture
def web() -> Iterator[Web]:
    """Serve the charts of the planted tree."""
    with serve() as running:
        serve_charts(running)
        yield running


def left(folder: Path) -> set[str]:
    """Return the kinds of secrets that a run left on the machine outside its configuration."""
    kept = read_tree(folder / "home", leave_out=())
    own = (".config/helm/", ".docker/")
    return {
        kind
        for name, data in kept.items()
        if not name.startswith(own)
        for kind in secrets_in(name.encode()) | secrets_in(data)
    }


@pytest.mark.helm
@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_no_command_shows_a_secret(
    arguments: list[str], web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No output, no message and no cache of any command holds a planted secret."""
    tree = plant(monkeypatch, tmp_path, web)
    options = [] if arguments[0] == "init" else REGISTRY

    done = run(tree, *arguments, *options)

    assert done.code in {0, 1, 2, 3, 4}, done.stderr
    assert secrets_in(done.stdout.encode()) == set()
    assert secrets_in(done.stderr.encode()) == set()
    assert left(tmp_path) == set()


@pytest.mark.helm
def test_no_cache_holds_a_secret(web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file that a run keeps on the machine holds a planted secret."""
    tree = plant(monkeypatch, tmp_path, web)
    run(tree, "scan", ".", *REGISTRY)

    assert web.paths.count("/good/whole.tgz") == 1
    assert len(read_tree(tmp_path / "home" / ".cache")) > 2
    assert left(tmp_path) == set()


HELPED = {
    "scan": ["scan", "."],
    "scan in JSON": ["scan", ".", "--format", "json"],
    "charts required": ["migrate", ".", "--dry-run", "--charts", "require", "--verbose"],
}


@pytest.mark.helm
@pytest.mark.parametrize("arguments", HELPED.values(), ids=HELPED)
def test_no_command_shows_a_helpers_login(
    arguments: list[str], web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A credential helper's login goes to its registry and nowhere else, whatever that answers."""
    tree = plant(monkeypatch, tmp_path, web)
    plant_helper(monkeypatch, tmp_path / "home", web)
    serve_registry(web)

    done = run(tree, *arguments, *REGISTRY)

    assert any("authorization" in asked.headers for asked in web.asked)
    assert secrets_in(done.stdout.encode()) == set()
    assert secrets_in(done.stderr.encode()) == set()
    (tmp_path / "home" / "bin" / "docker-credential-planted").unlink()
    assert left(tmp_path) == set()


VERIFIED = {
    "verify": [],
    "verify in JSON": ["--format", "json"],
    "verify, all told": ["--verbose"],
}


@pytest.mark.helm
@pytest.mark.kustomize
@pytest.mark.parametrize("arguments", VERIFIED.values(), ids=VERIFIED)
def test_verify_shows_no_secret(
    arguments: list[str], web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Secret that differs is named, and neither its old nor its new value is shown."""
    tree = plant(monkeypatch, tmp_path, web)
    base = Path(shutil.copytree(tree, tmp_path / "base"))
    for name in ("kustomized/secret.yaml", "kustomized/generated.txt", "values.yaml"):
        path = base / name
        path.write_text(path.read_text().replace("planted-", "before-planted-"))

    paths = ["kustomized", "charts", "values.yaml"]
    done = run(tree, "verify", *paths, "--base", str(base), *REGISTRY, *arguments)

    assert done.code == 1, done.stderr
    assert secrets_in(done.stdout.encode()) == set()
    assert secrets_in(done.stderr.encode()) == set()
    assert left(tmp_path) == set()
    assert "Secret" in done.stdout
