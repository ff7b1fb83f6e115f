"""What `valuesFrom` of a release names: ConfigMaps, Secrets and generated ones of the tree (X1)."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property, lru_cache

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import generated_files, read_documents
from imageshift.source import Document, Mapping, Node, Scalar, Sequence, parse_embedded

__all__ = ["Holder", "ValueHolders", "ValueTexts", "held_text"]

_EMPTY = Mapping(0, None, flow=False)


class Holder(Struct, frozen=True):
    """A ConfigMap or Secret as it is written."""

    file: str
    document: Document
    root: Mapping


class ValueTexts(Struct, frozen=True):
    """Where the values that a release takes from elsewhere may be written.

    `files` are whole files of values, `places` scalars by file and offset.
    """

    files: tuple[str, ...]
    places: frozenset[tuple[str, int]]


class ValueHolders:
    """Finds them by name; which one a build takes is for those who ask."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.named = lru_cache(maxsize=64)(self._find)

    def _find(self, kind: str, name: str) -> list[Holder]:
        found: list[Holder] = []
        words = (kind.encode(), name.encode())
        for file in self._index.config_map_files:
            try:
                content = self._index.workspace.read(file)
            except SourceError:
                continue
            if all(word in content for word in words) and b"sops:" not in content:
                for document in read_documents(self._index.workspace, file):
                    for root in objects(document.root):
                        own = (root.mapping("metadata") or _EMPTY).text("name")
                        if root.text("kind") == kind and own == name:
                            found.append(Holder(file, document, root))
        return found

    def generated(self, name: str, key: str) -> list[tuple[str, str]]:
        """The files behind a key of generators with a name, and the folder of each generator."""
        return [(path, at) for made, k, path, at in self._generated if (made, k) == (name, key)]

    @cached_property
    def _generated(self) -> list[tuple[str, str, str, str]]:
        return [
            (made, made_key, path, found.folder)
            for found in self._index.kustomizations.values()
            for made, made_key, path in generated_files(found)
        ]

    def texts(self, release: Mapping) -> ValueTexts:
        """All that may be a part of a release's values, whichever build it is in."""
        files: list[str] = []
        places: set[tuple[str, int]] = set()
        for item in (release.mapping("spec") or _EMPTY).items("valuesFrom"):
            if isinstance(item, Mapping):
                name, key = item.text("name") or "", item.text("valuesKey") or "values.yaml"
                for holder in self.named(item.text("kind") or "", name):
                    text = held_text(holder.root, key)
                    places |= set() if text is None else set(_places(holder, text))
                files += (path for path, _ in self.generated(name, key))
        return ValueTexts(tuple(dict.fromkeys(files)), frozenset(places))


def held_text(root: Mapping, key: str) -> Scalar | None:
    """The text at a key of a ConfigMap or Secret, where it is written as it is."""
    part = "stringData" if root.text("kind") == "Secret" else "data"
    return (root.mapping(part) or _EMPTY).scalar(key)


def _places(holder: Holder, text: Scalar) -> Iterator[tuple[str, int]]:
    """The places of a text, and of the scalars in it."""
    yield holder.file, holder.document.offset(text.start)
    with suppress(SourceError):
        for inner in parse_embedded(holder.document, text):
            for scalar in _scalars(inner.root):
                yield holder.file, inner.offset(scalar.start)


def _scalars(node: Node | None) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for _, value in node.pairs():
            yield from _scalars(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _scalars(item)
