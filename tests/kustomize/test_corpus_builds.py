"""Every kustomization of the real repositories builds after a migration as it did before."""

import shutil
from pathlib import Path

import pytest

from kustomize_builds import build_all, differences, migrate


@pytest.mark.corpus
@pytest.mark.kustomize
def test_corpus_builds_the_same_objects(corpus: Path, tmp_path: Path) -> None:
    """Each tree's builds differ in nothing but images under their mapped names."""
    found: dict[str, list[str]] = {}
    built = 0
    for tree in sorted(path for path in corpus.iterdir() if path.is_dir()):
        copy = tmp_path / tree.name
        shutil.copytree(tree, copy, symlinks=True)
        before = build_all(copy)
        migrate(copy)
        found[tree.name] = list(differences(before, build_all(copy)))
        built += sum(each.texts is not None for each in before.values())

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert built > 0
