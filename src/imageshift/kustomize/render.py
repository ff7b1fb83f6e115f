"""Bases that the tree doesn't have: which there are, and, on demand, the images they bring."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from imageshift.errors import SourceError, ToolError
from imageshift.inventory import Index
from imageshift.inventory.objects import texts
from imageshift.kustomize.graph import is_remote
from imageshift.kustomize.texts import file_texts
from imageshift.source import Place, Scalar

__all__ = ["RemoteBase", "remote_bases", "remote_images"]

_TIMEOUT = 120


@dataclass(frozen=True, slots=True)
class RemoteBase:
    """A resource that kustomize fetches, with the place that names it."""

    address: str
    file: str
    place: Place


def remote_bases(index: Index) -> Iterator[RemoteBase]:
    """The bases whose images nobody sees without fetching them, in the order of the files."""
    for found in sorted(index.kustomizations.values(), key=lambda each: each.file):
        for key in ("resources", "bases", "components"):
            wanted = {name for name in texts(found.root, key) if is_remote(index, found, name)}
            for item in found.root.items(key):
                if isinstance(item, Scalar) and item.value in wanted:
                    yield RemoteBase(item.value, found.file, found.document.place(item.start))


@lru_cache(maxsize=1024)
def remote_images(address: str) -> tuple[str, ...]:
    """The image texts that a remote base brings, each once, built by kustomize or kubectl.

    They are the texts that an entry beside the address matches.

    Raises:
        ToolError: neither is on PATH, or the build fails.
    """
    with tempfile.TemporaryDirectory(prefix="imageshift-") as folder:
        quoted = address.replace("'", "''")
        Path(folder, "kustomization.yaml").write_text(f"resources:\n- '{quoted}'\n", "utf-8")
        output = _build(folder, address)
    try:
        found = [text.scalar.value for text in file_texts(output)]
    except SourceError as error:
        raise ToolError(f"{address}: kustomize's output can't be read: {error}") from None
    return tuple(dict.fromkeys(found))


def _build(folder: str, address: str) -> bytes:
    kustomize, kubectl = shutil.which("kustomize"), shutil.which("kubectl")
    if kustomize is not None:
        command = [kustomize, "build", folder]
    elif kubectl is not None:
        command = [kubectl, "kustomize", folder]
    else:
        raise ToolError(
            f"{address} is built by kustomize, which isn't on PATH",
            hint="install kustomize or kubectl, or leave out --render",
        )
    try:
        run = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT)  # noqa: S603 a fixed command
    except subprocess.TimeoutExpired:
        raise ToolError(f"{address}: no answer within {_TIMEOUT} seconds") from None
    if run.returncode:
        lines = run.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
        raise ToolError(f"{address}: {lines[-1]}")
    return run.stdout
