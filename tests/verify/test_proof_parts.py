"""The parts of a proof: variables, hashes, pairing, copies of trees, merged kustomizations."""

import os
import subprocess
from pathlib import Path

import pytest

from imageshift.errors import ConfigError
from imageshift.verify.hashes import name_hash
from imageshift.verify.kustomize import BuildError, Kustomize, merged
from imageshift.verify.model import Plain
from imageshift.verify.objects import base_name, pair_objects, read_objects
from imageshift.verify.show import diff_objects
from imageshift.verify.snapshot import Snapshot
from imageshift.verify.substitute import substitute


@pytest.mark.parametrize(
    ("text", "complete", "expected"),
    [
        ("${A}", True, "1"),
        ("${A:=2} ${A:-2} ${A=2} ${A-2}", True, "1 1 1 1"),
        ("${B:=2} ${B:-2} ${B-2}", True, "2 2 2"),
        ("${EMPTY:=2} ${EMPTY=2}", True, "2 "),
        ("${B:=${A}}", True, "1"),
        ("$${A} $A $(A)", True, "${A} $A $(A)"),
        ("x${B}y", True, "xy"),
        ("x${B}y ${A} ${B:=2}", False, "x${B}y 1 2"),
        ("${A^^} ${1A}", True, "${A^^} ${1A}"),
    ],
)
def test_variables(text: str, complete: bool, expected: str) -> None:  # noqa: FBT001 a table
    """Variables are replaced as Flux replaces them, and kept where their value isn't known."""
    assert substitute(text, {"A": "1", "EMPTY": ""}, complete=complete) == expected


@pytest.mark.kustomize
def test_hashes_are_kustomizes_own(tmp_path: Path) -> None:
    """The hash of generated objects is the one that real kustomize puts behind their names."""
    (tmp_path / "binary").write_bytes(b"\xff\x00\x01")
    (tmp_path / "text.yaml").write_text('a: <b> & "c"\nimage: nginx\n')
    (tmp_path / "kustomization.yaml").write_text(
        "namePrefix: pre-\n"
        "configMapGenerator:\n"
        "- {name: one, files: [text.yaml, binary], literals: ['é=ü', n=1]}\n"
        "- {name: none}\n"
        "secretGenerator:\n"
        "- {name: two, literals: [a=b], type: example.com/own}\n"
    )

    made = read_objects(Kustomize.find().build(tmp_path))

    names = [str(data["metadata"]["name"]) for data in made]
    assert len(names) == 3
    assert names == [f"{base_name(n)}-{name_hash(d)}" for n, d in zip(names, made, strict=True)]
    assert name_hash({"kind": "Service"}) is None


def _named(*names: str, kind: str = "ConfigMap") -> list[Plain]:
    return [{"kind": kind, "metadata": {"name": name}} for name in names]


def test_pairing() -> None:
    """Objects pair by name, then by the name without a hash where that is clear."""
    before = _named("same", "hashed-abcde12345", "two-abcde12345", "two-fghij12345", "gone")
    after = _named("same", "hashed-zyxwv54321", "two-zyxwv54321", "added")

    made = pair_objects(before, after)

    assert [old["metadata"]["name"] for old, _ in made.pairs] == ["same"]
    assert [new["metadata"]["name"] for _, new in made.renamed] == ["hashed-zyxwv54321"]
    gone, added = ([d["metadata"]["name"] for d in side] for side in (made.gone, made.added))
    assert gone == ["two-abcde12345", "two-fghij12345", "gone"]
    assert added == ["two-zyxwv54321", "added"]


def test_flux_images_are_merged_by_name() -> None:
    """An entry of Flux takes the place of one of the same name, and keeps its newName (K6)."""
    own = {"images": [{"name": "a", "newName": "x", "newTag": "1"}, {"name": "b"}]}
    added = {"images": [{"name": "a", "newTag": "2"}, {"name": "c"}], "namespace": "n"}

    made = merged(own, added)

    assert made["images"] == [
        {"name": "a", "newName": "x", "newTag": "2"},
        {"name": "b"},
        {"name": "c"},
    ]
    assert made["namespace"] == "n"


