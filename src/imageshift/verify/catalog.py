"""The objects that others refer to by name, those that are built nearest first."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from imageshift.verify.model import Plain, decoded, object_name
from imageshift.verify.tree import Tree
from imageshift.words import has_any

__all__ = ["Catalog", "Lookup", "Spot", "data_of"]

_KINDS = ("ConfigMap", "Secret", "HelmRepository", "OCIRepository", "HelmChart", "GitRepository")
_WORDS = tuple(kind.encode() for kind in _KINDS)


class Spot(Struct, frozen=True):
    """Where an object is from: the file that says so, and what makes it.

    `build` is the build itself, `top` the first of those that led to it; what is only written
    has neither.
    """

    file: str
    build: str = ""
    top: str = ""

    def nearness(self, other: "Spot") -> tuple[bool, bool, int]:
        """How near another spot is; clusters name their own objects alike."""
        folders = [spot.file.split("/")[:-1] for spot in (self, other)]
        shared = 0
        for one, two in zip(*folders, strict=False):
            if one != two:
                break
            shared += 1
        return bool(self.build) and self.build == other.build, self.top == other.top, shared


class Catalog(Struct, dict=True):
    """All objects of a tree that others refer to, each with its spot."""

    tree: Tree
    _built: dict[tuple[str, str], list[tuple[Spot, Plain]]] = field(default_factory=dict)

    def add(self, objects: Iterable[Plain], spot: Spot) -> None:
        """Knows more objects."""
        for key, data in _named(objects):
            self._built.setdefault(key, []).append((spot, data))

    def near(self, spot: Spot) -> "Lookup":
        """The catalog as seen from a spot."""
        return Lookup(self, spot)

    def built(self, kind: str, name: str) -> list[tuple[Spot, Plain]]:
        """The built objects of a name."""
        return self._built.get((kind, name), [])

    def written(self, kind: str, name: str) -> list[tuple[Spot, Plain]]:
        """The objects of a name as the files have them."""
        return self._written.get((kind, name), [])

    @cached_property
    def _written(self) -> dict[tuple[str, str], list[tuple[Spot, Plain]]]:
        found: dict[tuple[str, str], list[tuple[Spot, Plain]]] = {}
        for file in self.tree.index.files:
            content = self.tree.read(file) or b""
            if has_any(content, _WORDS):
                for key, data in _named(self.tree.objects(file)):
                    found.setdefault(key, []).append((Spot(file), data))
        return found


class Lookup(Struct, frozen=True):
    """What a build or a release finds by name from where it is."""

    catalog: Catalog
    spot: Spot

    @property
    def tree(self) -> Tree:
        """The tree of the catalog."""
        return self.catalog.tree

    def find(self, kind: str, namespace: str, name: str) -> Plain | None:
        """The object of a name: one in the same namespace, built together, or written near."""
        found = self.catalog.built(kind, name)
        if all(spot.top != self.spot.top for spot, _ in found):
            found = [*found, *self.catalog.written(kind, name)]

        def rank(item: tuple[Spot, Plain]) -> tuple[bool, bool, bool, int]:
            spot, data = item
            return object_name(data).namespace == namespace, *self.spot.nearness(spot)

        return max(found, key=rank)[1] if found else None


def _named(objects: Iterable[Plain]) -> Iterator[tuple[tuple[str, str], Plain]]:
    for data in objects:
        if data.get("kind") in _KINDS:
            name = object_name(data)
            yield (name.kind, name.name), data


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
