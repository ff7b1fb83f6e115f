"""Kustomizations that no kustomize would build: never a crash, and never a wrong edit."""

from pathlib import Path

import pytest

from kustomize_builds import migrate

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - image: nginx:1\n"
LONG = "x" * 5000
ENTRY = "images:\n- name: nginx\n  newTag: '2'\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"resources: [pod.yaml, '{LONG}']\n{ENTRY}", id="a name no file can have"),
        pytest.param(f"resources: [pod.yaml, {{a: b}}, 3, null]\n{ENTRY}", id="no names at all"),
        pytest.param(f"resources: [pod.yaml, .]\n{ENTRY}", id="itself"),
        pytest.param(f"resources: [pod.yaml, ../../..]\n{ENTRY}", id="above the root"),
        pytest.param(
            f"resources: [pod.yaml]\npatches: [3, {{patch: [1]}}, x]\n{ENTRY}", id="patches"
        ),
        pytest.param(
            f"resources: [pod.yaml]\npatches: [{{path: '{LONG}'}}]\n{ENTRY}", id="long patch"
        ),
        pytest.param(
            f"resources: [pod.yaml]\ntransformers: ['{LONG}', 1]\n{ENTRY}", id="transformers"
        ),
        pytest.param(f"resources: [pod.yaml]\nconfigurations: ['{LONG}', .]\n{ENTRY}", id="fields"),
        pytest.param(
            "resources: [pod.yaml]\nreplacements: [1, {path: ../no}, {source: 3, targets: [2]}]\n"
            + ENTRY,
            id="replacements",
        ),
        pytest.param(
            "resources: [pod.yaml]\nimages: [nginx, 1, {newTag: 3}, null]\n", id="entries"
        ),
        pytest.param("resources: [pod.yaml]\nimages: {name: nginx}\n", id="a mapping of images"),
        pytest.param("- pod.yaml\n", id="a list"),
        pytest.param("resources: [pod.yaml\n", id="no YAML"),
    ],
)
def test_no_crash(tmp_path: Path, text: str) -> None:
    """The run ends, and the kustomization's other lines stay as they are."""
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "kustomization.yaml").write_text(text)
    migrate(tmp_path)

    lines = (tmp_path / "kustomization.yaml").read_text().splitlines()
    assert {line for line in text.splitlines() if "nginx" not in line} <= set(lines)


def test_circle(tmp_path: Path) -> None:
    """Two kustomizations that take each other in are read once."""
    for name, other in (("a", "b"), ("b", "a")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pod.yaml").write_text(POD)
        (folder / "kustomization.yaml").write_text(f"resources: [pod.yaml, ../{other}]\n{ENTRY}")
    migrate(tmp_path)

    assert (tmp_path / "a" / "pod.yaml").exists()
