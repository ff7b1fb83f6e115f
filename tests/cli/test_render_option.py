"""`--render` from the command line: what is told without it, with it, and when it fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import HOST, REGISTRY, read_tree, run, write_tree
from remote_server import serving

POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{image: nginx:1.25}]}\n"
)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """Return a tree over a remote file, whose server runs meanwhile."""
    write_tree(tmp_path / "server", {"pod.yaml": POD})
    with serving(tmp_path / "server") as address:
        text = f"resources:\n  - {address}/pod.yaml\n"
        write_tree(tmp_path / "tree", {"prod/kustomization.yaml": text})
        yield tmp_path / "tree"


def test_scan_lists_what_it_cannot_see(tree: Path) -> None:
    """Without `--render` a remote base is a doubtful row, with its place and what to do."""
    said = run(tree, "scan", "prod", *REGISTRY)
    told = run(tree, "scan", "prod", *REGISTRY, "--format", "json")
    strict = run(tree, "scan", "prod", *REGISTRY, "--strict")
    [row] = told.report["images"]

    assert said.stdout.startswith("prod/kustomization.yaml:2:5: doubtful: http://127.0.0.1:")
    assert "--render" in said.stdout
    assert (row["line"], row["column"], row["path"]) == (2, 5, ["resources", 0])
    assert (row["origin"], row["status"], row["reason"]) == ("remote-base", "doubtful", None)
    assert row["original"].endswith("/pod.yaml")
    assert "--render" in row["detail"]
    assert (said.code, strict.code) == (0, 1)


@pytest.mark.kustomize
@pytest.mark.parametrize("how", ["option", "configuration"])
def test_render_finds_and_moves(tree: Path, how: str) -> None:
    """With it the images are rows without a place, and migrate adds entries, once."""
    write_tree(tree, {".imageshift.yaml": "render: true\n"} if how == "configuration" else {})
    option = ["--render"] if how == "option" else ["--config", ".imageshift.yaml"]
    told = run(tree, "scan", ".", *REGISTRY, *option, "--format", "json")
    checked = run(tree, "check", ".", *REGISTRY, *option)
    run(tree, "migrate", ".", *REGISTRY, *option)
    once = read_tree(tree)
    again = run(tree, "check", ".", *REGISTRY, *option)
    [row] = told.report["images"]

    assert (row["line"], row["origin"], row["status"]) == (None, "remote-base", "rewrite")
    assert (row["original"], row["target"]) == (
        "nginx:1.25",
        f"{HOST}/docker-hub/library/nginx:1.25",
    )
    assert (checked.code, again.code) == (1, 0)
    assert once["prod/kustomization.yaml"].endswith(
        f"images:\n  - name: nginx\n    newName: {HOST}/docker-hub/library/nginx\n".encode()
    )


@pytest.mark.kustomize
def test_explain_shows_the_way_of_a_remote_image(tree: Path) -> None:
    """An image of a remote base is explained as any other, with what builds it."""
    done = run(tree, "explain", "nginx", ".", *REGISTRY, "--render")

    assert "remote-base at resources.0" in done.stdout
    assert "becomes    " + HOST in done.stdout
    assert "built by   prod/kustomization.yaml" in done.stdout


@pytest.mark.kustomize
def test_base_out_of_reach(tree: Path) -> None:
    """Exit code 4, with place, address, reason and hint; nothing is written."""
    write_tree(tree, {"x/kustomization.yaml": "resources:\n- http://127.0.0.1:1/x.yaml\n"})
    before = read_tree(tree)
    done = run(tree, "migrate", ".", *REGISTRY, "--render")

    assert done.code == 4
    place = "x/kustomization.yaml:2:3: http://127.0.0.1:1/x.yaml"
    assert f"imageshift: {place}: kustomize can't fetch it\n" in done.stderr
    assert "  hint: check whether it can be fetched from here, or leave out --render" in done.stderr
    assert read_tree(tree) == before


def test_no_kustomize(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 4 where there is nothing to render with."""
    monkeypatch.setenv("PATH", str(tree))
    done = run(tree, "scan", ".", *REGISTRY, "--render")

    assert done.code == 4
    assert "prod/kustomization.yaml:2:5: http" in done.stderr
    assert "  hint: install kustomize or kubectl, or leave out --render" in done.stderr
