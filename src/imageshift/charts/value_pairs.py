"""Which registries and repositories of a chart's values meet, and the texts in which they fit.

The two may stand in different texts: a lower one has the registry, one above it another
repository. Every image that they can make together has to come out under its mapped name.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Mapping_
from contextlib import suppress

from msgspec import Struct

from imageshift.cache import Mapped
from imageshift.charts.value_stacks import ValuesLayer
from imageshift.errors import InvalidReferenceError
from imageshift.links.model import SiteKey
from imageshift.reference import has_host, name_length
from imageshift.rewrite import Mapper, why_incomplete
from imageshift.sites.name_parts import part_around, part_beside
from imageshift.sites.values import REPOSITORY_KEYS, flat_stem
from imageshift.source import Mapping, Node, Scalar

__all__ = [
    "Block",
    "Pair",
    "Piece",
    "blocks_of",
    "comes_apart",
    "doubt",
    "evidence",
    "fit",
    "groups",
    "pairs_of",
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
    """What one layer says of an image: either part may be missing."""

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
    def name(self) -> str:
        """The repository's name, without a tag that it may hold."""
        text = self.repository.scalar.value
        return text[: name_length(text)]

    @property
    def name_text(self) -> str:
        """Registry and repository as they are written."""
        return f"{self.registry.scalar.value.rstrip('/')}/{self.name}"


def blocks_of(stack: Sequence[ValuesLayer]) -> dict[Steps, list[Block]]:
    """By path what each layer says of the image there, lowest first."""
    found: dict[Steps, list[Block]] = {}
    for number, layer in enumerate(stack):
        for path, (registry, repository) in _blocks(layer.values, ()):
            pieces = [s if s is None else Piece(layer, s) for s in (registry, repository)]
            found.setdefault(path, []).append(Block(number, *pieces))
    return found


def pairs_of(stack: Sequence[ValuesLayer]) -> Iterator[Pair]:
    """The pairs that several layers make, whichever of the upper ones are there."""
    for path, blocks in blocks_of(stack).items():
        if len(blocks) > 1 and any(block.registry for block in blocks):
            apart = evidence(stack, path)
            for lower in blocks:
                for other in blocks:
                    yield from _pair(lower, other, apart)


def _pair(one: Block, other: Block, apart: str | None) -> Iterator[Pair]:
    """The registry of one with the repository of another, where both can be in effect."""
    registry, repository = one.registry, other.repository
    if registry is None or repository is None:
        return
    covered = other.registry if one.number < other.number else one.repository
    whole = one.number != other.number and has_host(repository.scalar.value)
    if one.number == other.number or not (covered or whole):
        yield Pair(registry, repository, apart)


def evidence(stack: Sequence[ValuesLayer], path: Steps) -> str | None:
    """The key of any layer that may be a part of the name of the image at a path."""
    for layer in stack:
        maps = list(_along(layer.values, path))
        block = maps[-1] if len(maps) > len(path) else None
        found = part_around(reversed(maps))
        if found is None and block is not None:
            found = part_beside(block, REPOSITORY_KEYS)
        if found is not None:
            return f"{found} ({layer.file})"
    return None


def _along(node: Node | None, path: Steps) -> Iterator[Mapping]:
    for step in (*path, None):
        if not isinstance(node, Mapping):
            return
        yield node
        node = None if step is None else node.get(step)


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
    found: list[tuple[set[SiteKey], list[Pair]]] = []
    for pair in pairs:
        keys, members = {pair.registry.key, pair.repository.key}, [pair]
        for group in [group for group in found if group[0] & keys]:
            found.remove(group)
            keys |= group[0]
            members = [*group[1], *members]
        found.append((keys, members))
    return [members for _, members in found]


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
    late = [piece.layer.in_chart for piece in (pair.registry, pair.repository)]
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