@pytest.mark.kustomize
def test_build_beside_keeps_relative_paths(tmp_path: Path) -> None:
    """Additions apply to a folder whose kustomization names files, folders and parents."""
    for folder in ("base", "apps/web/sub"):
        (tmp_path / folder).mkdir(parents=True)
        name = folder.replace("/", "-")
        text = f"kind: Thing\napiVersion: v1\nmetadata: {{name: {name}}}\n"
        (tmp_path / folder / "a.yaml").write_text(text)
        (tmp_path / folder / "kustomization.yaml").write_text("resources: [a.yaml]\n")
    (tmp_path / "apps/web/kustomization.yaml").write_text("resources: [sub, ../../base]\n")
    files = sorted(tmp_path.rglob("*"))

    text = Kustomize.find().build_with(tmp_path / "apps/web", {"namePrefix": "p-"}, ())

    assert {d["metadata"]["name"] for d in read_objects(text)} == {"p-base", "p-apps-web-sub"}
    assert sorted(tmp_path.rglob("*")) == files


@pytest.mark.kustomize
def test_build_says_what_kustomize_says(tmp_path: Path) -> None:
    """A refused build is an error with kustomize's words, without the copy's path."""
    (tmp_path / "kustomization.yaml").write_text("resources: [gone.yaml]\n")

    with pytest.raises(BuildError) as caught:
        Kustomize.find().build(tmp_path)

    assert "gone.yaml" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def _git(folder: Path, *arguments: str) -> None:
    own = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


def test_snapshot_of_a_revision(tmp_path: Path) -> None:
    """A revision of a folder inside a repository comes without what lies outside the folder."""
    inner = tmp_path / "deep" / "tree"
    inner.mkdir(parents=True)
    (tmp_path / "outside.yaml").write_text("no\n")
    (inner / "a.yaml").write_text("old\n")
    _git(tmp_path, "init")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-m", "first")
    (inner / "a.yaml").write_text("new\n")

    with Snapshot.of_base("HEAD", inner) as made:
        assert (made.root / "a.yaml").read_text() == "old\n"
        assert [path.name for path in made.root.iterdir()] == ["a.yaml"]
        root = made.root

    assert not root.exists()


@pytest.mark.parametrize("base", ["nowhere", "--output=x", "HEAD~99"])
def test_snapshot_of_nothing(base: str, tmp_path: Path) -> None:
    """What is neither folder nor revision is said, and never taken for an option of Git."""
    _git(tmp_path, "init")

    with pytest.raises(ConfigError, match="neither a folder nor a Git revision"):
        Snapshot.of_base(base, tmp_path)


def test_copies_leave_out_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe can't be copied to another disk, and a link that leads nowhere stays one."""

    def refuse(*_paths: str, follow_symlinks: bool) -> None:
        raise OSError(18, f"Invalid cross-device link {follow_symlinks}")

    (tmp_path / "a.yaml").write_text("a: b\n")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.yaml")
    monkeypatch.setattr(os, "link", refuse)

    with Snapshot.of_folder(tmp_path) as made:
        assert sorted(path.name for path in made.root.iterdir()) == ["a.yaml", "link"]
        assert (made.root / "a.yaml").read_text() == "a: b\n"


def test_snapshot_keeps_the_old_bytes(tmp_path: Path) -> None:
    """Writing into a copy doesn't reach the tree, and replacing in the tree not the copy."""
    (tmp_path / "a.yaml").write_text("old\n")
    (tmp_path / "b.yaml").write_text("old\n")

    with Snapshot.of_folder(tmp_path) as made:
        made.write("a.yaml", b"new\n")
        (tmp_path / "c.yaml").write_text("new\n")
        (tmp_path / "c.yaml").replace(tmp_path / "b.yaml")

        assert (tmp_path / "a.yaml").read_text() == "old\n"
        assert (made.root / "b.yaml").read_text() == "old\n"


def test_diff_is_yaml() -> None:
    """The diff of an object spells texts of lines as blocks, and quotes what needs it."""
    before: Plain = {"kind": "X", "metadata": {"name": "n"}, "data": {"f": "a: 1\nb: 2\n"}}
    after: Plain = {**before, "data": {"f": "a: 1\nb: 3\n"}, "on": ["true", {"k": []}]}

    assert diff_objects(before, after) == (
        "--- before/X/n\n+++ after/X/n\n@@ -1,8 +1,11 @@\n"
        " data:\n   f: |\n     a: 1\n-    b: 2\n+    b: 3\n     \n"
        " kind: X\n metadata:\n   name: n\n"
        '+"on":\n+  - "true"\n+  - k: []\n'
    )
