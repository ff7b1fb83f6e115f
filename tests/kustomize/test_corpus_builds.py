"""Every kustomization of the real repositories builds after a migration as it did before."""

import os
import shutil
from pathlib import Path

import pytest

from kustomize_builds import build_all, differences, migrate

CORPUS = Path(os.environ.get("IMAGESHIFT_CORPUS", "nowhere"))
REPOSITORIES = sorted(p.name for p in CORPUS.iterdir() if p.is_dir()) if CORPUS.is_dir() else []


@pytest.mark.corpus
@pytest.mark.kustomize
@pytest.mark.parametrize("name", REPOSITORIES)
def test_same_objects_but_for_mapped_images(name: str, tmp_path: Path) -> None:
    """A repository's builds differ in nothing but images under their mapped names."""
    copy = Path(shutil.copytree(CORPUS / name, tmp_path / name, symlinks=True))
    before = build_all(copy)

    migrate(copy)

    assert list(differences(before, build_all(copy))) == []
    assert any(each.texts is not None for each in before.values()) or not before
