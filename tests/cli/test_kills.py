"""Real runs that are killed at random moments, in a real repository, and the runs after them.

`IMAGESHIFT_KILLS=500` kills as many; `IMAGESHIFT_KILL_FIGURES` names a file for what was found.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from command_line import REGISTRY, read_tree, write_tree
from crash_points import run_forked

KILLS = int(os.environ.get("IMAGESHIFT_KILLS", "6"))
SEED = 20261128
COMMAND = (sys.executable, "-c", "from imageshift.cli import main; main()")
POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\n"
    "spec: {{containers: [{{name: a, image: {}}}]}}\n"
)
ENTRY = "resources: [../base]\nimages: [{{name: {}, newTag: '9'}}]\n"
IMAGES = tuple(f"quay.io/org/app{number}" for number in range(24))


def moves() -> dict[str, list[str]]:
    """Return the files of each move, by its folder: of 1, 2 and 5 files in turn."""
    found = {}
    for number in range(len(IMAGES)):
        files = (1, 2, 5)[number % 3]
        overlays = [f"m{number}/env{each}/kustomization.yaml" for each in range(files - 1)]
        found[f"m{number}"] = [f"m{number}/base/pod.yaml", *overlays]
    return found


def tree() -> dict[str, str | bytes]:
    """Return a tree with all the moves."""
    found: dict[str, str | bytes] = {}
    for image, (folder, files) in zip(IMAGES, moves().items(), strict=True):
        found[files[0]] = POD.format(image)
        found[f"{folder}/base/kustomization.yaml"] = "resources: [pod.yaml]\n"
        found |= {file: ENTRY.format(image) for file in files[1:]}
    return found


def start(folder: Path) -> "subprocess.Popen[bytes]":
    """Start a run."""
    command = [*COMMAND, "migrate", ".", *REGISTRY, "--charts", "off", "--quiet"]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


class Kills:
    """A repository, what an undisturbed run makes of it, and how long it writes."""

    def __init__(self, folder: Path) -> None:
        self.first, self.tree = folder / "first", folder / "tree"
        write_tree(self.first, tree())
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
            names = ["-c", "user.name=a", "-c", "user.email=a@b"]
            subprocess.run(["git", *names, *arguments], cwd=self.first, check=True)
        self.old = read_tree(self.first)
        shutil.copytree(self.first, self.tree)
        process = start(self.tree)
        began = self.writing_since(process)
        process.wait()
        self.seconds = time.monotonic() - began
        self.new = read_tree(self.tree)
        self.changed = [name for name in self.old if self.old[name] != self.new[name]]

    def writing_since(self, process: "subprocess.Popen[bytes]") -> float:
        """Wait until a run has its turn to write, and return when that was."""
        lock = self.tree / ".git" / "imageshift" / "lock"
        while not lock.exists() and process.poll() is None:
            time.sleep(0.001)
        return time.monotonic()

    def killed(self, number: signal.Signals, share: float) -> int:
        """Kill a run over the tree as it was, after a share of the time that it writes for."""
        shutil.rmtree(self.tree)
        shutil.copytree(self.first, self.tree)
        process = start(self.tree)
        self.writing_since(process)
        time.sleep(share * self.seconds)
        process.send_signal(number)
        return process.wait()

    def mixed(self) -> int:
        """Return how many moves are half new; each file is old or new."""
        now = read_tree(self.tree)
        assert all(now[name] in {self.old[name], self.new[name]} for name in self.changed)
        return sum(len({now[f] == self.new[f] for f in files}) > 1 for files in moves().values())

    def has_journal(self) -> bool:
        """Return whether a run was killed while it replaced files together."""
        return (self.tree / ".git" / "imageshift" / "journal").exists()

    def status(self) -> list[str]:
        """Return the files that git calls changed or new."""
        command = ["git", "status", "--porcelain", "--untracked-files=all"]
        done = subprocess.run(command, cwd=self.tree, check=True, capture_output=True, text=True)
        return sorted(line[3:] for line in done.stdout.splitlines())


@pytest.mark.once
def test_runs_that_are_killed(tmp_path: Path) -> None:
    """Files are whole at once; moves are after SIGTERM at once, else after the next run."""
    kills, chance, found = Kills(tmp_path), random.Random(SEED), Counter[str]()  # noqa: S311 no secret
    assert kills.status() == sorted(kills.changed)
    for turn in range(KILLS):
        number = (signal.SIGKILL, signal.SIGTERM)[turn % 2]
        code = kills.killed(number, chance.uniform(0, 1.1))
        mixed = kills.mixed()
        found[f"{number.name}: {'ended before' if code == 0 else 'killed'}"] += 1
        found[f"{number.name}: left a journal"] += kills.has_journal()
        found[f"{number.name}: left a move half done"] += bool(mixed)
        assert code in ({0, -9} if number is signal.SIGKILL else {0, 130})
        assert number is signal.SIGKILL or not mixed

        ended, said = run_forked(kills.tree, "migrate", ".")

        assert (ended, "restored" in said) == (0, bool(mixed)), said
        assert read_tree(kills.tree) == kills.new
        assert kills.status() == sorted(kills.changed)
        assert not (kills.tree / ".git" / "imageshift").exists()
    assert run_forked(kills.tree, "revert", "--all", ".")[0] == 0
    assert read_tree(kills.tree) == kills.old
    record(found)


def record(found: Counter[str]) -> None:
    """Write the figures down where they are asked for."""
    if name := os.environ.get("IMAGESHIFT_KILL_FIGURES"):
        lines = [
            f"{KILLS} kills, seed {SEED}",
            *(f"{n} {what}" for what, n in sorted(found.items())),
        ]
        Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
