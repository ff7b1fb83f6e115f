"""One side of a proof: a tree with its index."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from imageshift.charts.rendering.go_templates import GoTemplates
from imageshift.errors import SourceError
from imageshift.inventory import Index, build_index
from imageshift.links.reach import Reach
from imageshift.links.sources import gathered
from imageshift.repo.workspace import Workspace
from imageshift.source import hide_secrets
from imageshift.verify.kustomize import is_manifest
from imageshift.verify.model import Plain
from imageshift.verify.objects import read_objects

__all__ = ["Tree"]


class Tree(Struct):
    """A tree on disk."""

    index: Index
    reach: Reach
    _closures: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def open(cls, root: Path, exclude: Iterable[str] = (), clusters: Iterable[str] = ()) -> "Tree":
        """The tree below a folder; `clusters` are those that Argo CD is said to know."""
        workspace = Workspace(root, tuple(exclude))
        index = Index(workspace, fill=GoTemplates().fill, clusters=tuple(clusters))
        index = build_index(workspace, workspace.walk(), index)
        return cls(index, Reach(index))

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.index.workspace.root

    def closure(self, folder: str) -> frozenset[str]:
        """The files that building a folder includes; none that it leaves out."""
        known = self.index.kustomizations
        if folder in known:
            return self.reach.closure(folder)
        if folder not in self._closures:
            found = self.gathered(folder)
            below = (self.reach.closure(name) for name in found if name in known)
            files = frozenset(name for name in found if name not in known)
            self._closures[folder] = files.union(*below)
        return self._closures[folder]

    def gathered(self, folder: str) -> list[str]:
        """What Flux takes of a folder without a kustomization: folders with one, and manifests."""
        folders, files = gathered(self.index, folder)
        manifests = (
            file for file in files if is_manifest((self.read(file) or b"").decode(errors="replace"))
        )
        return [*folders, *manifests]

    def read(self, file: str) -> bytes | None:
        """The bytes of a file, None when it isn't there or can't be read."""
        try:
            return self.index.workspace.read(file)
        except SourceError:
            return None

    def clear_texts(self) -> Iterator[str]:
        """The texts of its files without the values of Secrets and what generators make such of."""
        hidden = {path for file in self.index.files for path in self._secret_files(file)}
        for file in self.index.files:
            content = None if file in hidden else self.read(file)
            if content is not None:
                with suppress(SourceError):
                    yield hide_secrets(content, content)[0].decode(errors="replace")

    def _secret_files(self, file: str) -> Iterator[str]:
        """The files that a kustomization makes Secrets of."""
        if b"ecretGenerator" not in (self.read(file) or b""):
            return
        for data in self.objects(file):
            listed = data.get("secretGenerator")
            for item in listed if isinstance(listed, list) else [data]:
                for path in _paths(item):
                    yield posixpath.normpath(posixpath.join(posixpath.dirname(file), path))

    def objects(self, file: str) -> list[Plain]:
        """The objects of a file; none when it can't be read."""
        content = self.read(file)
        try:
            return [] if content is None else read_objects(content.decode())
        except (SourceError, ValueError, RecursionError):
            return []


def _paths(generator: Any) -> Iterator[str]:
    """The files that a generator takes, `key=path` or `path`."""
    for key in ("files", "envs", "env") if isinstance(generator, Mapping) else ():
        given = generator.get(key) or []
        yield from (str(each).rpartition("=")[2] for each in _as_list(given))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
