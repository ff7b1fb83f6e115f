"""The example cluster is a real one: kustomize builds every folder that Flux applies."""

import subprocess

import pytest
from doc_pages import CLUSTER

FOLDERS = (
    "clusters/production",
    "infrastructure/controllers",
    "infrastructure/monitoring",
    "apps/production",
)


@pytest.mark.kustomize
@pytest.mark.parametrize("folder", FOLDERS)
def test_example_builds(folder: str) -> None:
    """Each folder builds with kubectl kustomize, without a complaint."""
    command = ["kubectl", "kustomize", str(CLUSTER / folder)]

    run = subprocess.run(command, check=False, capture_output=True, text=True)

    assert (run.returncode, run.stderr) == (0, "")
    assert "kind:" in run.stdout
