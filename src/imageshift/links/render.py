"""Building remote bases with the kustomize at hand, to see the images that they bring."""

import os
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from imageshift.errors import SourceError, ToolError
from imageshift.inventory import scan_file
from imageshift.links.model import RemoteBase
from imageshift.links.texts import file_texts
from imageshift.sites import FinderContext, ImageSite

__all__ = ["remote_images", "remote_sites"]

_TIMEOUT = 120
_HINT = "see whether it can be fetched from here, or leave out --render"


def remote_images(base: RemoteBase) -> tuple[str, ...]:
    """The image texts of a remote base that an entry beside its address matches, each once.

    Raises:
        ToolError: there is no kustomize on PATH, or the build fails.
    """
    try:
        found = [text.scalar.value for text in file_texts(_objects(base))]
    except SourceError as error:
        raise _failed(base, f"kustomize's output can't be read: {error}") from None
    return tuple(dict.fromkeys(found))


def remote_sites(base: RemoteBase) -> tuple[ImageSite, ...]:
    """Every image of a remote base's objects, in places of what kustomize built.

    Raises:
        ToolError: as `remote_images`.
    """
    return scan_file(base.address, _objects(base), FinderContext()).sites


def _objects(base: RemoteBase) -> bytes:
    try:
        return _build(base.address)
    except ToolError as error:
        raise _failed(base, str(error), error.hint or _HINT) from None


def _failed(base: RemoteBase, message: str, hint: str = _HINT) -> ToolError:
    place = base.place
    where = f"{base.file}:{place.line}:{place.column}"
    return ToolError(f"{where}: {base.address}: {message}", hint=hint)


@lru_cache(maxsize=64)
def _build(address: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="imageshift-") as folder:
        quoted = address.replace("'", "''")
        Path(folder, "kustomization.yaml").write_text(f"resources:\n- '{quoted}'\n", "utf-8")
        return _run([*_command(), folder])


def _command() -> list[str]:
    kustomize, kubectl = shutil.which("kustomize"), shutil.which("kubectl")
    if kustomize is not None:
        return [kustomize, "build"]
    if kubectl is not None:
        return [kubectl, "kustomize"]
    raise ToolError(
        "--render needs kustomize, which isn't on PATH",
        hint="install kustomize or kubectl, or leave out --render",
    )


def _run(command: list[str]) -> bytes:
    # Git would ask for a password, and wait.
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        run = subprocess.run(  # noqa: S603 a fixed command
            command,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"no answer within {_TIMEOUT} seconds") from None
    except OSError as error:
        raise ToolError(f"{command[0]} doesn't start: {error.strerror}") from None
    if run.returncode:
        raise ToolError(_complaint(run.stderr))
    return run.stdout


def _complaint(stderr: bytes) -> str:
    """What kustomize says, less the steps of its own that lead to it."""
    lines = stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
    told = [line for line in lines if line.startswith(("error:", "Error:", "fatal:"))]
    last = (told or lines)[-1].rpartition("': ")[2]
    # Kustomize tries a folder of that name in the end, and tells of nothing else.
    return "kustomize can't fetch it" if "evalsymlink failure" in last else last
