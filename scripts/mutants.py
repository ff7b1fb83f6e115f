"""Put small faults into a copy of the source, one at a time, and say which no test finds.

    python scripts/mutants.py [WORD ...]

The faults stand in scripts/mutants.toml, each with the tests that have to find it; words choose
those whose names or groups have them. A fault whose text isn't in the source is stale: the code
has changed, and it has to be written anew or taken out.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "scripts" / "mutants.toml"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: in `file`, `old` becomes `new`; the tests of `group` have to find it."""

    name: str
    group: str
    file: str
    old: str
    new: str


def main() -> int:
    """Try every fault asked for, and return 1 when one survives or is stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*")
    words = parser.parse_args().words
    table = tomllib.loads(TABLE.read_text("utf-8"))
    mutants = [Mutant(**row) for row in table["mutant"]]
    chosen = [one for one in mutants if not words or any(w in one.name + one.group for w in words)]
    left = [one.name for one in chosen if not tried(one, table["groups"][one.group])]
    print(f"{len(chosen)} faults, {len(left)} not found or stale")
    return int(bool(left))


def tried(mutant: Mutant, tests: list[str]) -> bool:
    """Run the tests over a faulty copy, print what came of it, and tell whether they found it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(shutil.copytree(ROOT / "src", Path(folder, "src")))
        file = source / "imageshift" / mutant.file
        text = file.read_text("utf-8")
        if text.count(mutant.old) != 1:
            print(f"STALE     {mutant.group}: {mutant.name}", flush=True)
            return False
        file.write_text(text.replace(mutant.old, mutant.new), "utf-8")
        found = fails(source, tests)
    word = "found" if found else "SURVIVES"
    print(f"{word:9} {mutant.group}: {mutant.name} ({time.monotonic() - began:.0f} s)", flush=True)
    return found


def fails(source: Path, tests: list[str]) -> bool:
    """Whether one of the tests fails on a copy of the source."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True)
    return run.returncode == 1


if __name__ == "__main__":
    sys.exit(main())
