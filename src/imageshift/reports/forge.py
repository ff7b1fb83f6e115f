"""Addresses of a file's lines where the code is hosted, as a CI system's variables tell."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from imageshift.lazy import lazy_re

__all__ = ["Link", "forge_link"]

Link = Callable[[str | None, int | None], str | None]
"""From a file and a line to an address; None where there is none."""

# The project's address, its commit, its folder on this machine, and what stands between.
_SYSTEMS = (
    ("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/blob/{GITHUB_SHA}", "GITHUB_WORKSPACE"),
    ("{CI_PROJECT_URL}/-/blob/{CI_COMMIT_SHA}", "CI_PROJECT_DIR"),
)
_PLACE = lazy_re(r"(?P<file>.*?)(?::(?P<line>\d+))?(?::\d+)?", re.DOTALL)


def forge_link(variables: Mapping[str, str]) -> Link:
    """A function that makes the addresses; outside a known CI system there are none.

    A file may carry its line, as `path:line` or `path:line:column`.
    """
    for address, folder in _SYSTEMS:
        try:
            base, root = address.format_map(variables), variables[folder]
        except KeyError:
            continue
        if base.startswith("https://") and not base.endswith("/"):
            return lambda file, line: _address(base, root, file, line)
    return lambda _file, _line: None


def _address(base: str, root: str, file: str | None, line: int | None) -> str | None:
    found = _PLACE.fullmatch(file or "")
    if not file or found is None:
        return None
    name = file if line else found["file"]
    below = os.path.relpath(Path.cwd().resolve() / name, Path(root).resolve())
    if below.startswith("../"):
        return None
    number = line or found["line"]
    return f"{base}/{quote(os.fsencode(below))}" + (f"#L{number}" if number else "")
