"""Built and rendered texts as objects, and which object of before is which of after."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from imageshift.charts.model import ObjectName
from imageshift.charts.plain import to_plain
from imageshift.lazy import lazy_re
from imageshift.source.tree import parse_events
from imageshift.verify.model import Plain, object_name

__all__ = ["Pairing", "base_name", "pair_objects", "read_objects", "read_part", "texts_of"]

_SUFFIX = lazy_re(r"-[0-9a-z]{5,64}\Z")


def read_objects(text: str) -> list[Plain]:
    """The objects of a text, those of lists one by one; other documents are left out.

    Raises:
        SourceError: it is no YAML.
    """
    return [item for root, _, _ in parse_events(text) for item in _flat(to_plain(root))]


@lru_cache(maxsize=8192)
def read_part(text: str) -> tuple[Plain, ...]:
    """The objects of one document of a build, the same ones for the same text.

    Most of what is built before is built after, so it needs no second reading.

    Raises:
        SourceError: it is no YAML.
    """
    return tuple(read_objects(text))


def _flat(data: Any) -> Iterator[Plain]:
    if not isinstance(data, Mapping):
        return
    items = data.get("items")
    if str(data.get("kind") or "").endswith("List") and isinstance(items, list):
        for item in items:
            yield from _flat(item)
    elif data:
        yield _tidy(data)


def _tidy(data: Plain) -> Plain:
    """Without annotations and labels that hold nothing, which kustomize leaves out as well."""
    metadata = data.get("metadata")
    if not isinstance(metadata, Mapping):
        return data
    empty = {key for key in ("annotations", "labels") if key in metadata and not metadata[key]}
    if not empty:
        return data
    return {**data, "metadata": {k: v for k, v in metadata.items() if k not in empty}}


class Pairing(Struct):
    """The objects that are one in both, and those that only one side has.

    `renamed` are pairs whose names end in unlike hashes.
    """

    pairs: list[tuple[Plain, Plain]] = field(default_factory=list)
    renamed: list[tuple[Plain, Plain]] = field(default_factory=list)
    gone: list[Plain] = field(default_factory=list)
    added: list[Plain] = field(default_factory=list)


def pair_objects(before: Iterable[Plain], after: Iterable[Plain]) -> Pairing:
    """Pairs by apiVersion, kind, namespace and name, then by the name without its hash."""
    made = Pairing()
    left: dict[ObjectName, list[Plain]] = {}
    for data in after:
        left.setdefault(object_name(data), []).append(data)
    for data in before:
        same = left.get(object_name(data))
        if same:
            made.pairs.append((data, same.pop(0)))
        else:
            made.gone.append(data)
    made.added = [data for same in left.values() for data in same]
    _pair_renamed(made)
    return made


def _pair_renamed(made: Pairing) -> None:
    gone, added = _by_base(made.gone), _by_base(made.added)
    for key, (old, *more) in gone.items():
        new = added.get(key, [])
        if not more and len(new) == 1:
            made.renamed.append((old, new[0]))
    taken = {id(data) for pair in made.renamed for data in pair}
    made.gone = [data for data in made.gone if id(data) not in taken]
    made.added = [data for data in made.added if id(data) not in taken]


def _by_base(objects: Iterable[Plain]) -> dict[ObjectName, list[Plain]]:
    found: dict[ObjectName, list[Plain]] = {}
    for data in objects:
        name = object_name(data)
        base = base_name(name.name)
        if base != name.name:
            key = ObjectName(name.api_version, name.kind, name.namespace, base)
            found.setdefault(key, []).append(data)
    return found


def base_name(name: str) -> str:
    """A name without what may be a hash at its end."""
    return _SUFFIX.sub("", name)


def texts_of(node: Any) -> Iterator[str]:
    """Every string in a value."""
    if isinstance(node, Mapping):
        for value in node.values():
            yield from texts_of(value)
    elif isinstance(node, list):
        for item in node:
            yield from texts_of(item)
    elif isinstance(node, str):
        yield node
