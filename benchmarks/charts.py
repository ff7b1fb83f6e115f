"""Measure what one more release costs, in plain `helm template` processes of the same chart.

    python benchmarks/charts.py [FOLDER] [CHART...] [--values FOLDER] [--helm PROGRAM]

FOLDER (or the variable IMAGESHIFT_CHARTS) holds chart folders or .tgz files, VALUES a NAME.yaml
for each that needs values; without them the charts of the tests are taken. The command runs
inside this process, on a tree that lacks the release and on one that has it, so that start-up and
Helm's library don't count. It finds, traces, solves and proves (`migrate --charts require`), and
then proves again through both trees (`--verify`). Nothing is kept from one run to the next. The
processor's time (with that of child processes) stands beside the elapsed one, which a busy
machine disturbs more.
"""

import argparse
import contextlib
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from environment import ROOT, WHERE
from typer.testing import CliRunner

from imageshift.cli.app import build_app

OWN = ROOT / "tests" / "fixtures" / "charts"
LIMIT = 3.0
FEW, MANY = 20, 100
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: {name}
  namespace: apps
spec:
  chart:
    spec:
      chart: {chart}
      sourceRef: {{kind: HelmRepository, name: {chart}}}
"""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and the values of its release, as text."""

    name: str
    path: Path
    values: str = ""

    def release(self, name: str) -> str:
        """Return a HelmRelease of it."""
        values = textwrap.indent(self.values, "    ")
        text = RELEASE.format(name=name, chart=self.name)
        return text + (f"  values:\n{values}" if values.strip() else "")


@dataclass(frozen=True, slots=True)
class Cost:
    """Elapsed and processor time, in seconds."""

    seconds: float
    processor: float

    @classmethod
    def of(cls, work: Callable[[], object]) -> "Cost":
        """Return what a piece of work takes, child processes included."""
        start, used = time.perf_counter(), _processor()
        work()
        return cls(time.perf_counter() - start, _processor() - used)

    @classmethod
    def median(cls, costs: list["Cost"]) -> "Cost":
        """Return the medians of both."""
        return cls(
            statistics.median(cost.seconds for cost in costs),
            statistics.median(cost.processor for cost in costs),
        )

    def less(self, other: "Cost", parts: int = 1) -> "Cost":
        """Return what it is more than another, divided into equal parts."""
        return Cost(
            (self.seconds - other.seconds) / parts, (self.processor - other.processor) / parts
        )

    def per(self, other: "Cost") -> tuple[float, float]:
        """Return both as multiples of another."""
        return self.seconds / other.seconds, self.processor / other.processor


