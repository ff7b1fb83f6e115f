"""Real repositories, migrated and proven: builds, files, and releases as far as their texts go."""

import os
import shutil
from pathlib import Path

import pytest
from verify_cases import run

from imageshift.cache import ARTICLE_RULES, Registry, RuleSet
from imageshift.charts.fetch.locate import Locator
from imageshift.charts.fetch.store import Store
from imageshift.net import Transport
from imageshift.verify import Snapshot, VerifyOptions, verify_trees

CORPUS = Path(os.environ.get("IMAGESHIFT_CORPUS", "nowhere"))
REPOSITORIES = sorted(p.name for p in CORPUS.iterdir() if p.is_dir()) if CORPUS.is_dir() else []


@pytest.mark.corpus
@pytest.mark.kustomize
@pytest.mark.parametrize("name", REPOSITORIES)
def test_migration_is_proven(name: str, tmp_path: Path) -> None:
    """Nothing but mapped images differs in what a migrated repository builds to."""
    rules = RuleSet(Registry.of("123456789012", "eu-west-2"), ARTICLE_RULES)
    after = Path(shutil.copytree(CORPUS / name, tmp_path / name))
    assert run(after, "--charts", "off", "--quiet", command="migrate").code in {0, 3}
    transport = Transport(offline=True)
    options = VerifyOptions(
        rules_of=lambda _file: rules,
        jobs=2,
        locator=Locator(store=Store(tmp_path / "charts"), transport=transport),
    )

    with Snapshot.of_folder(CORPUS / name) as before, Snapshot.of_folder(after) as now:
        proof = verify_trees(before.root, now.root, options)

    assert [d for verdict in proof.verdicts for d in verdict.unexplained] == []
    assert sum(verdict.moved for verdict in proof.verdicts)
