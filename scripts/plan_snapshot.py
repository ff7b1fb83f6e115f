"""Write down what imageshift makes of many trees, and compare two such snapshots.

    python scripts/plan_snapshot.py write OUT [--corpus FOLDER] [--trees 300]
    python scripts/plan_snapshot.py compare OLD NEW

A snapshot has one line for each site of each tree (the cases of tests/fixtures/cases with charts
off and auto, generated trees, and the repositories of a corpus) and one for each changed file.
Everything comes from `migrate --format json`, so that snapshots of different designs compare.
Snapshots of a corpus name what others wrote: don't commit them.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "fixtures" / "cases"
REGISTRY = ("--account", "123456789012", "--region", "eu-west-2")
COMMAND = (sys.executable, "-c", "from imageshift.cli import main; main()")
Files = Mapping[str, bytes]


def main() -> int:
    """Write or compare, and return 1 when two snapshots differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write")
    write.add_argument("out", type=Path)
    write.add_argument("--corpus", type=Path, default=os.environ.get("IMAGESHIFT_CORPUS"))
    write.add_argument("--trees", type=int, default=300)
    compare = commands.add_parser("compare")
    compare.add_argument("old", type=Path)
    compare.add_argument("new", type=Path)
    options = parser.parse_args()
    if options.command == "write":
        return write_snapshot(options.out, options.corpus, options.trees)
    return compare_snapshots(options.old, options.new)


def write_snapshot(out: Path, corpus: Path | None, count: int) -> int:
    """Write the lines of all trees, sorted, into a file."""
    tasks = [(f"case/{path.name}", path / "before") for path in sorted(CASES.iterdir())]
    jobs = [(name, tree, mode) for name, tree in tasks for mode in ("off", "auto")]
    jobs += [(name, tree, "off") for name, tree in repositories(corpus)]
    with tempfile.TemporaryDirectory() as folder:
        jobs += [(name, tree, "off") for name, tree in generated(Path(folder), count)]
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda job: list(lines_of(*job)), jobs))
    lines = sorted({line for each in found for line in each})
    out.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(jobs)} runs, {len(lines)} lines")
    return 0


def repositories(corpus: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield the folders of a corpus."""
    for folder in sorted(corpus.iterdir()) if corpus is not None else ():
        if folder.is_dir():
            yield f"corpus/{folder.name}", folder


def generated(folder: Path, count: int) -> Iterator[tuple[str, Path]]:
    """Yield generated trees, named by their content so that each is compared with itself."""
    sys.path.insert(0, str(ROOT / "tests" / "property"))
    from tree_strategies import trees  # type: ignore[import-not-found]  # noqa: PLC0415 of the tests

    made: dict[str, Files] = {}

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(trees())
    def collect(files: Files) -> None:
        made[digest(json.dumps({name: text.hex() for name, text in files.items()}).encode())] = (
            files
        )

    collect()
    for name, files in made.items():
        for file, content in files.items():
            path = folder / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield f"generated/{name}", folder / name


def lines_of(name: str, tree: Path, mode: str) -> Iterator[str]:
    """Yield what a migration says of each site, and the digest of each file that it changes."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "tree")
        shutil.copytree(tree, copy, ignore=shutil.ignore_patterns(".git"), symlinks=True)
        (copy / ".git").mkdir()
        command = [*COMMAND, "migrate", ".", *REGISTRY, "--charts", mode, "--format", "json"]
        run = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
        head = f"{name}\t{mode}"
        yield f"{head}\texit\t{run.returncode}"
        if run.stdout.startswith("{"):
            report = json.loads(run.stdout)
            for row in report["images"]:
                yield f"{head}\tsite\t{json.dumps(site(row))}"
            for file in report["changed_files"]:
                yield f"{head}\tfile\t{file}\t{digest((copy / file).read_bytes())}"


def site(row: Mapping[str, Any]) -> list[Any]:
    """Return what a snapshot keeps of a row: what it is, then what becomes of it."""
    path = ".".join(map(str, row["path"]))
    place = [row["file"], row["document"], path, row.get("origin"), row["original"]]
    return [place, [row["status"], row["target"], row["reason"]]]


def digest(content: bytes) -> str:
    """Return a short digest."""
    return hashlib.sha256(content).hexdigest()[:16]


def compare_snapshots(old: Path, new: Path) -> int:
    """Print what moved before and doesn't now, what moves now, and what else differs."""
    before, after = (sites_of(path) for path in (old, new))
    groups: dict[str, list[str]] = {"moved before, not now": [], "moves now": [], "otherwise": []}
    for key in sorted(before.keys() | after.keys()):
        one, other = before.get(key), after.get(key)
        if one != other:
            groups[group_of(one, other)].append(f"{key}\n  before: {one}\n  now:    {other}")
    for title, entries in groups.items():
        print(f"== {title}: {len(entries)}")
        print("\n".join(entries))
    others = lines_without_sites(old) ^ lines_without_sites(new)
    print(f"== exit codes and changed files: {len(others)} lines differ")
    return int(any(groups.values()) or bool(others))


def sites_of(path: Path) -> dict[str, str]:
    """Return what becomes of each site; sites that are alike in all are one."""
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        tree, mode, kind, rest = line.split("\t", 3)
        if kind == "site":
            place, outcome = json.loads(rest)
            found.setdefault(f"{tree} {mode} {place}", []).append(json.dumps(outcome))
    return {key: " | ".join(sorted(outcomes)) for key, outcomes in found.items()}


def group_of(before: str | None, after: str | None) -> str:
    """Return in which group a difference belongs."""
    moved, moves = (text is not None and '"rewrite"' in text for text in (before, after))
    if moved and not moves:
        return "moved before, not now"
    return "moves now" if moves and not moved else "otherwise"


def lines_without_sites(path: Path) -> set[str]:
    """Return the lines on exit codes and files."""
    return {line for line in path.read_text("utf-8").splitlines() if "\tsite\t" not in line}


if __name__ == "__main__":
    sys.exit(main())
