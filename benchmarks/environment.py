"""What both benchmarks need: the wheel in a clean virtual environment, and its peak memory."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "123456789012.dkr.ecr.eu-west-2.amazonaws.com"
WHERE = ("--account", "123456789012", "--region", "eu-west-2")


def clean() -> dict[str, str]:
    """Return the environment less what would keep Python from using compiled bytecode."""
    unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONPATH", "PYTHONUNBUFFERED"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def build(folder: Path) -> Path:
    """Return a wheel of this checkout, built into a folder."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), "."]
    subprocess.run(command, check=True, cwd=ROOT, env=clean())
    return next(folder.glob("imageshift-*.whl"))


def install(home: Path, wheel: Path | None) -> Path:
    """Return the bin folder of a new virtual environment with the wheel, bytecode compiled."""
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    python = str(home / "bin" / "python")
    with tempfile.TemporaryDirectory() as folder:
        package = wheel or build(Path(folder))
        command = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*command, str(package)], check=True, env=clean())
    subprocess.run([python, "-m", "compileall", "-q", str(home / "lib")], check=False, env=clean())
    return home / "bin"


def dry_run(binaries: Path, tree: Path) -> list[str]:
    """Return the command of the main job on a tree, writing nothing, on one core, by text alone."""
    options = ["--dry-run", "--quiet", "--jobs", "1", "--charts", "off"]
    return [str(binaries / "imageshift"), "migrate", str(tree), *WHERE, *options]
