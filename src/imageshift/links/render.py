"""Building remote bases with the available kustomize, to see the images that they bring."""

import tempfile
from functools import lru_cache
from pathlib import Path

from imageshift.errors import SourceError, ToolError
from imageshift.inventory import scan_file
from imageshift.kustomize.fence import refuse_address
from imageshift.kustomize.program import BuildError, Program
from imageshift.links.model import RemoteBase
from imageshift.links.texts import file_texts
from imageshift.sites import FinderContext, ImageSite
from imageshift.steps import step

__all__ = ["remote_images", "remote_sites"]

_HINT = "check whether it can be fetched from here, or leave out --render"


def remote_images(base: RemoteBase) -> tuple[str, ...]:
    """The image texts of a remote base that an entry beside its address matches, each once.

    Raises:
        ToolError: there is no kustomize on PATH, or the build fails.
    """
    try:
        found = [text.scalar.value for text in file_texts(base.address, _objects(base))]
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
        with step(base.address):
            return _build(base.address)
    except ToolError as error:
        raise _failed(base, str(error), error.hint or _HINT) from None


def _failed(base: RemoteBase, message: str, hint: str = _HINT) -> ToolError:
    place = base.place
    where = f"{base.file}:{place.line}:{place.column}"
    return ToolError(f"{where}: {base.address}: {message}", hint=hint)


@lru_cache(maxsize=64)
def _build(address: str) -> bytes:
    program = Program.find()
    if program is None:
        raise ToolError(
            "--render needs kustomize, which isn't on PATH",
            hint="install kustomize or kubectl, or leave out --render",
        )
    refuse_address(address)
    with tempfile.TemporaryDirectory(prefix="imageshift-") as name:
        folder = Path(name).resolve()
        quoted = address.replace("'", "''")
        (folder / "kustomization.yaml").write_text(f"resources:\n- '{quoted}'\n", "utf-8")
        try:
            return program.build(folder, folder, fetch=True).encode()
        except BuildError as error:
            raise ToolError(_complaint(str(error)), hint=error.hint) from None


def _complaint(message: str) -> str:
    """What kustomize says, without the steps of its own that lead to it."""
    lines = message.splitlines()
    told = [line for line in lines if line.startswith("fatal:")]
    last = (told or lines)[-1].rpartition("': ")[2]
    # Kustomize tries a folder of that name in the end, and tells of nothing else.
    return "kustomize can't fetch it" if "evalsymlink failure" in last else last
