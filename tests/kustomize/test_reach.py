"""Which files a Flux Kustomization builds, of a folder that has no kustomization of its own.

After `scan` in `kustomize/kustomize_generator.go` of github.com/fluxcd/pkg: the topmost folders
with a kustomization as a whole, and the manifests outside of them.
"""

from pathlib import Path

import pytest

from imageshift.rewrite import Kept
from imageshift.run import Run, RunOptions

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - image: nginx:1\n"
FLUX = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: all, namespace: flux-system}
spec:
  path: ./all
  sourceRef: {kind: GitRepository, name: flux-system}
"""
FILES = {
    "clusters/all.yaml": FLUX,
    "all/pod.yaml": POD,
    "all/deep/er/pod.yaml": POD,
    "all/notes.json": "{}",
    "all/top/kustomization.yaml": "resources: [pod.yaml, base]\n",
    "all/top/pod.yaml": POD,
    "all/top/loose.yaml": POD,
    "all/top/base/kustomization.yaml": "resources: [pod.yaml]\n",
    "all/top/base/pod.yaml": POD,
    "all/top/unused/kustomization.yaml": "resources: [pod.yaml]\n",
    "all/top/unused/pod.yaml": POD,
    "all/topmost/kustomization.yaml": "resources: [pod.yaml]\n",
    "all/topmost/pod.yaml": POD,
    "other/pod.yaml": POD,
}
BUILT = {
    "all/pod.yaml",
    "all/deep/er/pod.yaml",
    "all/top/kustomization.yaml",
    "all/top/pod.yaml",
    "all/top/base/kustomization.yaml",
    "all/top/base/pod.yaml",
    "all/topmost/kustomization.yaml",
    "all/topmost/pod.yaml",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree with a Flux object over a folder of every sort of things."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_files_that_flux_takes(tree: Path) -> None:
    """Nothing below a folder with a kustomization counts but what that one takes."""
    run = Run.open([tree], RunOptions(account="123456789012", region="eu-west-2", root=tree))
    [flux] = run.index.flux

    assert run.reach().built_by(flux) == BUILT


def test_registries_of_what_nobody_builds(tree: Path) -> None:
    """A file that Flux leaves out belongs to its own folder's registry, without a conflict."""
    (tree / ".imageshift.yaml").write_text(
        "registries:\n"
        "  - {paths: [clusters/], account: '111111111111', region: eu-west-1}\n"
        "  - {paths: [all/top/unused/], account: '222222222222', region: us-east-1}\n"
    )
    plans = list(Run.open([tree], RunOptions(root=tree)).apply())

    assert [r for plan in plans for r in plan.results if isinstance(r, Kept)] == []
    assert "222222222222" in (tree / "all/top/unused/pod.yaml").read_text()
    assert "111111111111" in (tree / "all/top/base/pod.yaml").read_text()
