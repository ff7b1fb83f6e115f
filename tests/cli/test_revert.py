"""imageshift revert: back to a revision or a folder, and back by the rules alone."""

import os
import subprocess
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: a} # kept
spec:
  containers:
    - name: a
      image: docker.io/library/nginx:1.25
    - name: b
      image: 'ghcr.io/org/b:1'
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: r}
spec:
  values:
    image:
      registry: index.docker.io
      repository: bitnami/redis
      tag: "7"
"""
FILES: dict[str, str | bytes] = {
    "pod.yaml": POD,
    "crlf.yaml": POD.replace("\n", "\r\n"),
    "bom.yaml": b"\xef\xbb\xbf" + POD.rstrip("\n").encode(),
    "apps/release.yaml": RELEASE,
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
    "prod/kustomization.yaml": (
        "resources: [../base]\nimages:\n  - name: ghcr.io/org/b # b\n    newTag: v2\n"
    ),
    "README.md": "ghcr.io/org/b\n",
}


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder."""
    who = {
        f"GIT_{role}_{field}": "t@e"
        for role in ("AUTHOR", "COMMITTER")
        for field in ("NAME", "EMAIL")
    }
    subprocess.run(
        ["git", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        env=os.environ | who | {"GIT_CONFIG_GLOBAL": os.devnull},
    )


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """Return a Git repository that was migrated since its first commit."""
    folder = tmp_path / "repository"
    write_tree(folder, FILES)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "before")
    assert run(folder, "migrate", ".", *REGISTRY).code == 0
    return folder


def before() -> dict[str, bytes]:
    """Return the bytes that the files had."""
    return {name: text.encode() if isinstance(text, str) else text for name, text in FILES.items()}


def test_every_file_moved(moved: Path) -> None:
    """The other tests stand on it."""
    same = {name for name, text in before().items() if read_tree(moved)[name] == text}

    assert same == {"README.md", "base/kustomization.yaml"}


def test_every_byte_comes_back_from_a_revision(moved: Path) -> None:
    """Spellings that rules couldn't know included."""
    done = run(moved, "revert", ".", "--base", "HEAD", *REGISTRY)

    assert (done.code, read_tree(moved)) == (0, before())


def test_every_byte_comes_back_from_a_folder(moved: Path, tmp_path: Path) -> None:
    """The base may be another working copy."""
    write_tree(tmp_path / "old", FILES)

    done = run(moved, "revert", ".", "--base", str(tmp_path / "old"), *REGISTRY)

    assert (done.code, read_tree(moved)) == (0, before())


def test_committed_migration_goes_back(moved: Path) -> None:
    """Any revision will do, here the one before the last."""
    git(moved, "commit", "--all", "--quiet", "--message", "after")

    run(moved, "revert", ".", "--base", "HEAD~1", *REGISTRY)

    assert read_tree(moved) == before()


def test_root_below_the_top_of_the_repository(moved: Path) -> None:
    """Paths are found in the revision also when the run starts in a folder of it."""
    done = run(moved / "apps", "revert", ".", "--base", "HEAD", "--root", ".", *REGISTRY)

    assert (done.code, (moved / "apps/release.yaml").read_text()) == (0, RELEASE)
    assert read_tree(moved)["pod.yaml"] != before()["pod.yaml"]


def test_paths_limit_the_way_back(moved: Path) -> None:
    """Only what is named goes back."""
    run(moved, "revert", "apps", "--base", "HEAD", *REGISTRY)

    changed = {name for name, text in before().items() if read_tree(moved)[name] != text}
    assert "apps/release.yaml" not in changed
    assert "pod.yaml" in changed


def test_other_changes_stay(moved: Path) -> None:
    """What else was written since is kept, in lines of their own and in those of the images."""
    pod = (moved / "pod.yaml").read_text()
    new = pod.replace("# kept", "# changed").replace(":1.25", ":1.27") + "  restartPolicy: Never\n"
    (moved / "pod.yaml").write_text(new)

    run(moved, "revert", ".", "--base", "HEAD", *REGISTRY)

    assert (moved / "pod.yaml").read_text() == (
        POD.replace("# kept", "# changed").replace("nginx:1.25", "nginx:1.27")
        + "  restartPolicy: Never\n"
    )


