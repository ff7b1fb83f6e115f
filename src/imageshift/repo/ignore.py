r"""Patterns of ignore files, read exactly as Git reads them.

Follows Git's `dir.c` (`parse_path_pattern`, `last_matching_pattern_from_list`) and `wildmatch.c`.
A pattern matches a path itself, not what is below it: whoever walks stops at an excluded
folder, so nothing under one can be taken back. Bytes are matched, as by Git: `?` is one byte.

>>> Patterns.read(b"*\n!*/\n!*.yaml\n").verdict(b"apps", folder=True)
False
"""

import re
from collections.abc import Iterator
from itertools import groupby

from msgspec import Struct

from imageshift.lazy import lazy_re

__all__ = ["Patterns"]

_BOM = b"\xef\xbb\xbf"
_GLOB = lazy_re(rb"[*?\[\\]")
# One of a set: a named class, a byte, or a range of two; any of them after a backslash.
_ONE = rb"(?:\\.|[^\\])"
_ITEM = lazy_re(
    rb"\[:(?P<name>[^\]]*):\]|(?P<low>%b)(?:-(?!\])(?P<high>%b))?" % (_ONE, _ONE), re.DOTALL
)
_SET = lazy_re(
    rb"\[(?P<not>[!^])?(?P<items>(?>%b)(?>(?!\])%b)*+)\]"
    % ((rb"(?:\[:[^\]]*:\]|%b(?:-(?!\])%b)?)" % (_ONE, _ONE),) * 2),
    re.DOTALL,
)
_NEVER = rb"(?!)"
_CLASSES = {
    b"alnum": rb"0-9A-Za-z",
    b"alpha": rb"A-Za-z",
    b"blank": rb" \t",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"\x21-\x7e",
    b"lower": rb"a-z",
    b"print": rb"\x20-\x7e",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb" \t-\r",
    b"upper": rb"A-Z",
    b"xdigit": rb"0-9A-Fa-f",
}


class _Pattern(Struct, frozen=True):
    """One line: what it matches, and how.

    It is for whole paths or for their last parts, for folders only or for all, and takes back
    or leaves out.
    """

    regex: bytes
    whole: bool
    folders_only: bool
    includes: bool

    @property
    def sort(self) -> tuple[bool, bool, bool]:
        """All but the expression."""
        return self.whole, self.folders_only, self.includes


class Patterns(Struct, frozen=True):
    """The patterns of one folder's ignore file, those that win first.

    Neighbours of one sort are one expression, so that a long list costs little. `count` is how
    many patterns there are.
    """

    _groups: tuple[tuple[re.Pattern[bytes], bool, bool, bool], ...]
    count: int = 0

    @classmethod
    def read(cls, content: bytes) -> "Patterns":
        """The patterns of an ignore file's bytes."""
        lines = content.removeprefix(_BOM).split(b"\n")
        parsed = [made for line in reversed(lines) for made in _parse_line(line)]
        groups = []
        for sort, group in groupby(parsed, lambda pattern: pattern.sort):
            joined = b"|".join(pattern.regex for pattern in group)
            groups.append((re.compile(joined, re.DOTALL), *sort))
        return cls(tuple(groups), len(parsed))

    def verdict(self, path: bytes, *, folder: bool) -> bool | None:
        """Whether the last pattern that matches excludes a path; None when none does.

        The path is relative to the folder of the ignore file.
        """
        name = path[path.rfind(b"/") + 1 :]
        for regex, whole, folders_only, includes in self._groups:
            if (folder or not folders_only) and regex.match(path if whole else name):
                return not includes
        return None

    def covers(self, path: bytes) -> bool:
        """Whether a file is excluded by itself or with a folder above it."""
        ends = [at for at, byte in enumerate(path) if byte == ord("/")]
        return any(self.verdict(path[:end], folder=True) for end in ends) or bool(
            self.verdict(path, folder=False)
        )

    def __bool__(self) -> bool:
        return bool(self._groups)


def _parse_line(line: bytes) -> Iterator[_Pattern]:
    text = _without_trailing_spaces(line.removesuffix(b"\r"))
    if not text or text.startswith(b"#"):
        return
    body = text.removeprefix(b"!")
    bare = body.removesuffix(b"/")
    whole = b"/" in bare
    regex = _path_regex(bare) if whole else _glob_regex(bare, bounded=False)
    yield _Pattern(regex, whole, folders_only=bare != body, includes=body != text)


