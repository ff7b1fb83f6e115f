"""The hooks, run by the real pre-commit on a scratch repository from a clone of this one."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.precommit

CACHE = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: web}}
spec:
  containers:
    - {{name: web, image: "{image}"}}  # the comment stays
"""
CONFIG = """\
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: imageshift
        args: [--account, "123456789012", --region, eu-west-2]
      - id: imageshift-check
        args: [--account, "123456789012", --region, eu-west-2]
"""


@dataclass(frozen=True, slots=True)
class Scratch:
    """A git repository with the hooks configured."""

    root: Path
    environment: Mapping[str, str]

    def git(self, *arguments: str) -> str:
        """Run git here and return what it printed."""
        command = ["git", *arguments]
        run = subprocess.run(
            command, cwd=self.root, env=self.environment, check=True, capture_output=True, text=True
        )
        return run.stdout.strip()

    def add(self, name: str, text: str) -> Path:
        """Write a file and stage it."""
        path = self.root / name
        path.write_text(text)
        self.git("add", name)
        return path

    def hook(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run one hook on all files."""
        command = ["pre-commit", "run", "--all-files", "--verbose", name]
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment with an author, and a pre-commit home of its own."""
    git = {
        f"GIT_{role}_{field}": "test@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for field in ("NAME", "EMAIL")
    }
    home = tmp_path_factory.mktemp("pre-commit")
    return {**os.environ, **git, "PRE_COMMIT_HOME": str(home), "GIT_CONFIG_GLOBAL": os.devnull}


@pytest.fixture(scope="module")
def clone(
    repository: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Scratch:
    """Return a clone of this repository's last commit, which pre-commit installs the hooks from."""
    target = tmp_path_factory.mktemp("clone") / "imageshift"
    command = ["git", "clone", "--quiet", str(repository), str(target)]
    subprocess.run(command, check=True, env=environment)
    return Scratch(target, environment)


@pytest.fixture
def scratch(clone: Scratch, environment: dict[str, str], tmp_path: Path) -> Scratch:
    """Return an empty repository that uses the hooks."""
    made = Scratch(tmp_path, environment)
    made.git("init", "--quiet")
    revision = clone.git("rev-parse", "HEAD")
    made.add(
        ".pre-commit-config.yaml", CONFIG.format(repository=clone.root.as_uri(), revision=revision)
    )
    return made


def test_manifest_is_valid(repository: Path, environment: dict[str, str]) -> None:
    """pre-commit accepts the hooks' manifest."""
    command = ["pre-commit", "validate-manifest", str(repository / ".pre-commit-hooks.yaml")]

    run = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)

    assert run.returncode == 0, run.stdout + run.stderr


def test_imageshift_rewrites_once(scratch: Scratch) -> None:
    """The hook rewrites the file and fails the commit; on the second run it passes."""
    path = scratch.add("pod.yaml", POD.format(image="nginx:1.27"))

    first = scratch.hook("imageshift")
    second = scratch.hook("imageshift")

    assert path.read_text() == POD.format(image=f"{CACHE}/docker-hub/library/nginx:1.27")
    assert first.returncode == 1, first.stdout + first.stderr
    assert "files were modified by this hook" in first.stdout
    assert second.returncode == 0, second.stdout + second.stderr


_LOCAL = re.compile(
    r"^```yaml[^\n]*\n(repos:\n  - repo: local\n.*?)^```$", re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize("page", ["README.md", "docs/ci.md"])
def test_the_pages_local_hook_checks(
    page: str, repository: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """It runs the imageshift that is installed, and fails on what should move."""
    [config] = _LOCAL.findall((repository / page).read_text("utf-8"))
    path = os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"]))
    scratch = Scratch(tmp_path, environment | {"PATH": path})
    scratch.git("init", "--quiet")
    scratch.add(".pre-commit-config.yaml", config)
    scratch.add(".imageshift.yaml", 'account: "123456789012"\nregion: eu-west-2\n')
    scratch.add("pod.yaml", POD.format(image="nginx:1.27"))

    found = scratch.hook("imageshift-check")
    scratch.add("pod.yaml", POD.format(image=f"{CACHE}/docker-hub/library/nginx:1.27"))
    clean = scratch.hook("imageshift-check")

    assert (found.returncode, clean.returncode) == (1, 0), found.stdout + clean.stdout
    assert "pod.yaml:6:" in found.stdout


@pytest.mark.parametrize(
    ("image", "code"),
    [
        pytest.param("ghcr.io/example/app:1.0", 1, id="to-move"),
        pytest.param(f"{CACHE}/github/example/app:1.0", 0, id="moved"),
        pytest.param("nvcr.io/nvidia/cuda:12", 0, id="no-rule"),
    ],
)
def test_check_writes_nothing(scratch: Scratch, image: str, code: int) -> None:
    """The check fails exactly on what should move, names the line, and leaves the file alone."""
    path = scratch.add("pod.yaml", POD.format(image=image))

    run = scratch.hook("imageshift-check")

    assert path.read_text() == POD.format(image=image)
    assert run.returncode == code, run.stdout + run.stderr
    assert ("pod.yaml:6" in run.stdout + run.stderr) == (code == 1)


def test_other_files_are_not_passed(scratch: Scratch) -> None:
    """Neither hook runs when the commit has no YAML or JSON."""
    scratch.git("rm", "--quiet", "--cached", ".pre-commit-config.yaml")
    scratch.add("notes.txt", "image: nginx\n")

    runs = [scratch.hook(name) for name in ("imageshift", "imageshift-check")]

    assert [run.returncode for run in runs] == [0, 0]
    assert all("no files to check" in run.stdout for run in runs)
