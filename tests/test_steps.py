"""What a long run works on, as whoever watches it is shown."""

import shutil
from pathlib import Path

import pytest

from imageshift.prove import prove_base
from imageshift.run import Run, RunOptions
from imageshift.steps import expect, step, watched_by


class Watcher:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.expected = self.done = 0
        self.names: list[str] = []

    def expect(self, number: int) -> None:
        """Add the announced pieces of work."""
        self.expected += number

    def begin(self, name: str) -> None:
        """Note what begins."""
        self.names.append(name)

    def end(self) -> None:
        """Count what is done."""
        self.done += 1


@pytest.mark.helm
@pytest.mark.kustomize
def test_charts_and_builds_are_counted_and_named(repository: Path, tmp_path: Path) -> None:
    """Every release, build and comparison that begins was announced, and ends."""
    tree = shutil.copytree(repository / "examples" / "nats", tmp_path / "nats")
    charts, proof = Watcher(), Watcher()

    run = Run.open([tree], RunOptions())
    with watched_by(charts):
        run.settle()
    with watched_by(proof):
        prove_base(run, str(tree))

    assert (charts.names, charts.expected, charts.done) == (["nats/nats"], 1, 1)
    assert proof.expected == proof.done == len(proof.names)
    assert {"HelmRelease nats/nats", "Kustomization flux-system/apps"} <= set(proof.names)


def test_nobody_has_to_watch() -> None:
    """Work goes on without a watcher, and its end is seen also when it fails."""
    expect(1)
    watcher = Watcher()
    with watched_by(watcher), pytest.raises(ValueError, match="broken"), step("a"):
        raise ValueError("broken")
    with step("b"):
        pass

    assert (watcher.names, watcher.done) == (["a"], 1)
