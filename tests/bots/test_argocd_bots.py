"""imageshift bots argocd-image-updater: annotations and objects that name an upstream."""

from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: web
  annotations:
    argocd-image-updater.argoproj.io/image-list: LIST  # updated
    argocd-image-updater.argoproj.io/web.update-strategy: semver
spec: {}
"""
SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: web}
spec:
  template:
    metadata:
      annotations: {argocd-image-updater.argoproj.io/image-list: "nginx:~1.26"}
"""
UPDATER = """\
apiVersion: argocd-image-updater.argoproj.io/v1alpha1
kind: ImageUpdater
metadata: {name: all}
spec:
  applicationRefs:
    - namePattern: "*"
      images:
        - {alias: web, imageName: "ghcr.io/org/web:1.x"}
        - {alias: own, imageName: "example.com/own"}
"""
CONF = f"""\
registries:
  - name: ECR
    prefix: {HOST}
    api_url: https://{HOST}
    # A script that prints AWS:TOKEN, such as: echo "AWS:$(aws ecr get-login-password)"
    credentials: ext:/scripts/ecr-login.sh
    credsexpire: 10h
"""
HUB = f"{HOST}/docker-hub"
LISTS = {
    "official": ("nginx", f"{HUB}/library/nginx", "nginx"),
    "alias and constraint": ("web=org/app:~1.2", f"web={HUB}/org/app:~1.2", "web=org/app:~1.2"),
    "alias with a slash": ("a/b=quay.io/c/d", f"a/b={HOST}/quay/c/d", "a/b=quay.io/c/d"),
    "constraint with a comparison": ("nginx:>=1.2", f"{HUB}/library/nginx:>=1.2", "nginx:>=1.2"),
    "several": (
        f"x=nvcr.io/a/b, y=redis:7.x,{HUB}/a/b",
        f"x=nvcr.io/a/b, y={HUB}/library/redis:7.x,{HUB}/a/b",
        "y=redis:7.x",
    ),
    "no rule": ("nvcr.io/a/b", "nvcr.io/a/b", None),
    "a port is no constraint": ("x=localhost:5000/a:1", "x=localhost:5000/a:1", None),
    "no image": ("A B, ,", "A B, ,", None),
}


@pytest.mark.parametrize(("before", "after", "name"), LISTS.values(), ids=LISTS)
def test_annotation(tmp_path: Path, before: str, after: str, name: str | None) -> None:
    """Each image of the list goes to the cache, all else of the line stays."""
    write_tree(tmp_path, {"a.yaml": APPLICATION.replace("LIST", f'"{before}"')})
    arguments = ("bots", "argocd-image-updater", *REGISTRY)

    listed = run(tmp_path, *arguments)
    written = run(tmp_path, *arguments, "--write")

    assert (tmp_path / "a.yaml").read_text() == APPLICATION.replace("LIST", f'"{after}"')
    assert (listed.code, written.code) == (1 if name else 0, 0)
    if name:
        first, hint, *conf = listed.stdout.splitlines(keepends=True)
        assert first == f"a.yaml:6:51: Image Updater writes {name} back\n"
        assert hint.startswith("  hint: name the cache instead; ECR lists only tags")
        assert hint.endswith(f": {after}\n")
        assert "".join(conf) == CONF
        assert written.stdout == f"a.yaml\n{CONF}"
    else:
        assert listed.stdout == written.stdout == ""


def test_other_objects(tmp_path: Path) -> None:
    """An ApplicationSet's template, and the objects of version 1; odd shapes are passed over."""
    odd = "argocd-image-updater.argoproj.io: x\nkind: ImageUpdater\n"
    odd += "spec: {applicationRefs: [1, {images: 2}]}\n"
    write_tree(
        tmp_path, {"s.yaml": SET, "u.yaml": UPDATER, "o.yaml": odd, "b.yaml": f"{UPDATER}  - ["}
    )

    done = run(tmp_path, "bots", "argocd-image-updater", ".", *REGISTRY, "--write")

    assert (done.code, done.stdout) == (0, f"s.yaml\nu.yaml\n{CONF}")
    tree = read_tree(tmp_path)
    assert tree["s.yaml"].decode() == SET.replace("nginx:", f"{HUB}/library/nginx:")
    assert tree["u.yaml"].decode() == UPDATER.replace("ghcr.io/", f"{HOST}/github/")


def test_warning(tmp_path: Path) -> None:
    """Scan and migrate say that Image Updater would undo the move."""
    write_tree(tmp_path, {"a.yaml": APPLICATION.replace("LIST", "nginx"), "u.yaml": UPDATER})

    report = run(tmp_path, "scan", ".", *REGISTRY, "--format", "json").report

    found = [one for one in report["warnings"] if one["code"] == "updater-reverts"]
    assert [one["places"] for one in found] == [["u.yaml:8:36"], ["a.yaml:6:50"]]
    assert found[1]["message"].startswith("Image Updater writes nginx back: imageshift bots")
