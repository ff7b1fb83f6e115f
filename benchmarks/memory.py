"""Show that memory doesn't grow with the number of files: peak of a dry run over small files."""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import clean, dry_run, install

LIMIT = 200
PER_FOLDER = 100
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{number}
spec:
  template:
    spec:
      containers:
        - name: app
          image: ghcr.io/example/app-{number}:1.{number}.0
        - name: proxy
          image: nginx:1.27
"""
SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-{number}
data:
  colour: blue
"""


def generate(tree: Path, count: int) -> None:
    """Write small files, two in three of them with images, a hundred to a folder."""
    for number in range(count):
        folder = tree / f"{number // PER_FOLDER:05}"
        folder.mkdir(parents=True, exist_ok=True)
        text = SETTINGS if number % 3 == 0 else WORKLOAD
        (folder / f"{number:06}.yaml").write_text(text.format(number=number))


def peak(command: list[str]) -> float:
    """Run a command and return the peak resident memory of its process, in MB."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=clean()) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} exited {process.returncode}")
    return usage.ru_maxrss / 1024


def main() -> int:
    """Measure for each number of files, print a table, return 1 over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--wheel", type=Path, help="use this wheel instead of building one")
    options = parser.parse_args()
    print("| files | peak memory |\n|---|---|")
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="imageshift-memory-") as folder:
        binaries = install(Path(folder) / "venv", options.wheel)
        for count in options.counts:
            tree = Path(folder) / str(count)
            generate(tree, count)
            used = peak(dry_run(binaries, tree))
            worst = max(worst, used)
            print(f"| {count:,} | {used:.0f} MB |", flush=True)
    return 0 if worst < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
