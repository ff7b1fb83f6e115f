"""Bases that only kustomize can fetch: Git repositories and files behind a server on loopback."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imageshift.errors import ToolError
from imageshift.inventory import build_index
from imageshift.links.remote import remote_bases
from imageshift.plan import FilePlan
from imageshift.repo.workspace import Workspace
from imageshift.rewrite import Change, Kept
from imageshift.run import Run, RunOptions
from kustomize_builds import HOST, build, build_all, differences, images
from remote_server import commit, serving

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
CRON = """apiVersion: batch/v1
kind: CronJob
metadata: {name: sweep}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: sweep, image: busybox:1}]}}}}}
"""
PROMETHEUS = """apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: main}
spec: {image: quay.io/prometheus/prometheus:v3}
"""
ALL = (
    f"  - name: nginx\n    newName: {HOST}/docker-hub/library/nginx\n",
    f"  - name: ghcr.io/org/app\n    newName: {HOST}/github/org/app\n",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server with the repository `up` and two plain files."""
    root = tmp_path_factory.mktemp("server")
    commit(
        root / "up",
        {
            "base/web.yaml": DEPLOYMENT,
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "more/kustomization.yaml": "resources: [../base, prometheus.yaml]\n",
            "more/prometheus.yaml": PROMETHEUS,
        },
    )
    (root / "web.yaml").write_text(DEPLOYMENT)
    (root / "cron.yaml").write_text(CRON)
    with serving(root) as address:
        yield address


def git(server: str, path: str = "base") -> str:
    """The address of a folder in the repository `up`."""
    return f"{server}/up/.git//{path}?ref=main"


def write(root: Path, files: dict[str, str]) -> Path:
    """Write kustomizations, by folder."""
    for folder, text in files.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "kustomization.yaml").write_text(text)
    return root


def read(root: Path, folder: str) -> str:
    """A kustomization's text."""
    return (root / folder / "kustomization.yaml").read_text()


def migrate(root: Path, *, render: bool = True, back: bool = False) -> list[FilePlan]:
    """Migrate a tree, its remote bases built."""
    options = RunOptions(
        account="123456789012", region="eu-west-2", root=root, render=render, backward=back
    )
    return list(Run.open([root], options).apply())


def told(plans: list[FilePlan]) -> list[str]:
    """What a run tells of remote bases: place, text, status and reason."""
    return sorted(
        f"{plan.file}:{result.site.place.line} {result.site.text} {result.status}"
        + (f" {result.reason}" if isinstance(result, Kept) and result.reason else "")
        for plan in plans
        for result in plan.results
        if result.site.origin == "remote-base"
    )


@pytest.mark.kustomize
@pytest.mark.parametrize("kind", ["git", "file"])
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param("", f"images:\n{ALL[0]}{ALL[1]}", id="no list yet"),
        pytest.param(
            'images:\n  - name: nginx\n    newTag: "1.27"\n',
            "images:\n"
            f'  - name: nginx\n    newName: {HOST}/docker-hub/library/nginx\n    newTag: "1.27"\n'
            f"{ALL[1]}",
            id="an entry for one of them",
        ),
        pytest.param(
            'images:\n  - newTag: "1.27"\n    name: "nginx"\nnamespace: web\n',
            "images:\n"
            f'  - newTag: "1.27"\n    name: "nginx"\n'
            f'    newName: "{HOST}/docker-hub/library/nginx"\n'
            f'  - name: "ghcr.io/org/app"\n    newName: "{HOST}/github/org/app"\nnamespace: web\n',
            id="in the style of the entry",
        ),
    ],
)
def test_entries_for_rendered_images(
    tmp_path: Path, server: str, kind: str, more: str, expected: str
) -> None:
    """The kustomization that names a base gets entries, once; the build differs by images only."""
    address = git(server) if kind == "git" else f"{server}/web.yaml"
    head = f"resources:\n  - {address}\n"
    root = write(tmp_path, {"prod": head + more})
    before = build_all(root)
    migrate(root)
    after = build_all(root)
    once = read(root, "prod")
    again = migrate(root)

    assert once.rstrip() == (head + expected).rstrip()
    assert list(differences(before, after)) == []
    assert [image.startswith(HOST) for image in images(after["prod"])] == [True, True, False]
    assert [change for plan in again for change in plan.changes] == []
    assert read(root, "prod") == once


