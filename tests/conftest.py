"""Tests that need a tool or data: skipped with a word where it is absent, failed in CI."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FETCH = "run `python3 scripts/fetch_tools.py`"
TOOLS = {
    "helm": (("helm",), FETCH),
    "helm3": (("helm3",), FETCH),
    "kustomize": (("kubectl", "kustomize"), FETCH),
    "registry": (("docker-registry",), FETCH),
    "browser": (("chromedriver",), "install chromium and chromium-driver"),
    "precommit": (("pre-commit",), "run `pip install pre-commit`"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Put the fetched tools in front on PATH, and keep the user's state and screen out of it."""
    state = tempfile.TemporaryDirectory(prefix="imageshift-state-")
    config.add_cleanup(state.cleanup)
    os.environ["XDG_STATE_HOME"] = state.name
    os.environ.pop("COLUMNS", None)
    os.environ["PATH"] = os.pathsep.join([str(ROOT / ".tools" / "bin"), os.environ["PATH"]])


def in_ci() -> bool:
    """Whether this is CI, where a missing tool is a failure."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first, so that no worker is left with them when the others are done."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail or skip a test whose marker names a tool that isn't on PATH, or the corpus."""
    for marker, (names, hint) in TOOLS.items():
        if item.get_closest_marker(marker) and not any(map(shutil.which, names)):
            reason = f"needs {' or '.join(names)} on PATH: {hint}"
            (pytest.fail if in_ci() else pytest.skip)(reason)
    if item.get_closest_marker("corpus") and not os.environ.get("IMAGESHIFT_CORPUS"):
        pytest.skip("needs IMAGESHIFT_CORPUS, a folder of real repositories")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of this repository."""
    return ROOT