def test_file_that_is_new_since_stays(moved: Path) -> None:
    """The base doesn't have it, so it is none of the migration's."""
    text = POD.replace("ghcr.io/org/b", f"{HOST}/github/org/b")
    (moved / "new.yaml").write_text(text)

    run(moved, "revert", ".", "--base", "HEAD", *REGISTRY)

    assert (moved / "new.yaml").read_text() == text


def test_references_of_the_base_stay_in_the_cache(tmp_path: Path) -> None:
    """What was in the cache before the migration isn't brought out of it."""
    cached = f"      image: {HOST}/github/org/b:1\n"
    text = POD.replace("      image: 'ghcr.io/org/b:1'\n", cached)
    write_tree(tmp_path / "old", {"pod.yaml": text})
    write_tree(tmp_path / "new", {"pod.yaml": text})
    run(tmp_path / "new", "migrate", ".", *REGISTRY)

    run(tmp_path / "new", "revert", ".", "--base", str(tmp_path / "old"), *REGISTRY)

    assert (tmp_path / "new/pod.yaml").read_text() == text


def test_all_comes_back_in_the_familiar_form(moved: Path) -> None:
    """Without a base the rules alone say how names are spelled."""
    done = run(moved, "revert", ".", "--all", *REGISTRY)

    restored = read_tree(moved)
    assert done.code == 0
    assert restored["pod.yaml"].decode() == POD.replace("docker.io/library/", "")
    assert restored["apps/release.yaml"].decode() == RELEASE.replace("index.docker.io", "docker.io")
    assert restored["prod/kustomization.yaml"] == before()["prod/kustomization.yaml"]
    assert not [name for name, text in restored.items() if HOST.encode() in text]


def test_references_under_root_never_go_back(tmp_path: Path) -> None:
    """Any repository of the account could lie there."""
    text = POD.replace("'ghcr.io/org/b:1'", f"{HOST}/org/b:1")
    write_tree(tmp_path, {"pod.yaml": text})

    run(tmp_path, "revert", ".", "--all", "--rule", "ghcr.io=ROOT", *REGISTRY)

    assert (tmp_path / "pod.yaml").read_text() == text


@pytest.mark.parametrize("option", ["--dry-run", "--diff"])
def test_trying_writes_nothing(moved: Path, option: str) -> None:
    """Neither option changes a file; --diff prints what would change."""
    content = read_tree(moved)

    done = run(moved, "revert", ".", "--all", option, *REGISTRY)

    assert (done.code, read_tree(moved)) == (0, content)
    assert ("+      image: 'ghcr.io/org/b:1'\n" in done.stdout) is (option == "--diff")


def test_wrong_account_is_undone(tmp_path: Path) -> None:
    """The way back that the hint of bad-account names works."""
    write_tree(tmp_path, {"pod.yaml": POD.replace("docker.io/library/", "")})
    content = read_tree(tmp_path)
    run(tmp_path, "migrate", ".", "--account", "123", "--region", "eu-west-2")
    assert read_tree(tmp_path) != content

    later = run(tmp_path, "check", ".", *REGISTRY, "--format", "json").report
    run(tmp_path, "revert", ".", "--all", "--account", "123", "--region", "eu-west-2")

    assert {row["reason"] for row in later["images"]} == {"bad-account"}
    assert "revert --all --account 123 --region eu-west-2" in later["images"][0]["detail"]
    assert read_tree(tmp_path) == content


def test_report_tells_what_came_back(moved: Path) -> None:
    """The JSON report lists the changed files and the targets upstream."""
    report = run(moved, "revert", "apps", "--all", "--format", "json", *REGISTRY).report

    assert report["changed_files"] == ["apps/release.yaml"]
    assert [row["target"] for row in report["images"]] == ["docker.io/bitnami/redis:7"]


SOURCE = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: podinfo}
spec:
  url: oci://ghcr.io/stefanprodan/charts/podinfo # moved
  ref: {semver: 6.x}