@pytest.mark.kustomize
def test_every_image_of_a_base_is_told_once(tmp_path: Path, server: str) -> None:
    """Those that move, those without a rule, and those that no entry reaches."""
    root = write(tmp_path, {"prod": f"resources:\n  - {git(server, 'more')}\n"})
    plans = migrate(root)

    assert told(plans) == [
        "prod/kustomization.yaml:2 ghcr.io/org/app:v1 rewrite",
        "prod/kustomization.yaml:2 nginx:1.25 rewrite",
        "prod/kustomization.yaml:2 private.example/own:1 no-rule no-rule",
        "prod/kustomization.yaml:2 quay.io/prometheus/prometheus:v3 doubtful",
    ]


@pytest.mark.kustomize
def test_overlays_with_and_without_an_entry(tmp_path: Path, server: str) -> None:
    """A base that one overlay tags moves in the other too, and alone."""
    root = write(
        tmp_path,
        {
            "base": f"resources:\n  - {git(server)}\n",
            "one": 'resources: [../base]\nimages:\n  - name: nginx\n    newTag: "1.27"\n',
            "two": "resources: [../base]\nnamePrefix: two-\n",
        },
    )
    before = build_all(root)
    migrate(root)
    after = build_all(root)

    assert list(differences(before, after)) == []
    assert images(after["one"])[:2] == [
        f"{HOST}/docker-hub/library/nginx:1.27",
        f"{HOST}/github/org/app:v1",
    ]
    assert images(after["two"])[:2] == images(after["base"])[:2]
    assert images(after["two"])[0] == f"{HOST}/docker-hub/library/nginx:1.25"


@pytest.mark.kustomize
def test_entry_that_must_stay(tmp_path: Path, server: str) -> None:
    """An entry that may not be touched keeps the image that it tags, and the report says so."""
    entry = 'images:\n  - name: nginx # imageshift: ignore\n    newTag: "1.27"\n'
    root = write(
        tmp_path,
        {"base": f"resources:\n  - {git(server)}\n", "one": f"resources: [../base]\n{entry}"},
    )
    before = build_all(root)
    plans = migrate(root)
    after = build_all(root)

    assert list(differences(before, after)) == []
    assert images(after["one"])[:2] == ["nginx:1.27", f"{HOST}/github/org/app:v1"]
    assert told(plans)[1] == "base/kustomization.yaml:2 nginx:1.25 skipped conflict"


@pytest.mark.kustomize
def test_kustomization_without_room_for_entries(tmp_path: Path, server: str) -> None:
    """What no entry can be written for is told there, also when another overlay has one for it."""
    entry = 'images:\n  - name: nginx\n    newTag: "1.27"\n'
    root = write(
        tmp_path,
        {
            "json": f'{{"resources": ["{git(server)}"]}}\n',
            "prod": f"resources:\n  - {git(server)}\n{entry}",
        },
    )
    before = build_all(root)
    plans = migrate(root)
    kept = [r for plan in plans for r in plan.results if isinstance(r, Kept)]

    assert list(differences(before, build_all(root))) == []
    assert told(plans) == [
        "json/kustomization.yaml:1 ghcr.io/org/app:v1 skipped conflict",
        "json/kustomization.yaml:1 nginx:1.25 skipped conflict",
        "json/kustomization.yaml:1 private.example/own:1 no-rule no-rule",
        "prod/kustomization.yaml:2 ghcr.io/org/app:v1 rewrite",
        "prod/kustomization.yaml:2 private.example/own:1 no-rule no-rule",
    ]
    assert {result.detail for result in kept if result.reason == "conflict"} == {
        "there is nowhere to put an images entry in its kustomization"
    }


@pytest.mark.kustomize
def test_base_that_a_comment_leaves_out(tmp_path: Path, server: str) -> None:
    """A base with `imageshift: ignore` beside its address isn't fetched at all."""
    text = f"resources:\n  - {server}/nowhere.yaml # imageshift: ignore\n  - {server}/cron.yaml\n"
    root = write(tmp_path, {"prod": text})
    plans = migrate(root)

    assert told(plans) == [
        f"prod/kustomization.yaml:2 {server}/nowhere.yaml skipped ignored",
        "prod/kustomization.yaml:3 busybox:1 rewrite",
    ]


