"""The smallest set of leaf changes that gives every image its target: a pure search.

Images that share a leaf are solved together, since one new text must fit all of them.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise, takewhile

from msgspec import Struct, field

from imageshift.charts.model import RenderedImage
from imageshift.charts.rendering.markers import Candidate

__all__ = ["Solution", "Wish", "solve"]

_UNREACHED = 1000
_MOST_STEPS = 20_000


class Wish(Struct, frozen=True):
    """An image and the text that it should get (its own one when it should stay)."""

    image: RenderedImage
    target: str


class Solution(Struct, frozen=True):
    """New texts of leaf parts, and the wishes that they can't fulfil."""

    changes: Mapping[Candidate, str]
    unreached: tuple[Wish, ...]


class _Piece(Struct, frozen=True):
    """A literal stretch of an image's text (`leaf` is None), or what one leaf part makes."""

    text: str
    leaf: Candidate | None = None


_Pieces = tuple[_Piece, ...]
_Texts = dict[Candidate, str]


def pieces_of(image: RenderedImage) -> _Pieces:
    """The image's text cut into literals and leaf parts, in order and without gaps."""
    found: list[_Piece] = []
    end = 0
    for segment in sorted(image.segments, key=lambda item: (item.start, item.end)):
        if segment.start < end:
            continue
        if segment.start > end:
            found.append(_Piece(image.text[end : segment.start]))
        leaf = Candidate(segment.leaf, *segment.inner)
        found.append(_Piece(image.text[segment.start : segment.end], leaf))
        end = segment.end
    if end < len(image.text):
        found.append(_Piece(image.text[end:]))
    return tuple(found)


def solve(wishes: Collection[Wish], pinned: Collection[Candidate] = ()) -> Solution:
    """The changes that fulfil the most wishes with the fewest leaves; `pinned` leaves stay."""
    changes: _Texts = {}
    unreached: list[Wish] = []
    for group in _groups(wishes):
        search = _Search(frozenset(pinned))
        search.run(group)
        changes |= search.changes()
        unreached += search.unreached()
    return Solution(changes, tuple(unreached))


def _groups(wishes: Collection[Wish]) -> list[dict[tuple[_Pieces, str], list[Wish]]]:
    """The wishes by connected component of shared leaves, equal ones together."""
    distinct: dict[tuple[_Pieces, str], list[Wish]] = {}
    for wish in wishes:
        distinct.setdefault((pieces_of(wish.image), wish.target), []).append(wish)
    groups: list[tuple[set[Candidate], dict[tuple[_Pieces, str], list[Wish]]]] = []
    for key, same in distinct.items():
        leaves = {piece.leaf for piece in key[0] if piece.leaf is not None}
        joined: dict[tuple[_Pieces, str], list[Wish]] = {}
        for other in [group for group in groups if group[0] & leaves]:
            leaves |= other[0]
            joined |= other[1]
            groups.remove(other)
        groups.append((leaves, {**joined, key: same}))
    return [group for _, group in groups]


class _Search(Struct):
    """Branch and bound over the ways to spell each image's target with its leaves."""

    pinned: frozenset[Candidate]
    _wishes: list[tuple[tuple[_Pieces, str], list[Wish]]] = field(default_factory=list)
    _options: list[list[_Texts | None]] = field(default_factory=list)
    _old: _Texts = field(default_factory=dict)
    _best: list[_Texts | None] = field(default_factory=list)
    _best_cost: int = 1 << 30
    _steps: int = 0

    def run(self, group: Mapping[tuple[_Pieces, str], list[Wish]]) -> None:
        # The image with the fewest ways first: the search is cut early.
        rated = [(self._ways(key), key, same) for key, same in group.items()]
        rated.sort(key=lambda item: len(item[0]))
        self._options = [ways for ways, _, _ in rated]
        self._wishes = [(key, same) for _, key, same in rated]
        for pieces, _ in group:
            self._old |= {piece.leaf: piece.text for piece in pieces if piece.leaf is not None}
        self._descend(0, {}, [], 0)

    def changes(self) -> _Texts:
        """The leaf parts whose text changes in the best answer."""
        found: _Texts = {}
        for texts in self._best:
            found |= texts or {}
        return {leaf: text for leaf, text in found.items() if text != self._old[leaf]}

    def unreached(self) -> list[Wish]:
        """The wishes that the best answer leaves open."""
        return [
            wish
            for (_, same), texts in zip(self._wishes, self._best, strict=True)
            if texts is None
            for wish in same
        ]

    def _ways(self, key: tuple[_Pieces, str]) -> list[_Texts | None]:
        pieces, target = key
        if not any(piece.leaf is not None for piece in pieces):
            return [{}, None] if target == "".join(p.text for p in pieces) else [None]
        ways: list[_Texts | None] = []
        for texts in _spellings(pieces, 0, target, 0):
            changed = {p.leaf for p in pieces if p.leaf is not None and texts[p.leaf] != p.text}
            if not changed & self.pinned and texts not in ways:
                ways.append(texts)
        ways.sort(key=lambda texts: _kept(pieces, texts), reverse=True)
        return [*ways, None]

    def _descend(self, index: int, texts: _Texts, chosen: list[_Texts | None], missed: int) -> None:
        self._steps += 1
        cost = missed * _UNREACHED + sum(text != self._old[leaf] for leaf, text in texts.items())
        if cost >= self._best_cost or self._steps > _MOST_STEPS:
            return
        if index == len(self._options):
            self._best, self._best_cost = list(chosen), cost
            return
        pieces, _ = self._wishes[index][0]
        for way in self._options[index]:
            wanted = way
            if wanted is None:
                # An image that isn't reached must keep its text as it is.
                wanted = {p.leaf: p.text for p in pieces if p.leaf is not None}
            if all(texts.get(leaf, text) == text for leaf, text in wanted.items()):
                missing = missed + (way is None)
                self._descend(index + 1, {**texts, **wanted}, [*chosen, way], missing)


def _kept(pieces: _Pieces, texts: _Texts | None) -> tuple[int, int, int]:
    """How many leaves a way leaves alone, how much of the last one's end, how long the first is."""
    pairs = [(p.text, (texts or {})[p.leaf]) for p in pieces if p.leaf is not None]
    old, new = (text.split("/")[::-1] for text in pairs[-1])
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    return sum(old == new for old, new in pairs), alike, len(pairs[0][1])


def _spellings(pieces: _Pieces, index: int, target: str, start: int) -> Iterator[_Texts]:
    """The ways to read `target` from `start` on as the pieces from `index` on."""
    if index == len(pieces):
        if start == len(target):
            yield {}
        return
    piece = pieces[index]
    if piece.leaf is None:
        if target.startswith(piece.text, start):
            yield from _spellings(pieces, index + 1, target, start + len(piece.text))
        return
    for end in _ends(pieces, index, target, start):
        text = target[start:end]
        for rest in _spellings(pieces, index + 1, target, end):
            if rest.get(piece.leaf, text) == text:
                yield {**rest, piece.leaf: text}


def _ends(pieces: _Pieces, index: int, target: str, start: int) -> list[int]:
    """Where the text of a leaf part may end."""
    least = start + (1 if pieces[index].text else 0)
    if index + 1 == len(pieces):
        return [len(target)] if len(target) >= least else []
    following = pieces[index + 1]
    if following.leaf is None:
        return [end for end in range(least, len(target)) if target.startswith(following.text, end)]
    slashes = [end + 1 for end in range(start, len(target)) if target[end] == "/"]
    ends = [start, *slashes] if not pieces[index].text else slashes
    return [end for end, _ in pairwise([*ends, len(target)]) if end >= least]
