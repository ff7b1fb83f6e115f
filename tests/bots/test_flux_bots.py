"""imageshift bots flux: markers that write a name back, and what prevents it."""

from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree

POLICY = """\
apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImageRepository
metadata: {name: app, namespace: flux-system}
spec:
  image: ghcr.io/org/app
  interval: 5m
---
apiVersion: image.toolkit.fluxcd.io/v1beta2
kind: ImagePolicy
metadata: {name: app, namespace: flux-system}
spec:
  imageRepositoryRef: {name: app}
"""
WHOLE = """\
apiVersion: v1
kind: Pod
spec:
  containers:
    - image: TARGET/github/org/app:1  # {"$imagepolicy": "flux-system:app"}
""".replace("TARGET", HOST)
SPLIT = """\
resources: [a.yaml]
images:
  - name: app
    newName: TARGET/github/org/app # {"$imagepolicy": "flux-system:app:name"}
    newTag: "1" # {"$imagepolicy": "flux-system:app:tag"}
""".replace("TARGET", HOST)
TARGET = f"{HOST}/github/org/app"
TAGS = "ECR lists only tags that have been pulled"


def test_whole_image(tmp_path: Path) -> None:
    """The ImageRepository reads the cache then, with the log-in of AWS."""
    write_tree(tmp_path, {"p.yaml": POLICY, "a.yaml": WHOLE, "k/kustomization.yaml": SPLIT})

    listed = run(tmp_path, "bots", "flux", *REGISTRY)
    untouched = read_tree(tmp_path)
    written = run(tmp_path, "bots", "flux", *REGISTRY, "--write")
    again = run(tmp_path, "bots", "flux", *REGISTRY)

    first, hint = listed.stdout.splitlines()
    assert first == (
        "p.yaml:5:10: ImageRepository flux-system/app reads ghcr.io/org/app, which markers write "
        "back: a.yaml:5, k/kustomization.yaml:4"
    )
    assert hint.startswith(f"  hint: read {TARGET} with provider: aws; {TAGS}")
    assert (listed.code, listed.stderr) == (1, "--write makes the changes\n")
    assert untouched["p.yaml"] == POLICY.encode()
    assert (written.code, written.stdout, written.stderr) == (0, "p.yaml\n", "1 file changed\n")
    assert read_tree(tmp_path) == untouched | {
        "p.yaml": POLICY.replace(
            "image: ghcr.io/org/app\n", f"image: {TARGET}\n  provider: aws\n"
        ).encode()
    }
    assert (again.code, again.stdout) == (0, "")


def test_name_alone(tmp_path: Path) -> None:
    """Its marker goes, the tag's stays, and Flux goes on asking the upstream."""
    write_tree(tmp_path, {"p.yaml": POLICY, "k/kustomization.yaml": SPLIT})

    listed = run(tmp_path, "bots", "flux", ".", *REGISTRY)
    written = run(tmp_path, "bots", "flux", ".", *REGISTRY, "--write")

    assert listed.stdout == (
        "k/kustomization.yaml:4:76: the marker writes the name ghcr.io/org/app back\n"
        "  hint: remove it: the tag's marker stays\n"
    )
    assert written.code == 0
    assert (tmp_path / "k/kustomization.yaml").read_text() == SPLIT.replace(
        ' # {"$imagepolicy": "flux-system:app:name"}', ""
    )
    assert (tmp_path / "p.yaml").read_text() == POLICY


FINE = {
    "only a tag": {"k.yaml": SPLIT.replace(":name", ":tag"), "p.yaml": POLICY},
    "no such policy": {"a.yaml": WHOLE},
    "the cache already": {"a.yaml": WHOLE, "p.yaml": POLICY.replace("ghcr.io/org/app", TARGET)},
    "no rule": {"a.yaml": WHOLE, "p.yaml": POLICY.replace("ghcr.io", "nvcr.io")},
    "no reference": {"a.yaml": WHOLE, "p.yaml": POLICY.replace("ghcr.io/org/app", "A:B:C")},
    "broken files": {
        "a.yaml": WHOLE,
        "p.yaml": "image.toolkit.fluxcd.io: [",
        "b.yaml": b"\xff$imagepolicy",
    },
    "odd shapes": {
        "a.yaml": WHOLE,
        "p.yaml": POLICY.replace("{name: app}", "[]").replace(
            "spec:\n  image", "spec: []\nx:\n  image"
        ),
    },
}


@pytest.mark.parametrize("files", FINE.values(), ids=FINE)
def test_nothing_to_undo(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    """No finding, and --write writes nothing."""
    write_tree(tmp_path, files)
    before = read_tree(tmp_path)

    done = run(tmp_path, "bots", "flux", *REGISTRY, "--write")

    assert (done.code, done.stdout, done.stderr) == (0, "", "0 files changed\n")
    assert read_tree(tmp_path) == before


def test_repository_outside_the_paths(tmp_path: Path) -> None:
    """It is named and left to people, as what it reads is none of the paths' business."""
    write_tree(tmp_path, {"p.yaml": POLICY, "apps/a.yaml": WHOLE, ".imageshift.yaml": ""})
    before = read_tree(tmp_path)

    done = run(tmp_path, "bots", "flux", "apps", *REGISTRY, "--write")

    assert done.code == 1
    assert done.stdout.startswith("p.yaml:5:10: ImageRepository flux-system/app reads")
    assert read_tree(tmp_path) == before
