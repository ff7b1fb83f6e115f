"""Files that decide over others, cut into documents and parsed once for their readers.

The scan of a file's own sites parses anew: what it says of a node and what others say of it are
told apart by the node.
"""

from functools import lru_cache

from imageshift.errors import SourceError
from imageshift.source import Chunk, Document, SourceText, split_documents

__all__ = ["Parsed", "read_chunks"]

_SMALL = 64 * 1024
_KEPT = 4096


class Parsed:
    """A chunk that is parsed when its documents are asked for first, and then keeps them."""

    __slots__ = ("_chunk", "_found", "text")

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self.text = chunk.text
        self._found: list[Document] | SourceError | None = None

    def documents(self) -> list[Document]:
        """As `Chunk.documents`.

        Raises:
            SourceError: as that.
        """
        if self._found is None:
            try:
                self._found = self._chunk.documents()
            except SourceError as error:
                self._found = error
        if isinstance(self._found, SourceError):
            raise self._found
        return self._found


def read_chunks(file: str, content: bytes) -> tuple[Parsed, ...]:
    """The chunks of a file's content; those of small files are kept for a while.

    Raises:
        SourceError: it is no UTF-8.
    """
    return _kept(file, content) if len(content) <= _SMALL else _cut(content)


# By the name too: nodes of two files have to differ though their contents don't.
@lru_cache(maxsize=_KEPT)
def _kept(_file: str, content: bytes) -> tuple[Parsed, ...]:
    return _cut(content)


def _cut(content: bytes) -> tuple[Parsed, ...]:
    return tuple(map(Parsed, split_documents(SourceText.decode(content))))