@pytest.mark.kustomize
def test_revert_leaves_an_entry_that_does_nothing(tmp_path: Path, server: str) -> None:
    """Rules alone can't tell an added entry: its newName goes back, and the build with it."""
    root = write(tmp_path, {"prod": f"resources:\n  - {git(server)}\n"})
    before = build(root / "prod")
    migrate(root)
    migrate(root, back=True)

    assert build(root / "prod") == before
    assert HOST not in read(root, "prod")


@pytest.mark.kustomize
def test_entry_over_unseen_base_gets_a_new_name(tmp_path: Path, server: str) -> None:
    """Without rendering, an entry's own name says what it matches in a remote base (K8)."""
    entry = 'images:\n  - name: nginx\n    newTag: "1.27"\n'
    root = write(tmp_path, {"prod": f"resources:\n  - {git(server)}\n{entry}"})
    before = build_all(root)
    plans = migrate(root, render=False)
    after = build_all(root)

    assert f"newName: {HOST}/docker-hub/library/nginx" in read(root, "prod")
    assert list(differences(before, after)) == []
    assert told(plans) == [f"prod/kustomization.yaml:2 {git(server)} doubtful"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("https://github.com/org/repo//deploy?ref=v1", True),
        ("github.com/org/repo/deploy?ref=v1", True),
        ("git@github.com:org/repo.git", True),
        ("ssh://git@host.example/org/repo//x", True),
        ("https://host.example/install.yaml", True),
        ("host.example/org/repo.git", True),
        ("gh:org/repo", True),
        ("../base", False),
        ("../base//sub", False),
        ("pod.yaml", False),
        ("missing.yaml", False),
    ],
)
@pytest.mark.parametrize("form", ["resources:\n  - {}\n", "resources: [ pod.yaml,\n  '{}']\n"])
def test_remote_bases_are_found(tmp_path: Path, name: str, form: str, *, found: bool) -> None:
    """An address is one that kustomize fetches; what is here isn't."""
    root = write(tmp_path, {"prod": form.format(name), "base/sub": "resources: []\n"})
    (root / "prod" / "pod.yaml").write_text(DEPLOYMENT)
    workspace = Workspace(root)
    index = build_index(workspace, workspace.walk())
    bases = [base for each in index.kustomizations.values() for base in remote_bases(index, each)]

    assert [(base.address, base.file, base.place.line) for base in bases] == [
        (name, "prod/kustomization.yaml", 2)
    ] * found
    assert index.has_remote or not found


@pytest.mark.kustomize
def test_base_that_cannot_be_fetched(tmp_path: Path, server: str) -> None:
    """It is an error of the tool, with place, address and reason, and nothing is written."""
    text = f"resources:\n  - {server}/cron.yaml\n  - {server}/nowhere.yaml\n"
    root = write(tmp_path, {"prod": text})
    place = re.escape(f"prod/kustomization.yaml:3:5: {server}/nowhere.yaml: ")

    with pytest.raises(ToolError, match=rf"{place}.*404") as raised:
        migrate(root)
    assert raised.value.hint is not None
    assert "--render" in raised.value.hint
    assert read(root, "prod") == text


def test_no_kustomize_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without kustomize and kubectl there is nothing to render with."""
    monkeypatch.setenv("PATH", str(tmp_path))
    root = write(tmp_path / "tree", {"prod": "resources:\n  - https://host.example/x.yaml\n"})

    with pytest.raises(ToolError, match="kustomize, which isn't on PATH") as raised:
        migrate(root)
    assert raised.value.hint == "install kustomize or kubectl, or leave out --render"


def test_remote_component_is_never_rendered(tmp_path: Path) -> None:
    """Only its user can build a component, so it stays unseen, and nothing is fetched."""
    root = write(tmp_path, {"prod": "components:\n  - https://host.example/repo//c?ref=v1\n"})
    plans = migrate(root)

    assert told(plans) == ["prod/kustomization.yaml:2 https://host.example/repo//c?ref=v1 doubtful"]
    assert not any(isinstance(r, Change) for plan in plans for r in plan.results)
