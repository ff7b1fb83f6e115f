"""Which hosts each command contacts: all look-ups and connections of the process are recorded."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from planted_tree import plant, serve_charts

from command_line import REGISTRY, run
from web_server import Web, serve

pytestmark = pytest.mark.once

_recorded: list[str] | None = None


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    """Note whom the process looks up or connects to, while that is wanted."""
    if _recorded is None:
        return
    if event == "socket.getaddrinfo":
        _recorded.append(f"{arguments[0]}:{arguments[1]}")
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        _recorded.append(f"{arguments[1][0]}:{arguments[1][1]}")


@pytest.fixture(scope="module", autouse=True)
def _hook() -> None:
    """Install the recorder, which can't be taken out again."""
    sys.addaudithook(_record)


@pytest.fixture
def contacts() -> Iterator[list[str]]:
    """Record in the list while the test runs."""
    global _recorded  # noqa: PLW0603 the hook outlives the test
    _recorded = []
    yield _recorded
    _recorded = None


@pytest.fixture
def web() -> Iterator[Web]:
    """Serve the charts of the planted tree."""
    with serve() as running:
        serve_charts(running)
        yield running


QUIET = {
    "scan without charts": ["scan", ".", "--charts", "off"],
    "migrate without charts": ["migrate", ".", "--charts", "off", "--dry-run"],
    "check without charts": ["check", ".", "--charts", "off"],
    "check a file": ["check", "charts/good.yaml", "pods.yaml"],
    "revert without charts": ["revert", ".", "--all", "--charts", "off", "--dry-run"],
    "map": ["map", "nginx", "ghcr.io/org/app:1"],
    "rules": ["rules", "list"],
    "warm as a list": ["warm", "pods.yaml", "--charts", "off"],
}


@pytest.mark.parametrize("arguments", QUIET.values(), ids=QUIET)
def test_commands_that_contact_nobody(
    arguments: list[str],
    web: Web,
    contacts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without charts nothing is looked up and nothing is connected to."""
    tree = plant(monkeypatch, tmp_path, web)

    assert run(tree, *arguments, *REGISTRY).code in {0, 1}
    assert contacts == []
    assert web.asked == []


LOUD = {
    "scan": ["scan", "."],
    "check": ["check", "."],
    "migrate": ["migrate", ".", "--dry-run"],
}


@pytest.mark.helm
@pytest.mark.parametrize("arguments", LOUD.values(), ids=LOUD)
def test_commands_that_fetch_charts(
    arguments: list[str],
    web: Web,
    contacts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With charts only the hosts that releases and Applications name are asked."""
    tree = plant(monkeypatch, tmp_path, web)

    assert run(tree, *arguments, *REGISTRY).code in {0, 1}
    looked_up = {contact for contact in contacts if contact != web.host}
    # The redirect's address is judged, and never connected to.
    assert looked_up == {"169.254.169.254:80", "charts.example:443"}
    assert contacts.count("169.254.169.254:80") == 1
    assert "/good/index.yaml" in web.paths
    own = [one for one in web.asked if one.path.startswith("/signed/")]
    assert {one.headers.get("authorization") for one in own} == {None}
