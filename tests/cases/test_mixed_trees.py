"""Generated trees of charts, releases, overlays, Flux and Argo CD: real tools judge each move.

IMAGESHIFT_TREES is how many trees a run makes, thousands on demand, and a sixth of them without
charts; IMAGESHIFT_SEED makes others.
"""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from case_cluster import Chart, Cluster, Profile
from case_generator import Mixed, mixed_trees
from case_judge import compare, is_same, moved_jobs, target
from case_reasons import is_written, reasons
from hypothesis import HealthCheck, Phase, event, given, seed, settings

from command_line import REGISTRY, read_tree, run, write_tree
from real_tools import Tree

INSTALL = Profile("install")
NEXT = Profile("next upgrade", revision=3)
OLD = Profile("old controllers", current=False, revision=2, target_path_wins=True)

PHASES = (
    Phase.explicit,
    Phase.generate,
    *([Phase.shrink] if "IMAGESHIFT_SHRINK" in os.environ else []),
)
TREES = int(os.environ.get("IMAGESHIFT_TREES", "300"))
PARTS = 6
"""The tests that share the trees, so that they run beside each other."""

pytestmark = [pytest.mark.kustomize, pytest.mark.helm, pytest.mark.property, pytest.mark.long]


def migrated(root: Path, charts: str = "auto") -> dict[str, Any]:
    """Migrate a tree and return the report."""
    outcome = run(root, "migrate", ".", *REGISTRY, "--charts", charts, "--format", "json")
    assert outcome.code in {0, 3}, outcome.stderr
    return outcome.report


def delivered(
    tree: Tree, places: tuple[str, ...], profile: Profile, held: Mapping[str, Chart] | None = None
) -> Cluster:
    """Return a cluster to which a tree was applied, perhaps with charts that it had before."""
    cluster = Cluster(tree, {}, profile, held=held or {})
    cluster.apply(places)
    return cluster


def differences(label: str, old: Cluster, new: Cluster) -> Iterator[str]:
    """What one state delivers that is neither what the other does nor the mapped image."""
    pairs, others = compare(old, new)
    yield from (f"{label}: {other}" for other in others)
    wrong = [pair for pair in pairs if not (pair.moved or is_same(pair.old, pair.new))]
    yield from (f"{label}: {pair.where}: {pair.old} became {pair.new}" for pair in wrong)


def problems(mixed: Mixed, after: Tree, report: dict[str, Any]) -> Iterator[str]:
    """What a cluster gets afterwards that it didn't get before, and what stays without a reason."""
    for places in mixed.clusters:
        # Nothing in these charts asks whether it is an upgrade.
        for profile in (INSTALL, OLD):
            old, new = (delivered(tree, places, profile) for tree in (mixed.tree, after))
            late = delivered(after, places, profile, held=old.charts)
            yield from differences(f"{profile.name}, late chart", old, late)
            yield from differences(profile.name, old, new)
            for pair in compare(old, new)[0] if profile.current else ():
                if pair.is_image and not pair.moved and not is_said(mixed, report, pair.old):
                    yield f"{profile.name}: {pair.where}: {pair.old} stays without a reason"
        first, later = delivered(mixed.tree, places, INSTALL), delivered(after, places, NEXT)
        yield from moved_jobs(first, later)


def is_said(mixed: Mixed, report: dict[str, Any], image: str) -> bool:
    """Whether a report says why an image stays that the tree itself names."""
    if target(image) is None or not is_written(mixed.tree, image) or reasons(report, image):
        return True
    # A text with a variable is reported as it is written.
    return any(row["reason"] == "variable" for row in report["images"])


def other_images(mixed: Mixed, after: Tree) -> Iterator[str]:
    """What a cluster gets afterwards that is neither what it got before nor the mapped image.

    Without charts nothing says what is in a Job, or what values make of an image without a tag.
    """
    for places in mixed.clusters:
        for profile in (INSTALL, OLD):
            old, new = (delivered(tree, places, profile) for tree in (mixed.tree, after))
            found = differences(profile.name, old, new)
            yield from (one for one in found if not re.search(r": \S+: became ", one))


def each_tree(check: Callable[[Mixed, Path], None], trees: int, number: int) -> None:
    """Call a check with each of some trees, written below a folder of its own."""

    @seed(int(os.environ.get("IMAGESHIFT_SEED", "0")) * (PARTS + 1) + number)
    @given(mixed=mixed_trees())
    @settings(
        max_examples=trees,
        deadline=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def holds(mixed: Mixed) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for effect in sorted(mixed.effects):
                event(effect)  # counted by --hypothesis-show-statistics
            write_tree(Path(folder), {**mixed.tree})
            (Path(folder) / ".git").mkdir()
            check(mixed, Path(folder))

    holds()


@pytest.mark.parametrize("part", range(PARTS))
def test_clusters_get_what_they_got(part: int) -> None:
    """Every build delivers the old image or the mapped one, and a second run changes nothing.

    Less than a tenth of the builds may be refused beforehand, since those prove nothing.
    """
    builds = Counter[bool]()

    def check(mixed: Mixed, root: Path) -> None:
        for places in mixed.clusters:
            found = delivered(mixed.tree, places, INSTALL).builds.values()
            builds.update(one.error is None for one in found)
        report = migrated(root)
        after = read_tree(root)
        assert list(problems(mixed, after, report)) == []
        migrated(root)
        assert read_tree(root) == after

    each_tree(check, -(-TREES // PARTS), part)
    assert builds[True] > 10 * builds[False]


def test_clusters_get_what_they_got_without_charts() -> None:
    """No build delivers another image where charts aren't rendered, and once is enough."""

    def check(mixed: Mixed, root: Path) -> None:
        migrated(root, "off")
        after = read_tree(root)
        assert list(other_images(mixed, after)) == []
        migrated(root, "off")
        assert read_tree(root) == after

    each_tree(check, -(-TREES // PARTS), PARTS)
