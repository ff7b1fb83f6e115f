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
