"""Reverting one text: what the migration changed is undone, what others changed stays.

Four texts of one file are laid beside each other: as it was, as the migration alone makes it of
that, as it is now, and as the rules alone would bring it back.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

from imageshift.lazy import lazy_re

__all__ = ["Versions", "restore"]

_GATE = "allowInsecureImages: true"

# Lines that a migration adds around names of the cache: entries of kustomize, Flux's log-in to
# ECR, the value that opens a chart's gate, and the keys of values and post-renderers.
_ADDED = lazy_re(
    r"\s*(?:- )?(?:[\w./\"'-]+:(?: [|>][-+]?)?|provider: [\"']?aws[\"']?"
    rf"|{_GATE}"
    r"|(?:name|newName|newTag|digest|registry|repository|tag|image|op|path|group|version|kind): .+)"
    r"\s*"
)


class Versions(Struct, frozen=True, kw_only=True):
    """The texts of one file, and the host that the migration writes.

    `moved` is what the migration makes of `was`, and `complete` says that no line which it added
    can be missing there; `reverted` has line by line what the rules make of `now`.
    """

    was: str
    moved: str
    now: str
    reverted: str
    host: str
    complete: bool = False


def restore(texts: Versions) -> str:
    """The text of now without what the migration did to it.

    >>> was, moved = "image: nginx:1 # a", "image: ECR/library/nginx:1 # a"
    >>> now, reverted = "image: ECR/library/nginx:2 # b", "image: nginx:2 # b"
    >>> restore(Versions(was=was, moved=moved, now=now, reverted=reverted, host="ECR"))
    'image: nginx:2 # b'
    """
    if texts.now == texts.moved:
        return texts.was
    lines = list(_Restored(texts).lines())
    newline = "\r\n" if "\r\n" in texts.now else "\n"
    # The last line of before may have lost the end that it has now.
    ended = [line if line.endswith(("\n", "\r")) else line + newline for line in lines[:-1]]
    return "".join((*ended, *lines[-1:]))


class _Restored:
    """The walk along the difference between the text after the migration and that of now."""

    def __init__(self, texts: Versions) -> None:
        self._host = texts.host
        self._complete = texts.complete
        self._was = texts.was.splitlines(keepends=True)
        self._moved = texts.moved.splitlines(keepends=True)
        self._now = texts.now.splitlines(keepends=True)
        self._reverted = texts.reverted.splitlines(keepends=True)
        origins = _origins(self._was, self._moved)
        if origins is None:
            self._moved = self._was
        self._origins: Sequence[int | None] = range(len(self._was)) if origins is None else origins

    def lines(self) -> Iterator[str]:
        """The restored lines."""
        for kind, a, b, c, d in _opcodes(self._moved, self._now):
            if kind == "equal":
                yield from self._before(a, b)
            elif kind == "insert":
                yield from self._others(self._now[c:d])
            elif kind == "replace":
                yield from self._replaced(a, b, c, d)

    def _before(self, a: int, b: int) -> Iterator[str]:
        yield from (self._was[at] for at in self._origins[a:b] if at is not None)

    def _replaced(self, a: int, b: int, c: int, d: int) -> Iterator[str]:
        start = self._partners(a, b, c, d)
        if start is None:
            aligned = len(self._now) == len(self._reverted)
            yield from (self._reverted if aligned else self._now)[c:d]
            return
        end = start + b - a
        yield from self._others(self._now[c:start])
        for at, to in zip(range(a, b), range(start, end), strict=True):
            origin = self._origins[at]
            if origin is not None:
                yield self._line(self._was[origin], self._moved[at], to)
        yield from self._others(self._now[end:d])

    def _others(self, lines: Sequence[str]) -> Sequence[str]:
        return () if self._is_added(lines) else lines

    def _partners(self, a: int, b: int, c: int, d: int) -> int | None:
        """Where the lines of now begin that stand for those of before, one for one.

        Of more lines than before they are those that are most alike.
        """
        before, extra = self._moved[a:b], d - c - (b - a)
        if extra <= 0:
            return None if extra else c
        keys = [_key(line) for line in before]
        found = [
            start
            for start in range(c, c + extra + 1)
            if keys == [_key(line) for line in self._now[start : start + len(keys)]]
        ]
        text = "".join(before)
        return max(found, key=lambda start: self._likeness(text, start, len(keys)), default=None)

    def _likeness(self, text: str, start: int, count: int) -> float:
        now = "".join(self._now[start : start + count])
        return SequenceMatcher(None, text, now, autojunk=False).ratio()

    def _is_added(self, lines: Sequence[str]) -> bool:
        """Whether lines are such as a migration adds, the host among them where names are."""
        if self._complete:
            return False
        names = [line for line in lines if self._host in line]
        others = all(_ADDED.fullmatch(line) for line in lines if self._host not in line)
        login = all("provider" in line for line in lines)
        return others and (bool(names) or login or any(_GATE in line for line in lines))

    def _line(self, was: str, moved: str, to: int) -> str:
        now = self._now[to]
        by_rules = self._reverted[to] if len(self._now) == len(self._reverted) else now
        if now.rstrip("\r\n") == moved:
            return was
        if was == moved:
            return self._unforeseen(was, now, by_rules)
        start, end, added = _change(was, moved)
        first, last, text = _change(moved, now)
        if first >= start + len(added):
            shift = end - start - len(added)
            return was[: first + shift] + text + was[last + shift :]
        if last <= start:
            return was[:first] + text + was[last:]
        return by_rules if self._host in now else now

    def _unforeseen(self, was: str, now: str, by_rules: str) -> str:
        """A line of which the file alone couldn't tell that the migration changes it."""
        if self._host in was or self._host not in now:
            return now
        _, _, added = _change(was, now)
        # A tag or digest inside what differs means that somebody has moved it on since.
        moved_on = ":" in added.rpartition("/")[2] or "@" in added
        return by_rules if moved_on else was


def _opcodes(one: Sequence[str], other: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, one, other, autojunk=False).get_opcodes()


def _origins(was: list[str], moved: list[str]) -> Sequence[int | None] | None:
    """For each line of `moved` that of `was` it came from, None for a new one; None if unclear."""
    origins: list[int | None] = []
    for _, a, b, c, d in _opcodes(was, moved):
        if b - a > d - c:
            return None
        # A key that was added stands behind the one that it belongs to.
        origins.extend(range(a, b))
        origins.extend([None] * (d - c - (b - a)))
    return origins


def _key(line: str) -> str:
    return line.strip().partition(":")[0]


def _change(old: str, new: str) -> tuple[int, int, str]:
    """Start and end of what differs in `old`, and the text in its place in `new`."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-end - 1] == new[-end - 1]:
        end += 1
    return start, len(old) - end, new[start : len(new) - end]