"""


@pytest.mark.parametrize("way", ["--all", "--base=../old"])
def test_chart_sources_come_back_unasked(tmp_path: Path, way: str) -> None:
    """An address in the cache is a reference to it, so nobody has to repeat the option."""
    tree = {"source.yaml": SOURCE, "pod.yaml": POD.replace("docker.io/library/", "")}
    for name in ("old", "new"):
        write_tree(tmp_path / name, dict(tree))
    folder = tmp_path / "new"
    run(folder, "migrate", ".", "--charts-through-cache", *REGISTRY)
    assert f"  url: oci://{HOST}/github" in (folder / "source.yaml").read_text()

    run(folder, "revert", ".", way, *REGISTRY)

    assert read_tree(folder) == read_tree(tmp_path / "old")


HELD = """\
    - apiVersion: source.toolkit.fluxcd.io/v1
      kind: OCIRepository
      metadata: {name: podinfo}
      spec:
        url: oci://ghcr.io/stefanprodan/charts/podinfo
        interval: 1h
"""
HOLDERS = {
    "a List": f"apiVersion: v1\nkind: List\nitems:\n{HELD}",
    "a ResourceSet": "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\n"
    f"metadata: {{name: r}}\nspec:\n  url: x\n  resources:\n{HELD}",
}


@pytest.mark.parametrize("name", HOLDERS)
def test_chart_sources_in_other_objects_get_their_own_provider(name: str, tmp_path: Path) -> None:
    """The key goes beside the address that moves, wherever that stands, and goes back with it."""
    write_tree(tmp_path, {"held.yaml": HOLDERS[name]})

    run(tmp_path, "migrate", ".", "--charts-through-cache", *REGISTRY)

    there = f"url: oci://{HOST}/github/stefanprodan/charts/podinfo\n        provider: aws"
    moved = HOLDERS[name].replace("url: oci://ghcr.io/stefanprodan/charts/podinfo", there)
    assert (tmp_path / "held.yaml").read_text() == moved

    run(tmp_path, "revert", ".", "--all", *REGISTRY)

    assert (tmp_path / "held.yaml").read_text() == HOLDERS[name]


@pytest.mark.parametrize("way", ["--all", "--base=../old"])
def test_chart_sources_that_never_moved_stay(tmp_path: Path, way: str) -> None:
    """Without the option the migration leaves them alone, and so does the way back."""
    for name in ("old", "new"):
        write_tree(tmp_path / name, {"source.yaml": SOURCE, "r.yaml": RELEASE + "---\n" + SOURCE})
    folder = tmp_path / "new"
    run(folder, "migrate", ".", *REGISTRY)

    run(folder, "revert", ".", way, *REGISTRY)

    assert (folder / "source.yaml").read_text() == SOURCE
    assert (folder / "r.yaml").read_text().endswith(SOURCE)


MIXED = """\
apiVersion: v1
kind: Pod
metadata: {name: m}
spec:
  containers:
    - {name: never, image: "ghcr.io/org/never:1"}
    - {name: none, image: "registry.example.com/org/none:1"}
    - {name: own, image: "123456789012.dkr.ecr.eu-west-2.amazonaws.com/team/app:1"}
    - {name: other, image: "999999999999.dkr.ecr.eu-west-2.amazonaws.com/github/org/app:1"}
    - {name: back, image: "123456789012.dkr.ecr.eu-west-2.amazonaws.com/quay/org/app:1"}
---
apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec:
  template:
    spec:
      containers:
        - {name: done, image: "nginx:1"}
        - {name: applied, image: "123456789012.dkr.ecr.eu-west-2.amazonaws.com/quay/org/job:1"}
"""


@pytest.mark.parametrize(
    ("option", "done"),
    [("--quiet", "reverted"), ("--dry-run", "to revert"), ("--diff", "to revert")],
)
def test_words_are_those_of_a_way_back(tmp_path: Path, option: str, done: str) -> None:
    """What was never in the cache isn't told as if it should move there."""
    write_tree(tmp_path, {"pod.yaml": MIXED})

    told = run(tmp_path, "revert", ".", "--all", option, *REGISTRY)

    assert told.stderr == f"1 file, 7 images: 1 {done}, 3 left alone, 3 not in the cache\n"
    for word in ("no-rule", "rewrite", "never", "registry.example.com", "nginx"):
        assert word not in told.stdout.replace("jobs: rewrite", "") or option == "--diff"


