"""The example cluster is a real one: kustomize builds every folder that Flux applies."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from doc_pages import CLUSTER, environment

FOLDERS = (
    "clusters/production",
    "infrastructure/controllers",
    "infrastructure/monitoring",
    "apps/production",
)


CACHE = "123456789012.dkr.ecr.eu-west-2.amazonaws.com/"


def build(folder: Path) -> list[str]:
    """Return the lines that kubectl kustomize prints for a folder, without a complaint."""
    command = ["kubectl", "kustomize", str(folder)]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.splitlines()


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated copy of the example cluster."""
    copy = tmp_path_factory.mktemp("migrated") / "cluster"
    shutil.copytree(CLUSTER, copy)
    where = ["--account", "123456789012", "--region", "eu-west-2"]
    command = ["imageshift", "migrate", str(copy), *where]
    subprocess.run(command, check=True, capture_output=True, env=environment())
    return copy


@pytest.mark.kustomize
@pytest.mark.parametrize("folder", FOLDERS)
def test_builds_differ_in_registries_only(folder: str, migrated: Path) -> None:
    """Each folder that Flux applies builds before and after, line by line but for registries."""
    before, after = build(CLUSTER / folder), build(migrated / folder)

    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]

    assert all(CACHE in new for _, new in changed)
    assert all(tag_of(old) == tag_of(new) for old, new in changed)
    assert bool(changed) == (folder != "clusters/production")


def tag_of(line: str) -> str | None:
    """Return the tag at the end of a line that sets a whole reference."""
    found = re.search(r"image: .*:([^:/]+)$", line)
    return found and found[1]
