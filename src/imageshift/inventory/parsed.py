"""Files, decoded, cut into documents and parsed once for most of their readers.

The last small files are kept, and others as long as somebody holds them. Who reads any other
file again gets new nodes of it.
"""

from collections import OrderedDict
from threading import Lock
from weakref import WeakValueDictionary

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.source import Chunk, Document, SourceText, split_documents

__all__ = ["Parsed", "ParsedFile", "read_parsed"]

_SMALL = 64 * 1024
_KEPT = 8 * 1024 * 1024
# Charts are solved in threads, which wait for each other's file instead of parsing it twice.
_one_at_a_time = Lock()


class Parsed:
    """A chunk that is parsed when its documents are asked for first, and then keeps them."""

    __slots__ = ("_found", "chunk", "text")

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk
        self.text = chunk.text
        self._found: list[Document] | SourceError | None = None

    def documents(self) -> list[Document]:
        """As `Chunk.documents`.

        Raises:
            SourceError: as that.
        """
        with _one_at_a_time:
            if self._found is None:
                self._found = self._parsed()
        if isinstance(self._found, SourceError):
            raise self._found
        return self._found

    def _parsed(self) -> list[Document] | SourceError:
        try:
            return self.chunk.documents()
        except SourceError as error:
            return error


class ParsedFile(Struct, frozen=True, weakref=True):
    """A file's text and the stretches of it that are parsed by themselves.

    Nodes don't keep their file: whoever keeps nodes that others read as well holds it too.
    """

    source: SourceText
    chunks: tuple[Parsed, ...]

    @classmethod
    def of(cls, content: bytes) -> "ParsedFile":
        """The text of a content.

        Raises:
            SourceError: it is not UTF-8.
        """
        source = SourceText.decode(content)
        return cls(source, tuple(map(Parsed, split_documents(source))))


class _Kept:
    """What was read last, up to a number of bytes: trees take many times the memory of texts."""

    def __init__(self) -> None:
        self._last = OrderedDict[tuple[str, bytes], ParsedFile]()
        self._held = WeakValueDictionary[tuple[str, bytes], ParsedFile]()
        self._size = 0

    def read(self, file: str, content: bytes) -> ParsedFile:
        # By the name too: nodes of two files have to differ though their contents don't.
        key = file, content
        with _one_at_a_time:
            found = self._last.get(key) or self._held.get(key)
            if found is None:
                found = self._held[key] = ParsedFile.of(content)
            if len(content) <= _SMALL:
                self._keep(key, found)
        return found

    def _keep(self, key: tuple[str, bytes], found: ParsedFile) -> None:
        if key not in self._last:
            self._size += len(key[1])
        self._last[key] = found
        self._last.move_to_end(key)
        while self._size > _KEPT:
            (_, oldest), _ = self._last.popitem(last=False)
            self._size -= len(oldest)


_kept = _Kept()


def read_parsed(file: str, content: bytes) -> ParsedFile:
    """A file's content, as it was parsed before where that is kept or held.

    Raises:
        SourceError: it is not UTF-8.
    """
    return _kept.read(file, content)