def _processor() -> float:
    """Return the time of this process, of children that ended, and of the one that renders."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = [child.cpu_times() for child in psutil.Process().children()]
    ended = children.ru_utime + children.ru_stime
    return time.process_time() + ended + sum(each.user + each.system for each in alive)


@contextlib.contextmanager
def tree(releases: dict[str, tuple[Chart, str]]) -> Iterator[Path]:
    """Make a tree with a file for each release, and a cache that knows nothing."""
    with tempfile.TemporaryDirectory(prefix="imageshift-charts-") as holder:
        root = Path(holder, "tree")
        root.mkdir()
        os.environ["XDG_CACHE_HOME"] = str(Path(holder, "cache"))
        sources = [f"    apps/{name}: {chart.path}\n" for name, (chart, _) in releases.items()]
        (root / ".imageshift.yaml").write_text("charts:\n  sources:\n" + "".join(sources))
        for name, (_, text) in releases.items():
            (root / f"{name}.yaml").write_text(text)
        yield root


def migrate(releases: dict[str, tuple[Chart, str]], *options: str) -> Cost:
    """Return what the command costs on a tree with some releases."""
    arguments = ["migrate", ".", *WHERE, "--charts", "require", "--jobs", "1", *options]
    with tree(releases) as root, contextlib.chdir(root):
        return Cost.of(lambda: _run(arguments))


def _run(arguments: list[str]) -> None:
    done = CliRunner().invoke(build_app(arguments), arguments)
    if done.exit_code:
        raise RuntimeError(f"exit {done.exit_code}: {(done.stderr or done.stdout)[-300:]}")


def helm_template(program: str, chart: Chart) -> None:
    """Render a chart as a plain process."""
    command = [program, "template", "rel", str(chart.path), "--namespace", "apps", "-f", "-"]
    done = subprocess.run(command, input=chart.values, text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-300:])


def measure(chart: Chart, helm: str, rounds: int, small: dict[str, Cost]) -> dict[str, Cost]:
    """Return the costs of one more release, and of one plain rendering."""
    both = {"small": _small(), "rel": (chart, chart.release("rel"))}
    found = {
        "helm": Cost.median(
            [Cost.of(lambda: helm_template(helm, chart)) for _ in range(rounds + 1)][1:]
        )
    }
    for name, options in RUNS.items():
        whole = Cost.median([migrate(both, *options) for _ in range(rounds)])
        found[name] = whole.less(small[name])
    return found


RUNS: dict[str, tuple[str, ...]] = {"migrate": (), "migrate --verify": ("--verify",)}


def _small() -> tuple[Chart, str]:
    chart = Chart("whole", OWN / "whole" / "chart")
    return chart, chart.release("small")


def many(chart: Chart, helm: str) -> None:
    """Print what each of many releases of one chart costs."""
    plain = Cost.median([Cost.of(lambda: helm_template(helm, chart)) for _ in range(5)])
    for run, options in RUNS.items():
        costs = []
        for number in (FEW, MANY):
            names = [f"rel-{index:03}" for index in range(number)]
            more = {name: (chart, chart.release(name)) for name in names}
            costs.append(migrate(more, *options))
        one = costs[1].less(costs[0], MANY - FEW)
        ratios = "{:.2f} elapsed, {:.2f} processor".format(*one.per(plain))
        print(f"{MANY} releases of {chart.name}, {run}: {costs[1].seconds:.1f} s; ", end="")
        print(f"one more costs {one.seconds:.3f} s, in plain processes {ratios}", flush=True)


def charts_of(folder: Path, values: Path | None) -> list[Chart]:
    """Return the charts of a folder; those of the tests lie one deeper."""
    if (folder / "whole" / "chart").is_dir():
        names = sorted(path.parent.name for path in folder.glob("*/release.yaml"))
        return [Chart(n, folder / n / "chart", _text(folder / n / "release.yaml")) for n in names]
    found = sorted(path for path in folder.iterdir() if path.is_dir() or path.suffix == ".tgz")
    return [
        Chart(path.name.removesuffix(".tgz"), path, _text(values / f"{path.name}.yaml"))
        if values is not None
        else Chart(path.name.removesuffix(".tgz"), path)
        for path in found
    ]


def _text(path: Path) -> str:
    text = path.read_text() if path.is_file() else ""
    return "" if "{}" in text.splitlines() else text


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", type=Path, nargs="?", default=os.environ.get("IMAGESHIFT_CHARTS", OWN)
    )
    parser.add_argument("charts", nargs="*", help="only these")
    parser.add_argument("--values", type=Path, default=None)
    parser.add_argument("--helm", default="helm")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--many", default=None, help="the chart that has many releases")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and return 1 when a promise isn't kept."""
    chosen = options()
    charts = charts_of(chosen.folder.resolve(), chosen.values and chosen.values.resolve())
    wanted = [chart for chart in charts if not chosen.charts or chart.name in chosen.charts]
    small = {
        name: Cost.median([migrate({"small": _small()}, *o) for _ in range(5)][1:])
        for name, o in RUNS.items()
    }
    ratios: dict[str, list[tuple[float, float]]] = {name: [] for name in RUNS}
    print("| chart | helm template | migrate | with verify | elapsed | processor |")
    print("|---|---|---|---|---|---|")
    for chart in wanted:
        try:
            found = measure(chart, chosen.helm, chosen.rounds, small)
        except RuntimeError as error:
            print(f"{chart.name}: {' '.join(str(error).split())}", file=sys.stderr)
            continue
        for name, kept in ratios.items():
            kept.append(found[name].per(found["helm"]))
        _print_row(chart, found)
    count = len(ratios["migrate"])
    print(f"\none more release, in plain helm template processes, median of {count} charts:")
    for name, kept in ratios.items():
        elapsed, processor = (statistics.median(column) for column in zip(*kept, strict=True))
        print(f"{name}: {elapsed:.2f} elapsed, {processor:.2f} processor")
    named = [chart for chart in wanted if chart.name == chosen.many] or wanted[:1]
    many(named[0], chosen.helm)
    return int(statistics.median(ratio for _, ratio in ratios["migrate"]) > LIMIT)


def _print_row(chart: Chart, found: dict[str, Cost]) -> None:
    seconds = [f"{cost.seconds:.3f} s" for cost in found.values()]
    ratios = [found[name].per(found["helm"]) for name in RUNS]
    pairs = [f"{one:.2f}, {two:.2f}" for one, two in zip(*ratios, strict=True)]
    print(f"| {' | '.join([chart.name, *seconds, *pairs])} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
