"""Which registries and repositories of a chart's values meet, and the texts in which they fit.

The two may stand in different texts: a lower one has the registry, one above it another
repository. Every image that they can make together has to come out under its mapped name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Mapping_
from contextlib import suppress
from functools import lru_cache

from msgspec import Struct

from imageshift.cache import Mapped
from imageshift.charts.unrendered.value_stacks import ValuesLayer
from imageshift.errors import InvalidReferenceError
from imageshift.links.model import SiteKey
from imageshift.reference import has_host, name_length
from imageshift.rewrite import Mapper, why_incomplete
from imageshift.sites.name_parts import part_beside, part_in
from imageshift.sites.values import REPOSITORY_KEYS, flat_stem
from imageshift.source import Mapping, Node, Scalar

__all__ = [
    "Block",
    "Pair",
    "Piece",
    "blocks_of",
    "comes_apart",
    "doubt",
    "fit",
    "groups",
    "pairs_of",
    "parts_of_names",
]

Steps = tuple[str, ...]
_Parts = tuple[Scalar | None, Scalar | None]


class Piece(Struct, frozen=True):
    """A registry or a repository, and where it is written."""

    layer: ValuesLayer
    scalar: Scalar

    @property
    def key(self) -> SiteKey:
        """What identifies its text."""
        return self.layer.key(self.scalar)

    @property
    def place(self) -> str:
        """Where it stands."""
        return self.layer.place(self.scalar)

    def rewritten(self, new: str) -> str:
        """Its text with a new name: a slash at its end, or a tag, stays."""
        old = self.scalar.value
        slash = "/" if old.endswith("/") else ""
        return new + (slash or old[name_length(old) :])


class Block(Struct, frozen=True):
    """What one layer says about an image: either part may be missing."""

    number: int
    registry: Piece | None
    repository: Piece | None

    @property
    def pieces(self) -> list[Piece]:
        """The parts that it has."""
        return [piece for piece in (self.registry, self.repository) if piece is not None]


class Pair(Struct, frozen=True):
    """A registry and a repository that may make an image; `apart` as for a site."""

    registry: Piece
    repository: Piece
    apart: str | None = None

    @property
    def pieces(self) -> tuple[Piece, Piece]:
        """Both."""
        return self.registry, self.repository

    @property
    def name(self) -> str:
        """The repository's name, without a tag that it may hold."""
        text = self.repository.scalar.value
        return text[: name_length(text)]

    @property
    def name_text(self) -> str:
        """Registry and repository as they are written."""
        return f"{self.registry.scalar.value.rstrip('/')}/{self.name}"


def blocks_of(stack: Sequence[ValuesLayer]) -> dict[Steps, list[Block]]:
    """By path what each layer says about the image there, lowest first."""
    found: dict[Steps, list[Block]] = {}
    for number, layer in enumerate(stack):
        for path, pieces in _layer_blocks(layer).items():
            found.setdefault(path, []).append(Block(number, *pieces))
    return found


@lru_cache(maxsize=64)
def _layer_blocks(layer: ValuesLayer) -> dict[Steps, list[Piece | None]]:
    return {
        path: [None if scalar is None else Piece(layer, scalar) for scalar in block]
        for path, block in _blocks(layer.values, ())
    }


def pairs_of(stack: Sequence[ValuesLayer]) -> Iterator[Pair]:
    """The pairs that several layers make, whichever of the upper ones are there."""
    counts = Counter(path for layer in stack for path in _layer_blocks(layer))
    several = {path for path, count in counts.items() if count > 1}
    blocks = blocks_of(stack) if several else {}
    for path in several:
        if any(block.registry for block in blocks[path]):
            apart = _evidence(stack, path)
            for lower in blocks[path]:
                for other in blocks[path]:
                    yield from _pair(lower, other, apart)


def parts_of_names(stack: Sequence[ValuesLayer]) -> Iterator[tuple[Piece, str]]:
    """The registries and repositories beside which some layer has more of the name."""
    if any(any(_layer_parts(layer)) for layer in stack):
        for path, blocks in blocks_of(stack).items():
            found = _evidence(stack, path) if any(block.registry for block in blocks) else None
            for block in blocks if found is not None else ():
                yield from ((piece, found or "") for piece in block.pieces)


def _pair(one: Block, other: Block, apart: str | None) -> Iterator[Pair]:
    """The registry of one with the repository of another, where both can be in effect."""
    registry, repository = one.registry, other.repository
    if registry is None or repository is None:
        return
    covered = other.registry if one.number < other.number else one.repository
    whole = one.number != other.number and has_host(repository.scalar.value)
    if one.number == other.number or not (covered or whole):
        yield Pair(registry, repository, apart)


def _evidence(stack: Sequence[ValuesLayer], path: Steps) -> str | None:
    """The key of any layer that may be a part of the name of the image at a path."""
    above = [path[:length] for length in range(len(path), -1, -1)]
    for layer in stack:
        around, beside = _layer_parts(layer)
        found = next((around[each] for each in above if each in around), beside.get(path))
        if found is not None:
            return f"{found} ({layer.file})"
    return None


@lru_cache(maxsize=64)
def _layer_parts(layer: ValuesLayer) -> tuple[dict[Steps, str], dict[Steps, str]]:
    """The keys that may be parts of names, by the map: for all images in it, for the one it is."""
    around: dict[Steps, str] = {}
    beside: dict[Steps, str] = {}
    for path, node in _maps(layer.values, ()):
        inside, own = part_in(node), part_beside(node, REPOSITORY_KEYS)
        if inside is not None:
            around[path] = inside
        if own is not None:
            beside[path] = own
    return around, beside


