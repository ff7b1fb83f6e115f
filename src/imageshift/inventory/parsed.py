"""Files, decoded, cut into documents and parsed once for most of their readers.

Only the last small files are kept, so who reads a file again may get other nodes of it.
"""

from collections import OrderedDict
from threading import Lock

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


class ParsedFile(Struct, frozen=True):
    """A file's text and the stretches of it that are parsed by themselves."""

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
        self._files = OrderedDict[tuple[str, bytes], ParsedFile]()
        self._size = 0

    def read(self, file: str, content: bytes) -> ParsedFile:
        # By the name too: nodes of two files have to differ though their contents don't.
        key = file, content
        with _one_at_a_time:
            found = self._files.get(key)
            if found is None:
                found = self._files[key] = ParsedFile.of(content)
                self._size += len(content)
            self._files.move_to_end(key)
            while self._size > _KEPT:
                (_, oldest), _ = self._files.popitem(last=False)
                self._size -= len(oldest)
        return found


_kept = _Kept()


def read_parsed(file: str, content: bytes) -> ParsedFile:
    """A file's content; that of small files is kept for a while.

    Raises:
        SourceError: it is not UTF-8.
    """
    return _kept.read(file, content) if len(content) <= _SMALL else ParsedFile.of(content)
