"""Generated ignore files are read as the real Git reads them."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imageshift.repo.workspace import Workspace

pytestmark = pytest.mark.property

NAMES = ("a", "b", "ab", "c-d", "[e]", "é")
FILES = tuple(f"{folder}{name}.yaml" for folder in ("", "a/", "ab/", "a/b/") for name in NAMES)
PIECES = (
    *("a", "b", "ab", "é", ".yaml", "/", "/", "*", "*", "**", "**/", "/**", "?", "!", "#", " "),
    *("[a-b]", "[!a]", "[^b]", "[]a]", "[[:alpha:]]", "[", "]", "-", "\\a", "\\*", "\\", "c-d"),
)
lines = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)
patterns = st.builds(str.__add__, st.sampled_from(["", "", "!"]), lines)
# Git compares a backslash before a slash bytewise; nobody writes it.
texts = st.lists(patterns, max_size=6).map("\n".join).filter(lambda text: "\\/" not in text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with the files."""
    root = tmp_path_factory.mktemp("ignore").resolve()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@given(texts, texts)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_as_git(folder: Path, text: str, deeper: str) -> None:
    """Whatever signs stand together, at the root and in a folder."""
    (folder / ".gitignore").write_text(text)
    (folder / "a/.gitignore").write_text(deeper)
    command = ["git", "-c", "core.excludesFile=/dev/null", "ls-files", "-oz", "--exclude-standard"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True)

    left = sorted(name for name in done.stdout.decode().split("\0") if name.endswith(".yaml"))

    assert sorted(Workspace(folder).walk()) == left