def test_what_stays_in_the_cache_has_its_reason(tmp_path: Path) -> None:
    """An applied Job, another account's registry, and a repository under no rule's prefix."""
    write_tree(tmp_path, {"pod.yaml": MIXED})

    done = run(tmp_path, "revert", ".", "--all", "--dry-run", *REGISTRY)
    rows = run(tmp_path, "revert", ".", "--all", "--dry-run", "--format", "json", *REGISTRY).report

    assert "immutable 1 image left alone\n  pod.yaml:20:35: " in done.stdout
    assert "other-ecr 1 image left alone\n  pod.yaml:9:29: 999999999999" in done.stdout
    assert "own-repository 1 image left alone\n  pod.yaml:8:27: " in done.stdout
    assert [(row["line"], row["status"], row["reason"]) for row in rows["images"]] == [
        (6, "no-rule", "no-rule"),
        (7, "no-rule", "no-rule"),
        (8, "skipped", "own-repository"),
        (9, "skipped", "other-ecr"),
        (10, "rewrite", None),
        (19, "skipped", "immutable"),
        (20, "skipped", "immutable"),
    ]


def test_strict_finds_nothing_in_what_was_never_cached(tmp_path: Path) -> None:
    """An image without a rule is no finding on the way back."""
    write_tree(tmp_path, {"pod.yaml": POD})

    assert run(tmp_path, "revert", ".", "--all", "--strict", *REGISTRY).code == 0


REGISTRIES = """\
registries:
  - {paths: [clusters/eu], account: "111111111111", region: eu-west-2}
  - paths: [clusters/us]
    account: "222222222222"
    region: us-east-1
    rules:
      - {upstream: docker.io, prefix: docker-hub}
      - {upstream: quay.io, prefix: red-hat}
"""


def test_several_registries(tmp_path: Path) -> None:
    """Each file goes back by its own registry's rules; a shared one by the one it names."""
    pod = POD.replace("docker.io/library/", "")
    kustomization = "resources: [../../base, pod.yaml]\n"
    tree: dict[str, str | bytes] = {".imageshift.yaml": REGISTRIES, "base/pod.yaml": pod}
    tree["base/kustomization.yaml"] = "resources: [pod.yaml]\n"
    for name in ("eu", "us"):
        tree[f"clusters/{name}/kustomization.yaml"] = kustomization
        tree[f"clusters/{name}/pod.yaml"] = pod.replace("ghcr.io", "quay.io")
    write_tree(tmp_path, tree)
    content = read_tree(tmp_path)
    run(tmp_path, "migrate", ".")
    us = "222222222222.dkr.ecr.us-east-1.amazonaws.com"
    assert f"{us}/red-hat/org/b" in (tmp_path / "clusters/us/pod.yaml").read_text()
    shared = pod.replace("nginx", f"{us}/docker-hub/library/nginx")
    (tmp_path / "base/pod.yaml").write_text(shared)

    run(tmp_path, "revert", ".", "--all")

    assert read_tree(tmp_path) == content


def test_options_give_the_rules_of_the_way_back(tmp_path: Path) -> None:
    """With the rule that moved an image it goes back, without it it's the team's own."""
    pod = POD.replace("docker.io/library/", "").replace("ghcr.io/org/b", "gcr.io/distroless/b")
    write_tree(tmp_path, {"pod.yaml": pod})
    run(tmp_path, "migrate", ".", "--rule", "gcr.io/distroless=bare", *REGISTRY)

    run(tmp_path, "revert", ".", "--all", *REGISTRY)
    assert f"{HOST}/bare/b:1" in (tmp_path / "pod.yaml").read_text()
    run(tmp_path, "revert", ".", "--all", "--rule", "gcr.io/distroless=bare", *REGISTRY)

    assert (tmp_path / "pod.yaml").read_text() == pod


def test_wrong_paths_in_the_cache_go_back_to_what_they_meant(tmp_path: Path) -> None:
    """The article's own trap: `library/` where it doesn't belong, and none where it does."""
    text = POD.replace("docker.io/library/nginx", f"{HOST}/docker-hub/nginx")
    text = text.replace("ghcr.io/org/b", f"{HOST}/docker-hub/library/bitnami/redis")
    write_tree(tmp_path, {"pod.yaml": text})

    run(tmp_path, "revert", ".", "--all", *REGISTRY)

    assert (tmp_path / "pod.yaml").read_text() == (
        POD.replace("docker.io/library/", "").replace("ghcr.io/org/b", "bitnami/redis")
    )


