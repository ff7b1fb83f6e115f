"""How often files are parsed, and who keeps them."""

from collections import Counter
from pathlib import Path

import pytest

from imageshift.inventory import build_index, parsed
from imageshift.inventory.scan import scan_file
from imageshift.repo.workspace import Workspace
from imageshift.source import document
from imageshift.source.tree import parse_events

TREE = {
    "ks.yaml": (
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n"
        "metadata:\n  name: apps\nspec:\n  path: ./apps\n"
    ),
    "apps/kustomization.yaml": (
        "resources: [release.yaml, pod.yaml]\nimages:\n- name: nginx\n  newTag: '1'\n"
    ),
    "apps/release.yaml": (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: web\n"
        "spec:\n  values:\n    image:\n      repository: nginx\n      tag: '1'\n"
    ),
    "apps/pod.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n"
        "spec:\n  containers:\n  - name: web\n    image: nginx:1\n"
    ),
}


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each text is parsed from now on, while no file is kept for its own sake."""
    counted = Counter[str]()
    parse = parse_events

    def counting(text: str, offset: int = 0) -> object:
        counted[text] += 1
        return parse(text, offset)

    monkeypatch.setattr(document, "parse_events", counting)
    monkeypatch.setattr(parsed, "_KEPT", 0)
    return counted


def test_what_decides_is_parsed_once(parses: Counter[str], tmp_path: Path) -> None:
    """Finders read the nodes that the index holds; a Pod, which nobody holds, is parsed again."""
    for name, text in TREE.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    workspace = Workspace(tmp_path)
    index = build_index(workspace, sorted(TREE))
    deciding = index.all_releases, index.flux, index.kustomizations
    sites = [
        [
            site.text
            for file in TREE
            for site in scan_file(file, workspace.read(file), index.context(file)).sites
        ]
        for _ in range(2)
    ]
    assert all(deciding)
    assert sites == [["nginx:1", "nginx:1"]] * 2
    assert parses == {text: 1 + ("kind: Pod" in text) for text in TREE.values()}
