"""Compare the main job with the usual script and with sed, as whole processes on one tree.

A folder of real repositories is copied ten times, so that start-up doesn't hide the cost of a
file. All contestants run in turn, several rounds. The table shows medians of the elapsed time,
and of the processor's time, which a busy machine disturbs less. The usual script takes minutes:
it runs in the first rounds only (`--script-rounds`). Everything comes from one run.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from environment import HOST, ROOT, WHERE, clean, dry_run, install

SED_RULES = (
    ("docker[.]io/([a-z0-9._-]+)([:@\"' ]|$)", f"{HOST}/docker-hub/library/\\2\\3"),
    ("docker[.]io/([a-z0-9._-]+/)", f"{HOST}/docker-hub/\\2"),
    ("ghcr[.]io/", f"{HOST}/github/"),
    ("registry[.]k8s[.]io/", f"{HOST}/k8s/"),
    ("public[.]ecr[.]aws/", f"{HOST}/ecr/"),
    ("quay[.]io/", f"{HOST}/quay/"),
    ("([a-z0-9_-]+)([:@\"' ]|$)", f"{HOST}/docker-hub/library/\\2\\3"),
    ("([a-z0-9_-]+/)", f"{HOST}/docker-hub/\\2"),
)
ONE_FILE = ROOT / "examples" / "cluster" / "infrastructure" / "controllers" / "node-agent.yaml"
LIMITS = {"script": ("at least", 30.0), "sed": ("at most", 10.0), "check": ("at most", 16.0)}


@dataclass(slots=True)
class Contestant:
    """A command, what it stands for, and how long its runs took."""

    label: str
    command: list[str]
    codes: frozenset[int] = frozenset({0})
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run the command once and note its time; stop when it fails."""
        start, used = time.perf_counter(), processor_time()
        run = subprocess.run(
            self.command,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=clean(),
        )
        elapsed = time.perf_counter() - start
        if run.returncode not in self.codes:
            raise SystemExit(
                f"{self.label} exited {run.returncode}:\n{run.stderr.decode()[-2000:]}"
            )
        self.seconds.append(elapsed)
        self.processor.append(processor_time() - used)

    def forget(self) -> None:
        """Drop the runs so far."""
        self.seconds.clear()
        self.processor.clear()


def processor_time() -> float:
    """Return the processor time of all child processes so far, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def sed(tree: Path) -> list[str]:
    """Return one sed command line over every YAML file, printing the lines it would change."""
    key = "((image|repository): *[\"']?)"
    rules = (f"s#{key}{old}#\\1{renumbered(new)}#p" for old, new in SED_RULES)
    script = " ".join(f"-e '{rule}'" for rule in (rule.replace("'", "'\\''") for rule in rules))
    files = f"find '{tree}' -type f \\( -name '*.yaml' -o -name '*.yml' \\) -print0"
    return ["sh", "-c", f"{files} | LC_ALL=C xargs -0 sed -E -n {script}"]


def renumbered(replacement: str) -> str:
    """Shift the groups of a replacement by the one group that the key adds."""
    return replacement.replace("\\3", "\\4").replace("\\2", "\\3")


def repeat(source: Path, target: Path, times: int) -> tuple[int, int]:
    """Copy a folder several times below another; return the number of YAML files and bytes."""
    for number in range(times):
        shutil.copytree(
            source, target / f"{number:02}", symlinks=True, copy_function=shutil.copyfile
        )
    files = [path for path in target.rglob("*") if path.suffix in {".yaml", ".yml"}]
    return len(files), sum(path.stat().st_size for path in files)


def contestants(binaries: Path, tree: Path) -> dict[str, Contestant]:
    """Return who runs, by name."""
    python = str(binaries / "python")
    one = str(shutil.copy(ONE_FILE, tree.parent))
    script = str(ROOT / "benchmarks" / "usual_script.py")
    check = [str(binaries / "imageshift"), "check", one, *WHERE]
    commands = {
        "imageshift": ("imageshift migrate --dry-run", dry_run(binaries, tree), {0, 3}),
        "sed": ("sed -E -n …p", sed(tree), {0}),
        "python": ("python -c pass", [python, "-c", "pass"], {0}),
        "check": ("imageshift check FILE", check, {1}),
        "script": ("ruamel.yaml round trip", [python, script, str(tree)], {0}),
    }
    return {
        name: Contestant(label, command, frozenset(codes))
        for name, (label, command, codes) in commands.items()
    }


def race(runners: dict[str, Contestant], rounds: int, script_rounds: int) -> None:
    """Run all in turn; a first round, not counted, fills the page cache."""
    for name in ("imageshift", "sed", "python", "check"):
        runners[name].run()
        runners[name].forget()
    for number in range(rounds):
        for name, runner in runners.items():
            if name != "script" or number < script_rounds:
                runner.run()


def ratios(runners: dict[str, Contestant], measure: str) -> dict[str, float]:
    """Return the three ratios that are promised, as far as they were measured."""

    def median(name: str) -> float:
        return float(statistics.median(getattr(runners[name], measure)))

    found = {
        "sed": median("imageshift") / median("sed"),
        "check": median("check") / median("python"),
    }
    if runners["script"].seconds:
        found["script"] = median("script") / median("imageshift")
    return found


def table(runners: dict[str, Contestant]) -> str:
    """Return the figures as a Markdown table."""
    elapsed, processor = ratios(runners, "seconds"), ratios(runners, "processor")
    lines = [
        "| command | runs | elapsed | processor | ratio elapsed | ratio processor | promised |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runner in runners.items():
        if runner.seconds:
            medians = [f"{statistics.median(v):.3f} s" for v in (runner.seconds, runner.processor)]
            found = [f"{r[name]:.1f}" if name in r else "" for r in (elapsed, processor)]
            limit = " ".join(map(str, LIMITS[name])) if name in LIMITS else ""
            cells = (runner.label, str(len(runner.seconds)), *medians, *found, limit)
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def kept(found: dict[str, float]) -> bool:
    """Whether every measured ratio is within its limit."""
    return all(
        value >= LIMITS[name][1] if LIMITS[name][0] == "at least" else value <= LIMITS[name][1]
        for name, value in found.items()
    )


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("IMAGESHIFT_CORPUS", str(ROOT.parent / "shared" / "corpus"))
    parser.add_argument("--corpus", type=Path, default=Path(default), help="what to repeat")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--script-rounds", type=int, default=1)
    parser.add_argument("--wheel", type=Path, help="use this wheel instead of building one")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser.parse_args()


def main() -> int:
    """Measure, print the table, and return 1 when a promise isn't kept."""
    chosen = options()
    with tempfile.TemporaryDirectory(prefix="imageshift-speed-") as folder:
        work = Path(folder)
        binaries = install(work / "venv", chosen.wheel)
        files, size = repeat(chosen.corpus, work / "tree", chosen.repeat)
        print(
            f"{files} YAML files, {size / 1e6:.1f} MB, Python {sys.version.split()[0]}\n",
            flush=True,
        )
        runners = contestants(binaries, work / "tree")
        race(runners, chosen.rounds, chosen.script_rounds)
    print(table(runners))
    found = {measure: ratios(runners, measure) for measure in ("seconds", "processor")}
    if chosen.json:
        runs = {name: [runner.seconds, runner.processor] for name, runner in runners.items()}
        chosen.json.write_text(json.dumps({"runs": runs, "ratios": found}, indent=2) + "\n")
    return 0 if kept(found["seconds"]) else 1


if __name__ == "__main__":
    sys.exit(main())
