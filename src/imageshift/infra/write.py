"""Writing generated files, without touching those that people made."""

from collections.abc import Mapping
from pathlib import Path

from imageshift.errors import ConfigError
from imageshift.infra.render import HEADER

__all__ = ["write_files"]


def write_files(files: Mapping[str, str], folder: Path, *, force: bool = False) -> list[Path]:
    """Writes the files whose text has changed, and says which.

    A `.tf` file of an earlier run that the module no longer has is removed, and named too.

    Raises:
        ConfigError: a file of that name isn't one that imageshift wrote (`force` replaces it),
            or the folder can't be written.
    """
    changed = [folder / name for name, text in files.items() if _current(folder / name) != text]
    foreign = [path for path in changed if not force and not _is_ours(path)]
    if foreign:
        names = "\n".join(f"{path}:1:1: this file isn't imageshift's own" for path in foreign)
        raise ConfigError(names, hint="choose another --out, or --force to replace it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in changed:
            path.write_text(files[path.name], encoding="utf-8", newline="\n")
        stale = [path for path in _modules(folder, files) if HEADER in (_current(path) or "")]
        for path in stale:
            path.unlink()
    except OSError as error:
        raise ConfigError(f"{folder}: it can't be written: {error.strerror}") from None
    return [*changed, *stale]


def _modules(folder: Path, files: Mapping[str, str]) -> list[Path]:
    is_module = any(name.endswith(".tf") for name in files)
    return [path for path in sorted(folder.glob("*.tf")) if is_module and path.name not in files]


def _current(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except (OSError, UnicodeDecodeError):
        return ""


def _is_ours(path: Path) -> bool:
    text = _current(path)
    first = (text or "").partition("\n")[0]
    return text is None or HEADER.removeprefix("# ") in first
