"""Writing generated files, without touching those that people made."""

import os
from collections.abc import Mapping
from pathlib import Path

from imageshift.errors import ConfigError, SourceError
from imageshift.infra.render import HEADER
from imageshift.repo.read import read_file
from imageshift.repo.write import Write
from imageshift.repo.writer import Writer, writing

__all__ = ["write_files"]


def write_files(
    files: Mapping[str, str], folder: Path, *, force: bool = False, writer: Writer | None = None
) -> list[Path]:
    """Writes the files whose text has changed, all or none, and says which.

    A `.tf` file of an earlier run that the module no longer has is removed, and named too.
    Without a `writer` for the folder it waits for its turn itself.

    Raises:
        ConfigError: a file of that name isn't one that imageshift wrote (`force` replaces it),
            or the folder can't be written.
        BusyError: another run writes to the folder's tree.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if writer is not None:
            return _write_files(files, folder, writer, force=force)
        with writing(folder) as own:
            return _write_files(files, folder, own, force=force)
    except OSError as error:
        raise ConfigError(f"{folder}: it can't be written: {error.strerror}") from None
    except SourceError as error:
        raise ConfigError(f"{folder}: it can't be written: {error}", hint=error.hint) from None


def _write_files(
    files: Mapping[str, str], folder: Path, writer: Writer, *, force: bool
) -> list[Path]:
    now = {name: _current(folder / name) for name in files}
    changed = [name for name, text in files.items() if now[name] != text.encode()]
    foreign = [folder / name for name in changed if not (force or _is_ours(now[name]))]
    if foreign:
        names = "\n".join(f"{path}:1:1: imageshift didn't write this file" for path in foreign)
        raise ConfigError(names, hint="choose another --out, or --force to replace it")
    there = folder.resolve()
    writer.write([Write(there / name, now[name], files[name].encode()) for name in changed])
    stale = [path for path in _others(folder, files) if _is_ours(_current(path))]
    for path in stale:
        path.unlink()
    return [*(folder / name for name in changed), *stale]


def _others(folder: Path, files: Mapping[str, str]) -> list[Path]:
    is_module = any(name.endswith(".tf") for name in files)
    return [path for path in sorted(folder.glob("*.tf")) if is_module and path.name not in files]


def _current(path: Path) -> bytes | None:
    """What a file holds, None where there is none; what can't be read isn't ours."""
    if not os.path.lexists(path):
        return None
    try:
        return read_file(path)
    except SourceError:
        return b""


def _is_ours(content: bytes | None) -> bool:
    first = (content or b"").partition(b"\n")[0]
    return content is None or HEADER.removeprefix("# ").encode() in first
