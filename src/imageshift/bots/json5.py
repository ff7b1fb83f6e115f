"""JSON5 with the place of every member, so that a text can be changed without losing comments."""

import re
from collections.abc import Iterator

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.lazy import lazy_re

__all__ = ["Member", "Node", "parse", "without_comments"]

_DEPTH = 100
_BLANK = lazy_re(r"(?:[\s\ufeff]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_COMMENT = lazy_re(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRING = lazy_re(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'", re.DOTALL)
_WORD = lazy_re(r"[\w$+.-]+")
_ESCAPE = lazy_re(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}


class Member(Struct, frozen=True):
    """One member of an object, with the place where its key begins."""

    key: str
    start: int
    node: "Node"


class Node(Struct, frozen=True):
    """A value with its place. `members` is None for what isn't an object; `value` is plain data."""

    start: int
    end: int
    value: object
    members: tuple[Member, ...] | None = None

    def get(self, key: str) -> "Node | None":
        """The value of a key; of a key that appears twice, the last one, as JavaScript has it."""
        found = [member.node for member in self.members or () if member.key == key]
        return found[-1] if found else None


def parse(text: str) -> Node:
    """The value that a whole text holds.

    Raises:
        SourceError: the text isn't JSON5; it has line and column.
    """
    reader = _Reader(text)
    node = reader.value(reader.skip(0), 0)
    end = reader.skip(node.end)
    if end < len(text):
        raise reader.error("unexpected text after the value", end)
    return node


def without_comments(text: str) -> str:
    """A part of a text that holds no string, without its comments."""
    return _COMMENT.sub("", text)


class _Reader(Struct, frozen=True):
    text: str

    def skip(self, at: int) -> int:
        """The place behind blanks and comments."""
        found = _BLANK.match(self.text, at)
        return at if found is None else found.end()

    def error(self, message: str, at: int) -> SourceError:
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        return SourceError(message, line=line, column=column)

    def value(self, at: int, depth: int) -> Node:
        if depth > _DEPTH:
            raise self.error("nested too deeply", at)
        if self.text.startswith("{", at):
            return self._object(at, depth)
        if self.text.startswith("[", at):
            return self._array(at, depth)
        return self._scalar(at)

    def _object(self, at: int, depth: int) -> Node:
        members: list[Member] = []
        for start in (steps := _Steps(self, at + 1, "}")):
            key = self._scalar(start)
            colon = self.skip(key.end)
            if not self.text.startswith(":", colon):
                raise self.error("a colon is missing", colon)
            node = self.value(self.skip(colon + 1), depth + 1)
            members.append(Member(str(key.value), start, node))
            steps.at = node.end
        data = {member.key: member.node.value for member in members}
        return Node(at, steps.at, data, tuple(members))

    def _array(self, at: int, depth: int) -> Node:
        items: list[Node] = []
        for start in (steps := _Steps(self, at + 1, "]")):
            items.append(self.value(start, depth + 1))
            steps.at = items[-1].end
        return Node(at, steps.at, [item.value for item in items])

    def _scalar(self, at: int) -> Node:
        found = _STRING.match(self.text, at)
        if found is not None:
            inner = found[1] if found[1] is not None else found[2]
            return Node(at, found.end(), _ESCAPE.sub(_unescaped, inner))
        word = _WORD.match(self.text, at)
        if word is None:
            raise self.error("no value", at)
        return Node(at, word.end(), word[0])


class _Steps(Struct):
    """The places of the items up to a closing sign; `at` is moved behind each by whoever reads."""

    reader: _Reader
    at: int
    closing: str

    def __iter__(self) -> Iterator[int]:
        text, first = self.reader.text, True
        while True:
            place = self.reader.skip(self.at)
            if not first and text.startswith(",", place):
                place = self.reader.skip(place + 1)
            elif not first and not text.startswith(self.closing, place):
                raise self.reader.error(f"a comma or {self.closing} is missing", place)
            if text.startswith(self.closing, place):
                self.at = place + 1
                return
            first = False
            yield place


def _unescaped(found: re.Match[str]) -> str:
    sign = found[1]
    if sign[0] in "ux" and len(sign) > 1:
        return chr(int(sign[1:], 16))
    return "" if sign in {"\n", "\r\n"} else _ESCAPES.get(sign, sign)