def test_overlay_outside_the_paths_holds_its_base(tmp_path: Path) -> None:
    """An entry that may not be written matches the name in the cache, so the text stays."""
    tree: dict[str, str | bytes] = {
        "base/kustomization.yaml": "resources: [pod.yaml]\n",
        "base/pod.yaml": POD.replace("docker.io/library/", ""),
        "prod/kustomization.yaml": (
            "resources: [../base]\nimages:\n  - name: ghcr.io/org/b\n    newTag: v2\n"
        ),
    }
    write_tree(tmp_path, tree)
    content = read_tree(tmp_path)
    run(tmp_path, "migrate", ".", *REGISTRY)

    done = run(tmp_path, "revert", "base", "--all", "--root", ".", *REGISTRY)

    assert done.code == 3
    assert "image: nginx:1.25\n" in (tmp_path / "base/pod.yaml").read_text()
    assert f"{HOST}/github/org/b:1" in (tmp_path / "base/pod.yaml").read_text()
    assert run(tmp_path, "revert", ".", "--all", *REGISTRY).code == 0
    assert read_tree(tmp_path) == content


COMPONENTS = "# This manifest was generated by flux. DO NOT EDIT.\n" + POD.replace("a: 1", "a: 1")
OVERLAY = """\
resources: [../base, gotk-components.yaml]
images: # by Renovate
  - name: ghcr.io/org/b
    newTag: "1"
"""
WRITTEN: dict[str, str | bytes] = {
    "base/kustomization.yaml": "resources: [pod.yaml]\n",
    "base/pod.yaml": POD,
    "prod/kustomization.yaml": OVERLAY,
    "prod/gotk-components.yaml": COMPONENTS,
    "old/name.yaml": POD,
    "gone.yaml": POD,
}


def written_since(folder: Path, name: str, *changes: tuple[str, str]) -> None:
    """Change texts of a file, every time they stand there."""
    text = (folder / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text)


def added_since(folder: Path, name: str, text: str) -> None:
    """Add lines to a file."""
    (folder / name).write_text((folder / name).read_text() + text)


def test_what_others_wrote_since_stays(tmp_path: Path) -> None:
    """Tags, comments, images, entries and files that came, went or changed after the migration."""
    for name in ("old", "new"):
        write_tree(tmp_path / name, WRITTEN)
    folder = tmp_path / "new"
    run(folder, "migrate", ".", *REGISTRY)
    assert (folder / "prod/kustomization.yaml").read_text().count(HOST) > 1
    mine = f"    - name: mine\n      image: {HOST}/quay/org/mine:1\n"
    written_since(folder, "base/pod.yaml", (":1.25", ":1.27 # bumped"), (":1'", ":2'"))
    added_since(folder, "base/pod.yaml", mine)
    written_since(folder, "prod/kustomization.yaml", ('newTag: "1"', 'newTag: "2"'))
    (folder / "old/name.yaml").rename(folder / "old/renamed.yaml")
    moved = (folder / "old/renamed.yaml").read_text()
    (folder / "gone.yaml").unlink()

    done = run(folder, "revert", ".", "--base", "../old", *REGISTRY)

    pod = POD.replace(":1.25", ":1.27 # bumped").replace(":1'", ":2'")
    assert done.code == 0
    assert read_tree(folder) == {
        "base/kustomization.yaml": b"resources: [pod.yaml]\n",
        "base/pod.yaml": (pod + mine).encode(),
        "prod/kustomization.yaml": OVERLAY.replace('newTag: "1"', 'newTag: "2"').encode(),
        "prod/gotk-components.yaml": COMPONENTS.encode(),
        "old/renamed.yaml": moved.encode(),
    }


def test_entry_that_others_added_since_stays(tmp_path: Path) -> None:
    """Also beside those that the migration put there."""
    for name in ("old", "new"):
        write_tree(tmp_path / name, WRITTEN)
    folder = tmp_path / "new"
    run(folder, "migrate", ".", *REGISTRY)
    mine = "  - name: registry.example.com/team/app\n    newTag: v7\n"
    added_since(folder, "prod/kustomization.yaml", mine)

    run(folder, "revert", ".", "--base", "../old", *REGISTRY)

    assert (folder / "prod/kustomization.yaml").read_text() == OVERLAY + mine
