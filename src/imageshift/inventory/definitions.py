"""CustomResourceDefinitions as a source of rows: those in the tree, and those that a user names."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, field

from imageshift.data.image_field import ImageField
from imageshift.errors import SourceError
from imageshift.inventory.objects import objects
from imageshift.lazy import lazy_re
from imageshift.repo.read import read_below, read_file
from imageshift.repo.workspace import Workspace
from imageshift.sites.definitions import definition_fields
from imageshift.sites.model import Resource, resource_of
from imageshift.source import Mapping, SourceText, split_documents

__all__ = ["Definitions", "read_definitions"]

_KIND = "CustomResourceDefinition"
_NAMED = lazy_re(rb"""kind["']?[ \t]*:[ \t]*["']?([\w-]+)""")
_ENDINGS = (".yaml", ".yml", ".json")
# Charts put conditions around a CRD and names into its labels; neither is part of its schema.
_TEMPLATE_LINE = lazy_re(r"^[ \t]*\{\{[^\r\n]*\}\}[ \t]*$", re.MULTILINE)
_TEMPLATE = lazy_re(r"\{\{[^{}\r\n]*\}\}")


class Definitions(Struct, frozen=True):
    """The files that may define kinds, and what they were found to say about each kind."""

    workspace: Workspace
    files: list[str]
    _known: dict[tuple[str, str], tuple[ImageField, ...]] = field(default_factory=dict)
    _by_kind: dict[bytes, list[str]] = field(default_factory=dict)

    def rows(self, resource: Resource) -> tuple[ImageField, ...]:
        """Return the image fields of a kind; none where no CRD in the tree defines it."""
        key = resource.group, resource.kind
        if key not in self._known:
            self._known[key] = tuple(self._read(resource)) if resource.group else ()
        return self._known[key]

    def _read(self, resource: Resource) -> Iterable[ImageField]:
        name = re.compile(rf"""kind["']?[ \t]*:[ \t]*["']?{re.escape(resource.kind)}\b""")

        def defines(text: str) -> bool:
            return resource.group in text and name.search(text) is not None

        names = resource.group, resource.kind
        rows = (row for file in self._files(resource.kind) for row in self._rows(file, defines))
        return _unique(row for row in rows if (row.group, row.kind) == names)

    def _files(self, kind: str) -> list[str]:
        """The files that may define a kind: most are long, and define others."""
        if not self._by_kind:
            for file in self.files:
                for name in self._kinds(file):
                    self._by_kind.setdefault(name, []).append(file)
        return self._by_kind.get(kind.encode(), [])

    def _kinds(self, file: str) -> set[bytes]:
        with suppress(SourceError):
            return set(_NAMED.findall(self.workspace.read(file)))
        return set()

    def _rows(self, file: str, wanted: Callable[[str], bool]) -> Iterator[ImageField]:
        with suppress(SourceError):
            yield from _rows(self.workspace.read(file), file, wanted)


def read_definitions(path: Path, root: Path | None = None) -> list[ImageField]:
    """Return the image fields of the CRDs in a file, or in all files of a folder.

    With a `root` nothing outside it is read.

    Raises:
        SourceError: a file can't be read.
    """
    found: list[ImageField] = []
    for file in _files(path):
        content = read_file(file) if root is None else read_below(root, str(file))
        found += _rows(content, file.name, lambda _text: True)
    return list(_unique(found))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            if name.endswith(_ENDINGS):
                yield Path(folder) / name


def _rows(content: bytes, source: str, wanted: Callable[[str], bool]) -> Iterator[ImageField]:
    """The image fields of the definitions in a content whose text is wanted."""
    if _KIND.encode() not in content:
        return
    for root in _definitions(content, wanted):
        yield from definition_fields(root, source)


def _definitions(content: bytes, wanted: Callable[[str], bool]) -> Iterator[Mapping]:
    try:
        text = SourceText.decode(content).text
    except SourceError:
        return
    if "{{" in text:
        text = _TEMPLATE.sub("x", _TEMPLATE_LINE.sub("", text))
    for chunk in split_documents(SourceText(text)):
        if _KIND not in chunk.text or not wanted(chunk.text):
            continue
        try:
            documents = chunk.documents()
        except SourceError:
            continue
        for root in (root for document in documents for root in objects(document.root)):
            if resource_of(root).kind == _KIND:
                yield root


def _unique(rows: Iterable[ImageField]) -> Iterable[ImageField]:
    """One row for each field, the first one."""
    found: dict[tuple[str, str, str], ImageField] = {}
    for row in rows:
        found.setdefault((row.group, row.kind, row.path), row)
    return found.values()
