"""One side of a proof: a tree with its index, and the objects that are known of it."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from imageshift.errors import SourceError
from imageshift.inventory import Index, build_index
from imageshift.kustomize.reach import Reach
from imageshift.kustomize.sources import gathered
from imageshift.verify.kustomize import is_manifest
from imageshift.verify.model import Plain, decoded, object_name
from imageshift.verify.objects import read_objects
from imageshift.workspace import Workspace

__all__ = ["Catalog", "Tree", "data_of"]

_KINDS = ("ConfigMap", "Secret", "HelmRepository", "OCIRepository", "HelmChart", "GitRepository")
_WORDS = tuple(kind.encode() for kind in _KINDS)


class Tree(Struct):
    """A tree on disk."""

    index: Index
    reach: Reach
    _closures: dict[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def open(cls, root: Path, exclude: Iterable[str] = ()) -> "Tree":
        """The tree below a folder."""
        workspace = Workspace(root, tuple(exclude))
        index = build_index(workspace, workspace.walk())
        return cls(index, Reach(index))

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.index.workspace.root

    def closure(self, folder: str) -> frozenset[str]:
        """The files that building a folder takes in; none that it leaves out."""
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

    def objects(self, file: str) -> list[Plain]:
        """The objects of a file; none when it can't be read."""
        content = self.read(file)
        try:
            return [] if content is None else read_objects(content.decode())
        except (SourceError, UnicodeDecodeError):
            return []


class Catalog(Struct, dict=True):
    """The objects that others refer to by name: built ones first, else those in the files."""

    tree: Tree
    _built: dict[tuple[str, str], list[Plain]] = field(default_factory=dict)

    def add(self, objects: Iterable[Plain]) -> None:
        """Knows more objects."""
        for data in objects:
            if data.get("kind") in _KINDS:
                name = object_name(data)
                self._built.setdefault((name.kind, name.name), []).append(data)

    def find(self, kind: str, namespace: str, name: str) -> Plain | None:
        """An object by its name; one in the same namespace is preferred."""
        for known in (self._built, self._written):
            found = known.get((kind, name), [])
            same = [data for data in found if object_name(data).namespace == namespace]
            if found:
                return (same or found)[0]
        return None

    @cached_property
    def _written(self) -> dict[tuple[str, str], list[Plain]]:
        found: dict[tuple[str, str], list[Plain]] = {}
        for file in self.tree.index.files:
            content = self.tree.read(file) or b""
            if any(word in content for word in _WORDS):
                for data in self.tree.objects(file):
                    if data.get("kind") in _KINDS:
                        name = object_name(data)
                        found.setdefault((name.kind, name.name), []).append(data)
        return found


def data_of(data: Plain) -> dict[str, str] | None:
    """The texts in a ConfigMap or Secret; None when they are encrypted."""
    if "sops" in data:
        return None
    found: dict[str, str] = {}
    if data.get("kind") == "Secret":
        found |= {key: decoded(value) for key, value in _texts(data.get("data")).items()}
        return found | _texts(data.get("stringData"))
    return found | _texts(data.get("data"))


def _texts(data: Any) -> dict[str, str]:
    if not isinstance(data, Mapping):
        return {}
    return {str(key): _spelled(value) for key, value in data.items()}


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