def _maps(node: Node, path: Steps) -> Iterator[tuple[Steps, Mapping]]:
    if isinstance(node, Mapping):
        yield path, node
        for key, value in node.pairs():
            yield from _maps(value, (*path, key.value))


def _blocks(node: Node, path: Steps) -> Iterator[tuple[Steps, _Parts]]:
    if not isinstance(node, Mapping):
        return
    repositories = (_filled(node, key) for key in REPOSITORY_KEYS)
    block = (_filled(node, "registry"), next(filter(None, repositories), None))
    if any(block):
        yield path, block
    yield from _flat(node, path)
    for key, value in node.pairs():
        yield from _blocks(value, (*path, key.value))


def _flat(node: Mapping, path: Steps) -> Iterator[tuple[Steps, _Parts]]:
    """`imageRegistry` and `imageRepository`, which share a map with other things."""
    found: dict[str, list[Scalar | None]] = {}
    for key, _ in node.pairs():
        stem = flat_stem(key.value)
        scalar = None if stem is None else _filled(node, key.value)
        if stem is not None and scalar is not None:
            found.setdefault(stem[0], [None, None])[stem[1]] = scalar
    yield from (((*path, stem), (pair[0], pair[1])) for stem, pair in found.items())


def _filled(node: Mapping, key: str) -> Scalar | None:
    found = node.scalar(key)
    return None if found is None or found.is_empty else found


def groups(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """The pairs in groups that share texts, directly or through others."""
    parents: dict[SiteKey, SiteKey] = {}

    def root(key: SiteKey) -> SiteKey:
        parents.setdefault(key, key)
        while parents[key] != key:
            parents[key] = key = parents[parents[key]]
        return key

    found = list(pairs)
    for pair in found:
        parents[root(pair.registry.key)] = root(pair.repository.key)
    members: dict[SiteKey, list[Pair]] = {}
    for pair in found:
        members.setdefault(root(pair.registry.key), []).append(pair)
    return list(members.values())


class _Wanted(Struct, frozen=True):
    """The names that a pair may make, best first."""

    pair: Pair
    names: tuple[str, ...]

    @property
    def head(self) -> str:
        """The registry that keeps the repository as it is, where there is one."""
        tail = f"/{self.pair.name}"
        kept = (name.removesuffix(tail) for name in self.names if name.endswith(tail))
        return next(kept, self.names[0].rpartition("/")[0])


def fit(pairs: list[Pair], mapper_of: Callable[[str], Mapper]) -> dict[SiteKey, str] | str:
    """The new text of each registry and repository of a group, or why there is none.

    A registry gets all that it has in front of every repository; what is left, `library/`, goes
    to the repository.
    """
    wanted = [_Wanted(pair, _names(pair, mapper_of)) for pair in pairs]
    texts: dict[SiteKey, str] = {}
    tails: dict[SiteKey, list[str]] = {}
    for each in wanted:
        key = each.pair.registry.key
        texts[key] = min(texts.get(key, each.head), each.head, key=len)
    for each in wanted:
        key, start = each.pair.repository.key, f"{texts[each.pair.registry.key]}/"
        found = [name.removeprefix(start) for name in each.names if name.startswith(start)]
        tails[key] = [tail for tail in tails.get(key, found) if tail in found]
        if not tails[key]:
            return f"the values at {each.pair.registry.place} set only a part of it"
    return texts | {key: found[0] for key, found in tails.items()}


def comes_apart(pair: Pair, texts: Mapping_[SiteKey, str], mapper: Mapper) -> bool:
    """Whether a pair makes a third image while a chart's own edits haven't arrived (E3.2)."""
    late = [piece.layer.in_chart for piece in pair.pieces]
    if all(late) or not any(late):
        return False
    registry = pair.registry.scalar.value.rstrip("/")
    head = registry if late[0] else texts[pair.registry.key]
    tail = pair.name if late[1] else texts[pair.repository.key]
    mixed = f"{head}/{tail}"
    with suppress(InvalidReferenceError):
        same = mapper.map(mapper.parse(mixed)) == mapper.map(mapper.parse(pair.name_text))
        return not same and mixed not in _mapped(pair.name_text, mapper)
    return mixed != pair.name_text


def _names(pair: Pair, mapper_of: Callable[[str], Mapper]) -> tuple[str, ...]:
    """The mapped names of a pair; its own where it has no other place."""
    text = pair.name_text
    found = {
        _mapped(text, mapper_of(piece.layer.file)) for piece in (pair.registry, pair.repository)
    }
    return next(iter(found)) if len(found) == 1 else (text,)


def doubt(pair: Pair, mapper: Mapper, *, complete: bool) -> str | None:
    """Why a pair may be only a part of a name."""
    with suppress(InvalidReferenceError):
        name = pair.name_text
        outcome = mapper.map(mapper.parse(name))
        if isinstance(outcome, Mapped):
            apart = None if complete else pair.apart
            return why_incomplete(name, outcome, apart=apart, complete=complete)
    return None


def _mapped(text: str, mapper: Mapper) -> tuple[str, ...]:
    try:
        outcome = mapper.map(mapper.parse(text))
    except InvalidReferenceError:
        return (text,)
    return mapper.split_names(outcome.target) if isinstance(outcome, Mapped) else (text,)
