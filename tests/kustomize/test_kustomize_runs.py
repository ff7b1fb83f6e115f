"""Whole runs over graphs: other registries, limited paths, files that can't be written."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from imageshift.rewrite import Kept
from imageshift.run import Run, RunOptions
from kustomize_builds import HOST, build, images, migrate

BASE = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
        - name: web
          image: nginx:1.25
"""
OVERLAY = 'resources: [../base]\nimages:\n  - name: nginx\n    newTag: "1.27"\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a base with one overlay."""
    for name, text in {
        "base/web.yaml": BASE,
        "base/kustomization.yaml": "resources: [web.yaml]\n",
        "prod/kustomization.yaml": OVERLAY,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.kustomize
def test_variable_host_is_escaped_in_names(tree: Path) -> None:
    """`${ECR_HOST}` in an entry's name is a pattern: unescaped it would match nothing (K9)."""
    options = RunOptions(account="123456789012", region="eu-west-2", registry_host="${ECR_HOST}")
    list(Run.open([tree], options).apply())

    assert images(build(tree / "prod")) == ["${ECR_HOST}/docker-hub/library/nginx:1.27"]


@pytest.mark.kustomize
def test_variable_host_comes_back_with_its_entries(tree: Path) -> None:
    """A base under the own host's variable goes back together with the entry that meets it."""
    options = RunOptions(account="123456789012", region="eu-west-2", registry_host="${ECR_HOST}")
    list(Run.open([tree], options).apply())
    list(Run.open([tree], replace(options, backward=True)).apply())

    quoted = BASE.replace("nginx:1.25", '"nginx:1.25"')
    assert (tree / "base" / "web.yaml").read_text() == quoted
    assert images(build(tree / "prod")) == ["nginx:1.27"]


@pytest.mark.kustomize
def test_base_alone_is_kept_when_its_overlay_is_outside_the_paths(tree: Path) -> None:
    """An overlay that may not be written would lose its tag, so its base stays (K2)."""
    plans = migrate(tree, "base")
    kept = [r for plan in plans for r in plan.results if isinstance(r, Kept)]

    assert (tree / "base" / "web.yaml").read_text() == BASE
    assert [str(result.reason) for result in kept] == ["conflict"]
    assert "prod/kustomization.yaml:3" in str(kept[0].detail)
    assert images(build(tree / "prod")) == ["nginx:1.27"]


@pytest.mark.kustomize
def test_overlay_alone_gets_a_new_name(tree: Path) -> None:
    """With the base outside the paths, its entry renames what it must leave."""
    migrate(tree, "prod")

    assert (tree / "base" / "web.yaml").read_text() == BASE
    assert images(build(tree / "prod")) == [f"{HOST}/docker-hub/library/nginx:1.27"]


def test_entry_is_told_with_the_tag_that_it_sets(tree: Path) -> None:
    """What it makes of a base's image is what the cluster pulls, so reports and warm name that."""
    plans = {plan.file: plan for plan in migrate(tree)}

    told = [(str(r.before), str(r.after)) for r in plans["prod/kustomization.yaml"].results]

    assert told == [("docker.io/library/nginx:1.27", f"{HOST}/docker-hub/library/nginx:1.27")]


def test_entry_that_cannot_be_edited_keeps_its_base(tree: Path) -> None:
    """An ignored entry would lose its image, so the base stays with it."""
    text = OVERLAY.replace("name: nginx", "name: nginx # imageshift: ignore")
    (tree / "prod" / "kustomization.yaml").write_text(text)
    migrate(tree)

    assert (tree / "base" / "web.yaml").read_text() == BASE
    assert (tree / "prod" / "kustomization.yaml").read_text() == text


@pytest.mark.kustomize
def test_base_of_two_registries(tree: Path) -> None:
    """A base under two registries stays, each overlay's entry names its own, and both go back."""
    staging = tree / "staging"
    staging.mkdir()
    (staging / "kustomization.yaml").write_text(OVERLAY)
    (tree / ".imageshift.yaml").write_text(
        "registries:\n"
        "  - {paths: [prod/], account: '111111111111', region: eu-west-1}\n"
        "  - {paths: [staging/], account: '222222222222', region: us-east-1}\n"
    )
    list(Run.open([tree], RunOptions(root=tree)).apply())
    path = "docker-hub/library/nginx:1.27"

    assert (tree / "base" / "web.yaml").read_text() == BASE
    assert images(build(tree / "prod")) == [f"111111111111.dkr.ecr.eu-west-1.amazonaws.com/{path}"]
    assert images(build(staging)) == [f"222222222222.dkr.ecr.us-east-1.amazonaws.com/{path}"]

    list(Run.open([tree], RunOptions(root=tree, backward=True)).apply())
    assert (tree / "prod" / "kustomization.yaml").read_text() == OVERLAY
    assert (staging / "kustomization.yaml").read_text() == OVERLAY


def test_all_changes_of_a_base_and_its_overlays_are_one_move(tree: Path) -> None:
    """A base and its overlay carry the same number, so that none is written alone."""
    plans = list(Run.open([tree], RunOptions(account="123456789012", region="eu-west-2")).plans())
    moves = {plan.file: plan.moves for plan in plans if plan.changes}

    assert set(moves) == {"base/web.yaml", "prod/kustomization.yaml"}
    assert len(set(moves.values())) == 1
    assert frozenset() not in moves.values()


RELEASES = """\
apiVersion: v1
kind: List
items:
  - apiVersion: helm.toolkit.fluxcd.io/v2
    kind: HelmRelease
    metadata: {name: app}
    spec:
      chart: {spec: {chart: app, sourceRef: {kind: HelmRepository, name: app}}}
      values:
        image: quay.io/org/app:1
      postRenderers:
        - kustomize:
            images:
              - name: quay.io/org/app
                newTag: "2"
"""


# The chart may bring the image by itself, so the entry for its old name stays.
MOVED = RELEASES.replace("quay.io/org/app:1", f"{HOST}/quay/org/app:1").replace(
    "              - name: quay.io/org/app\n",
    f"""\
              - name: {HOST}/quay/org/app
                newTag: "2"
              - name: quay.io/org/app
                newName: {HOST}/quay/org/app
""",
)


def test_post_renderers_in_a_list_come_back(tmp_path: Path) -> None:
    """The entries of a release in a List move with its values, and go back with them."""
    file = tmp_path / "releases.yaml"
    file.write_text(RELEASES)
    options = RunOptions(account="123456789012", region="eu-west-2", root=tmp_path, charts="off")

    list(Run.open([tmp_path], options).apply())
    assert file.read_text() == MOVED

    list(Run.open([tmp_path], replace(options, backward=True)).apply())
    assert file.read_text() == RELEASES
