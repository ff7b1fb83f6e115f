"""Which file of another tool names a file: a Makefile, Terraform, a workflow, skaffold and such.

They are read as text, and only where the report has to say something of a file that looks like
Helm values and that no object names.
"""

import posixpath
from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.inventory.index import Index
from imageshift.lazy import lazy_re
from imageshift.sites.other_formats import format_of_file

__all__ = ["Callers"]

_FORMATS = {"CI", "Terraform", "script"}
_TOOLS = lazy_re(
    r"(?:^|/)(?:skaffold|devspace|Taskfile|vendir|werf|garden|cloudbuild|tilt_config)[^/]*\.ya?ml$"
)
# A variable before a path is most often the folder of the file itself, or the root.
_PATH = lazy_re(r"(?<![\w./-])(?:\$\w++)?/?(?P<path>[\w.-][\w./-]*\.(?:ya?ml|json))\b")


class Callers(Struct, dict=True, frozen=True):
    """The files that other tools name, and plugins of Argo CD's Applications."""

    index: Index

    def of(self, file: str) -> str | None:
        """`FILE:LINE` of the first text that names a file; None where there is none."""
        return self._named.get(file)

    @cached_property
    def _named(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for tool in self._tools():
            try:
                text = self.index.workspace.read_other(tool).decode(errors="replace")
            except SourceError:
                continue
            for number, line in enumerate(text.splitlines(), 1):
                for path in _paths(tool, line):
                    found.setdefault(path, f"{tool}:{number}")
        return found

    def _tools(self) -> Iterable[str]:
        others = self.index.workspace.others()
        tools = (file for file in self.index.files if _TOOLS.search(file))
        applications = (application.file for application in self.index.applications)
        found = (file for file in others if format_of_file(file) in _FORMATS)
        return sorted({*found, *tools, *applications})


def _paths(tool: str, line: str) -> Iterator[str]:
    """The files that a line may name: below the tool's own folder, and below the root."""
    for found in _PATH.finditer(line):
        for folder in (posixpath.dirname(tool), ""):
            yield posixpath.normpath(posixpath.join(folder, found["path"]))
