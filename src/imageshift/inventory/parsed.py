"""Files, decoded, cut into documents and parsed once for all their readers."""

from functools import lru_cache

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.source import Chunk, Document, SourceText, split_documents

__all__ = ["Parsed", "ParsedFile", "read_parsed"]

_SMALL = 64 * 1024
_KEPT = 4096


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
        if self._found is None:
            try:
                self._found = self.chunk.documents()
            except SourceError as error:
                self._found = error
        if isinstance(self._found, SourceError):
            raise self._found
        return self._found


class ParsedFile(Struct, frozen=True):
    """A file's text and the stretches of it that are parsed by themselves."""

    source: SourceText
    chunks: tuple[Parsed, ...]


def read_parsed(file: str, content: bytes) -> ParsedFile:
    """A file's content; that of small files is kept for a while.

    Raises:
        SourceError: it is no UTF-8.
    """
    return _kept(file, content) if len(content) <= _SMALL else _cut(content)


# By the name too: nodes of two files have to differ though their contents don't.
@lru_cache(maxsize=_KEPT)
def _kept(_file: str, content: bytes) -> ParsedFile:
    return _cut(content)


def _cut(content: bytes) -> ParsedFile:
    source = SourceText.decode(content)
    return ParsedFile(source, tuple(map(Parsed, split_documents(source))))