def _without_trailing_spaces(line: bytes) -> bytes:
    """Spaces at the end don't count, unless a backslash stands before one."""
    stripped = line.rstrip(b" ")
    slashes = len(stripped) - len(stripped.rstrip(b"\\"))
    return stripped + b" " if slashes % 2 and stripped != line else stripped


def _path_regex(pattern: bytes) -> bytes:
    """A pattern with a slash: it begins in the ignore file's folder.

    The text before the first sign is compared as it is, so `a**/b` begins anew at the `**`.
    """
    pattern = pattern.removeprefix(b"/")
    found = _GLOB.search(pattern)
    head = len(pattern) if found is None else found.start()
    return re.escape(pattern[:head]) + _glob_regex(pattern[head:], bounded=True)


def _glob_regex(pattern: bytes, *, bounded: bool) -> bytes:
    """A glob; where it is `bounded`, `**` between slashes crosses folders.

    What stands between two stars has one length, or one number of slashes, however it matches:
    so the first place where it fits is as good as any later one, and none is gone back to. Any
    other way a pattern of many stars would take longer than anybody waits.
    """
    runs: list[list[bytes]] = [[b""]]
    end = rb"\Z"
    for token in _tokens(pattern, bounded=bounded):
        if token is _FOLDERS:
            runs.append([b""])
        elif token is _STAR:
            runs[-1].append(b"")
        elif token is _REST:
            end = rb".*\Z"
        else:
            runs[-1][-1] += token
    first, *others = runs
    parts = [_run_regex(first, b"" if others else end)]
    parts += [b"(?>(?:.*?/)??%b)" % _run_regex(run) for run in others[:-1]]
    parts += [b"(?:.*?/)??%b" % _run_regex(run, end) for run in others[-1:]]
    return b"".join(parts)


def _run_regex(pieces: list[bytes], end: bytes = b"") -> bytes:
    """Pieces between stars that don't cross folders; the last one stands at the `end`, if any."""
    head, *rest = pieces
    last = b"[^/]*" + rest.pop() + end if rest and end == rb"\Z" else end
    return head + b"".join(b"(?>[^/]*?%b)" % piece for piece in rest) + last


_STAR, _FOLDERS, _REST = b"*", b"**/", b"/**"


def _tokens(pattern: bytes, *, bounded: bool) -> Iterator[bytes]:
    """The stars of a glob, and the expressions of all else in it."""
    at = 0
    while at < len(pattern):
        sign = pattern[at : at + 1]
        if sign == b"*":
            part, at = _stars(pattern, at, bounded=bounded)
        elif sign == b"[":
            part, at = _set(pattern, at)
        elif sign == b"\\":
            escaped = pattern[at + 1 : at + 2]
            part, at = re.escape(escaped) if escaped else _NEVER, at + 2
        else:
            part, at = (b"[^/]" if sign == b"?" else re.escape(sign)), at + 1
        yield part


def _stars(pattern: bytes, start: int, *, bounded: bool) -> tuple[bytes, int]:
    end = start
    while pattern[end : end + 1] == b"*":
        end += 1
    opens = start == 0 or pattern[start - 1 : start] == b"/"
    rest = pattern[end:]
    if not (bounded and end - start > 1 and opens and rest[:1] in {b"", b"/"}):
        return _STAR, end
    return (_FOLDERS, end + 1) if rest else (_REST, end)


def _set(pattern: bytes, start: int) -> tuple[bytes, int]:
    """A set of bytes and where it ends; one without an end or with an odd class never matches."""
    found = _SET.match(pattern, start)
    if found is None:
        return _NEVER, len(pattern)
    items = list(_ITEM.finditer(found["items"]))
    if any(item["name"] is not None and item["name"] not in _CLASSES for item in items):
        return _NEVER, len(pattern)
    inner = b"".join(map(_set_item, items))
    return b"(?%c[%b])[^/]" % (b"!" if found["not"] else b"=", inner), found.end()


def _set_item(item: re.Match[bytes]) -> bytes:
    if item["name"] is not None:
        return _CLASSES[item["name"]]
    low, high = (byte[-1] for byte in (item["low"], item["high"] or item["low"]))
    # Git compares with the lower end before it sees the dash.
    return b"\\x%02x-\\x%02x" % (low, max(low, high))
