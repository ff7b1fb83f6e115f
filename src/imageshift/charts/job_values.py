"""Values that a chart's Jobs use, as far as its templates tell without being rendered (X11)."""

import re
from collections.abc import Iterator, Sequence

from imageshift.charts.layers import scalars
from imageshift.charts.value_stacks import ValuesLayer
from imageshift.inventory import Index
from imageshift.links.disk import read_text
from imageshift.links.model import SiteKey

__all__ = ["JobValues"]

_DOCUMENT = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_JOB = re.compile(r"^kind:[ \t]*[\"']?Job\b", re.MULTILINE)
_REMADE = re.compile(r"helm\.sh/hook|argocd\.argoproj\.io/hook|generateName:|Replace=true")
_PATH = re.compile(r"\.Values((?:\.\w+)+)")
_NOTE = (
    "the chart's template {} has a Job that uses it, and applied Jobs can't be changed: only "
    "rendering tells whether this one is applied again"
)

_Path = tuple[str, ...]


class JobValues:
    """Looks into the templates of charts in the tree, each once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._known: dict[str, dict[_Path, str]] = {}

    def held(self, layers: Sequence[ValuesLayer]) -> Iterator[tuple[SiteKey, str]]:
        """The texts of one chart's layers that a Job of it may run, each with why it is unsure."""
        folders = {each.file.rpartition("/")[0] for each in layers if each.in_chart}
        used = {path: note for folder in folders for path, note in self._of(folder, folders)}
        for layer in layers if used else ():
            for path, scalar in scalars(layer.values):
                steps = tuple(map(str, path))
                ends = (steps[:end] for end in range(1, len(steps) + 1))
                note = next((used[end] for end in ends if end in used), None)
                if note is not None:
                    yield layer.key(scalar), note

    def _of(self, folder: str, folders: set[str]) -> Iterator[tuple[_Path, str]]:
        """A chart's paths as its topmost parent sees them."""
        top, _, name = folder.rpartition("/charts/")
        above = (name,) if top in folders else ()
        yield from (((*above, *path), note) for path, note in self._read(folder).items())

    def _read(self, folder: str) -> dict[_Path, str]:
        if folder not in self._known:
            inside = self._index.folders.get(f"{folder}/templates".lstrip("/"))
            files = [] if inside is None else inside.files
            self._known[folder] = {path: note for file in files for path, note in self._paths(file)}
        return self._known[folder]

    def _paths(self, file: str) -> Iterator[tuple[_Path, str]]:
        for document in _DOCUMENT.split(read_text(self._index, file)):
            if _JOB.search(document) and not _REMADE.search(document):
                for found in _PATH.findall(document):
                    yield tuple(found[1:].split(".")), _NOTE.format(file)
