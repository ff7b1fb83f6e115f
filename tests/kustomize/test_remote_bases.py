"""Bases that only kustomize can fetch: a Git repository on this disk stands for a remote one."""

import subprocess
from pathlib import Path

import pytest

from imageshift.errors import ToolError
from imageshift.inventory import build_index
from imageshift.kustomize import remote_bases, remote_images, solve
from imageshift.plan import FilePlan, Planner, apply_plans
from imageshift.run import Run, RunOptions
from imageshift.workspace import Workspace
from kustomize_builds import HOST, build, differences, images

DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: nginx:1.25
        - name: app
          image: ghcr.io/org/app:v1
        - name: own
          image: private.example/own:1
"""


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Return the address of a base in a Git repository."""
    base = tmp_path / "upstream" / "base"
    base.mkdir(parents=True)
    (base / "web.yaml").write_text(DEPLOYMENT)
    (base / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    settings = ["-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *settings, *arguments], cwd=base.parent, check=True)
    return f"file://{base.parent}//base?ref=main"


def local(root: Path, address: str, more: str = "") -> Path:
    """A kustomization over the remote base."""
    folder = root / "tree" / "prod"
    folder.mkdir(parents=True)
    text = f"resources:\n  - {address}\n{more}"
    (folder / "kustomization.yaml").write_text(text)
    return folder


def migrate_rendered(root: Path) -> list[FilePlan]:
    """Migrate a tree with its remote bases rendered."""
    run = Run.open([root], RunOptions(account="123456789012", region="eu-west-2", root=root))
    planner = Planner(
        run.index,
        run.mapper,
        lambda planner: [solve(run.index, run.mapper, planner.scan, remote=remote_images)],
        run.reach,
    )
    return list(apply_plans(run.workspace, planner.plans(run.files())))


@pytest.mark.kustomize
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            "",
            "images:\n"
            f"  - name: nginx\n    newName: {HOST}/docker-hub/library/nginx\n"
            f"  - name: ghcr.io/org/app\n    newName: {HOST}/github/org/app\n",
            id="no list yet",
        ),
        pytest.param(
            'images:\n  - name: nginx\n    newTag: "1.27"\n',
            "images:\n"
            f'  - name: nginx\n    newName: {HOST}/docker-hub/library/nginx\n    newTag: "1.27"\n'
            f"  - name: ghcr.io/org/app\n    newName: {HOST}/github/org/app\n",
            id="an entry for one of them",
        ),
    ],
)
def test_entries_for_rendered_images(
    tmp_path: Path, address: str, more: str, expected: str
) -> None:
    """The kustomization that names a remote base gets entries for the base's images."""
    folder = local(tmp_path, address, more)
    before = build(folder)
    migrate_rendered(tmp_path / "tree")
    after = build(folder)

    text = (folder / "kustomization.yaml").read_text()
    assert text.rstrip() == f"resources:\n  - {address}\n{expected}".rstrip()
    assert list(differences({"": before}, {"": after})) == []
    assert [image.startswith(HOST) for image in images(after)] == [True, True, False]


@pytest.mark.kustomize
def test_entry_over_unseen_base_gets_a_new_name(tmp_path: Path, address: str) -> None:
    """Without rendering, an entry's own name says what it matches in a remote base (K8)."""
    folder = local(tmp_path, address, 'images:\n  - name: nginx\n    newTag: "1.27"\n')
    before = build(folder)
    root = tmp_path / "tree"
    run = Run.open([root], RunOptions(account="123456789012", region="eu-west-2", root=root))
    list(run.apply())
    after = build(folder)

    assert (
        f"newName: {HOST}/docker-hub/library/nginx" in (folder / "kustomization.yaml").read_text()
    )
    assert list(differences({"": before}, {"": after})) == []


def test_remote_bases_are_told(tmp_path: Path) -> None:
    """A scan can name the bases that it can't see into, with their places."""
    folder = local(tmp_path, "https://github.com/org/repo//deploy?ref=v1")
    workspace = Workspace(folder.parent)
    found = list(remote_bases(build_index(workspace, workspace.walk())))

    assert [(base.address, base.file, base.place.line) for base in found] == [
        ("https://github.com/org/repo//deploy?ref=v1", "prod/kustomization.yaml", 2)
    ]


@pytest.mark.kustomize
def test_base_that_cannot_be_fetched(tmp_path: Path) -> None:
    """A base that isn't there is an error of the tool, with its address."""
    with pytest.raises(ToolError, match=r"nowhere//base"):
        remote_images(f"file://{tmp_path}/nowhere//base?ref=main")
