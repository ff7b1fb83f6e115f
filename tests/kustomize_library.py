"""Real kustomize in this process: kubectl takes a hundred times as long, most of it to start."""

import ctypes
import functools
import json
import os
from pathlib import Path

__all__ = ["KustomizeError", "build_folder", "is_here"]

LIBRARY = Path(__file__).resolve().parent.parent / ".tools" / "lib" / "libkustomize.so"
OPTIONS = json.dumps({"load_restrictions": 1, "reorder": "unspecified"}).encode()


class KustomizeError(Exception):
    """kustomize refused a folder; the text is its own."""


def is_here() -> bool:
    """Whether scripts/fetch_tools.py has put the library here."""
    return LIBRARY.exists()


def build_folder(folder: Path) -> str:
    """Return what kustomize builds of a folder, without restricting what it loads.

    Raises:
        KustomizeError: it refuses.
    """
    library = _library()
    result = ctypes.c_void_p()
    code = library.pykustomize_build(os.fsencode(folder), OPTIONS, ctypes.byref(result))
    if code:
        raise KustomizeError((library.pykustomize_last_error() or b"").decode(errors="replace"))
    try:
        return ctypes.string_at(result).decode()
    finally:
        library.pykustomize_free(result)


@functools.cache
def _library() -> ctypes.CDLL:
    os.environ.setdefault("GOGC", "400")
    library = ctypes.CDLL(str(LIBRARY))
    library.pykustomize_build.argtypes = [
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.POINTER(ctypes.c_void_p),
    ]
    library.pykustomize_last_error.restype = ctypes.c_char_p
    library.pykustomize_free.argtypes = [ctypes.c_void_p]
    return library
