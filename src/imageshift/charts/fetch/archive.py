"""Chart archives: .tgz files from anywhere, read with limits while they are unpacked.

It is a reader of its own since Python's tarfile reads a header of any length, and follows what
one header says about all others; what it accepts is what Go's reader, and so Helm, accepts.
"""

import io
import posixpath
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from imageshift.charts.model import ChartError
from imageshift.lazy import lazy_re

__all__ = ["Budget", "chart_path", "read_archive"]

_BLOCK = 512
_LONGEST_HEADER = 64 * 1024
_MOST_FILES = 20_000
_FILES, _HEADER_ONLY = b"07\0", b"123456"
_PAX, _PAX_FOR_ALL, _LONG_NAME, _LONG_LINK, _SPARSE = b"xgLKS"
_OCTAL = lazy_re(rb"[ \0]*([0-7]*)[ \0]*")
_SIZE = lazy_re(r"\d{1,19}")
_DRIVE = lazy_re(r"[A-Za-z]:/")


class Budget:
    """The limits for all files of one chart together, including nested archives."""

    def __init__(self, most: int, files: int = _MOST_FILES) -> None:
        self._most = most
        self._left = most
        self._files = files

    def take(self, size: int, what: str) -> None:
        """Count bytes.

        Raises:
            ChartError: they are too many.
        """
        self._left -= size
        if self._left < 0:
            raise ChartError(f"{what}: unpacks to more than {self._most >> 20} MiB")

    def take_file(self, what: str) -> None:
        """Count a file or folder.

        Raises:
            ChartError: there are too many.
        """
        self._files -= 1
        if self._files < 0:
            raise ChartError(f"{what}: holds more than {_MOST_FILES:,} files")


def read_archive(data: bytes, what: str, budget: Budget) -> dict[str, bytes]:
    """The regular files of an archive by their path in its folder; of two of one path the last.

    Raises:
        ChartError: it can't be read, has a path outside its folder, or is more than the budget
            has left.
    """
    stream = _Gunzip(data) if data.startswith(b"\x1f\x8b") else io.BytesIO(data)
    reader = _Tar(io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream)
    found: dict[str, bytes] = {}
    try:
        for name, content in reader.files(what, budget):
            path = chart_path(name)
            if path:
                found[path] = content
    except (ValueError, zlib.error) as error:
        raise ChartError(f"{what}: not a chart archive: {error}") from None
    return found


def chart_path(name: bytes) -> str:
    """The path in a chart that the name of an archive's file has, without the archive's folder.

    It is empty for what is beside the folder. Bytes that aren't UTF-8 are written as `%FF`.

    Raises:
        ValueError: it leads out of the folder.
    """
    text = plain_name(name).replace("\\", "/")
    if text.startswith("/") or _DRIVE.match(text):
        raise ValueError(f"the path {text[:80]!r} is absolute")
    inside = posixpath.normpath(text.partition("/")[2] or ".")
    if inside.split("/")[0] == "..":
        raise ValueError(f"the path {text[:80]!r} leads out of the chart")
    return "" if inside == "." else inside


def plain_name(name: bytes) -> str:
    r"""A file's name as text that can be printed and written anywhere.

    >>> plain_name(b"a\xff.yaml")
    'a%FF.yaml'
    """
    text = name.decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda found: f"%{ord(found[0]) - 0xDC00:02X}", text)


class _Gunzip(io.RawIOBase):
    """The first member of gzip data, unpacked as far as it is read."""

    def __init__(self, data: bytes) -> None:
        self._packed = io.BytesIO(data)
        self._left = b""
        self._unpack = zlib.decompressobj(wbits=31)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        while not self._unpack.eof:
            self._left = self._left or self._packed.read(_LONGEST_HEADER)
            if not self._left:
                raise ValueError("it is truncated")
            made = self._unpack.decompress(self._left, len(buffer))
            self._left = self._unpack.unconsumed_tail
            if made:
                buffer[: len(made)] = made
                return len(made)
        return 0


class _Tar:
    """The files of a tar archive, one after the other."""

    def __init__(self, stream: BinaryIO | io.BufferedIOBase) -> None:
        self._stream = stream

    def files(self, what: str, budget: Budget) -> Iterator[tuple[bytes, bytes]]:
        """Name and content of each regular file.

        Raises:
            ChartError: the budget is spent.
            ValueError: the archive isn't well formed, or holds what no chart does.
        """
        said: dict[str, bytes] = {}
        for header in self._headers(what, budget):
            kind = header[156]
            size = 0 if kind in _HEADER_ONLY else _size(header, said)
            budget.take(size, what)
            if kind in (_PAX, _PAX_FOR_ALL, _LONG_NAME, _LONG_LINK):
                said |= _said(kind, self._content(size, _LONGEST_HEADER))
                continue
            budget.take_file(what)
            if kind == _SPARSE or any(key.startswith("GNU.sparse") for key in said):
                raise ValueError("it contains a sparse file")
            name, content = said.get("path") or _name(header), self._content(size)
            if kind in _FILES and not name.endswith(b"/"):
                yield name, content
            said = {}

    def _headers(self, what: str, budget: Budget) -> Iterator[bytes]:
        first = True
        while len(header := self._stream.read(_BLOCK)) == _BLOCK and any(header):
            budget.take(_BLOCK, what)
            if _octal(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * 32:
                raise ValueError("a header is damaged")
            yield header
            first = False
        if first and len(header) < _BLOCK:
            raise ValueError("it is too short")

    def _content(self, size: int, most: int | None = None) -> bytes:
        if most is not None and size > most:
            raise ValueError(f"a header has more than {most >> 10} KiB")
        content = self._stream.read(size)
        if len(content) < size:
            raise ValueError("it ends inside a file")
        self._stream.read(-size % _BLOCK)
        return content


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _size(header: bytes, said: dict[str, bytes]) -> int:
    given = said.get("size")
    if given is not None:
        text = given.decode("ascii", "replace")
        if _SIZE.fullmatch(text) is None:
            raise ValueError("a size isn't a number")
        return int(text)
    field = header[124:136]
    if field[0] & 0x80:
        # GNU's way to write what octal digits can't; with the next bit it is negative.
        if field[0] & 0x40:
            raise ValueError("a size is negative")
        return int.from_bytes(bytes([field[0] & 0x3F]) + field[1:])
    return _octal(field)


def _octal(field: bytes) -> int:
    found = _OCTAL.fullmatch(field)
    if found is None:
        raise ValueError("a header is damaged")
    return int(found[1] or b"0", 8)


def _said(kind: int, content: bytes) -> dict[str, bytes]:
    """What an extended header says about the file after it."""
    if kind == _LONG_NAME:
        return {"path": content.partition(b"\0")[0]}
    return dict(_records(content)) if kind == _PAX else {}


def _records(content: bytes) -> Iterator[tuple[str, bytes]]:
    position = 0
    while position < len(content):
        digits = content[position : position + 6].partition(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        record = content[position : position + length]
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if len(record) != length or not equals or b"\0" in value:
            raise ValueError("an extended header is damaged")
        yield key.decode("utf-8", "replace"), value
        position += length
