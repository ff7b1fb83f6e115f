"""What `valuesFrom` of a release names: ConfigMaps, Secrets and generated ones of the tree (X1)."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property, lru_cache

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.inventory import Index, KustomizationFile
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import generated_files, is_definition, read_documents
from imageshift.sites import resource_of
from imageshift.sites.kustomization import Literal, generator_literals
from imageshift.sites.model import below
from imageshift.source import Document, Mapping, Scalar, parse_embedded, walk
from imageshift.words import has_any

__all__ = ["ValueHolder", "ValueHolders", "ValueTexts"]


class ValueHolder(Struct, frozen=True):
    """A ConfigMap or Secret as it is written."""

    file: str
    document: Document
    root: Mapping

    def text(self, key: str) -> Scalar | None:
        """The text at a key, where it stands as it is."""
        part = "stringData" if self.root.text("kind") == "Secret" else "data"
        return below(self.root, part).scalar(key)

    def coded(self, key: str) -> Scalar | None:
        """A Secret's text at a key, in base64."""
        return below(self.root, "data").scalar(key) if self.root.text("kind") == "Secret" else None


class ValueTexts(Struct, frozen=True):
    """Where the values that a release takes from elsewhere may be written.

    `files` are whole files of values, `places` scalars by file and offset.
    """

    files: tuple[str, ...]
    places: frozenset[tuple[str, int]]


_Holders = dict[tuple[str, str], list[ValueHolder]]


class ValueHolders:
    """Finds them by name; which one a build takes is for those who ask.

    Encrypted ones are left out. What the releases of the tree name is found in one pass.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        named = (source.name for each in index.releases for source in each.values_from)
        self._names = frozenset(named)
        self._search = lru_cache(maxsize=64)(self._search_now)

    def named(self, kind: str, name: str) -> list[ValueHolder]:
        """The ConfigMaps or Secrets of a name, wherever they are in the tree."""
        names = self._names if name in self._names else frozenset({name})
        return self._search(names).get((kind, name), [])

    def generated(self, name: str, key: str) -> list[tuple[str, str]]:
        """The files behind a key of generators with a name, and the folder of each generator."""
        return [(path, at) for made, k, path, at in self._generated if (made, k) == (name, key)]

    def literals(self, name: str, key: str) -> list[tuple[KustomizationFile, Literal]]:
        """The literals behind a key of generators with a name."""
        return [each for each in self._literals if (each[1].name, each[1].key) == (name, key)]

    def texts(self, release: Mapping) -> ValueTexts:
        """All that may be a part of a release's values, whichever build it is in."""
        files: list[str] = []
        places: set[tuple[str, int]] = set()
        for item in below(release, "spec").items("valuesFrom"):
            if isinstance(item, Mapping):
                name, key = item.text("name") or "", item.text("valuesKey") or "values.yaml"
                for holder in self.named(item.text("kind") or "", name):
                    places.update(_places(holder, key))
                places.update(
                    (at.file, at.document.offset(literal.value.start))
                    for at, literal in self.literals(name, key)
                )
                files += (path for path, _ in self.generated(name, key))
        return ValueTexts(tuple(dict.fromkeys(files)), frozenset(places))

    @cached_property
    def _generated(self) -> list[tuple[str, str, str, str]]:
        return [
            (made, made_key, path, found.folder)
            for found in self._index.kustomizations.values()
            for made, made_key, path in generated_files(found)
        ]

    @cached_property
    def _literals(self) -> list[tuple[KustomizationFile, Literal]]:
        known = self._index.kustomizations.values()
        return [(found, literal) for found in known for literal in generator_literals(found.root)]

    def _search_now(self, names: frozenset[str]) -> _Holders:
        found: _Holders = {}
        spelled = {name.encode() for name in names}

        def is_wanted(text: str) -> bool:
            return has_any(text, names) and not is_definition(text)

        for file in self._index.config_map_files if names else ():
            for document in read_documents(self._index.workspace, file, is_wanted, names=spelled):
                for root in objects(document.root):
                    key = (root.text("kind") or "", resource_of(root).name)
                    if key[1] in names and root.get("sops") is None:
                        found.setdefault(key, []).append(ValueHolder(file, document, root))
        return found


def _places(holder: ValueHolder, key: str) -> Iterator[tuple[str, int]]:
    """The places of a text, and of the scalars in it."""
    text = holder.text(key)
    if text is None:
        return
    yield holder.file, holder.document.offset(text.start)
    with suppress(SourceError):
        for inner in parse_embedded(holder.document, text):
            for node in walk(inner.root):
                if isinstance(node, Scalar):
                    yield holder.file, inner.offset(node.start)
