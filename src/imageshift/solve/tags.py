"""Names and tags that stand apart: what entries with one of the two make of the texts they meet."""

from collections.abc import Iterator
from contextlib import suppress

from imageshift.cache import Cached, Rule
from imageshift.entry import Entry, split_image
from imageshift.errors import InvalidReferenceError
from imageshift.mapper import Mapper
from imageshift.reference import ImageReference
from imageshift.solve.simulate import Seen

__all__ = ["retagged", "tails"]


def tails(entry: Entry, seen: Seen) -> tuple[str, ...]:
    """The tags and digests that an entry leaves behind its newName, as `:tag@digest`."""
    if not entry.new_name or entry.new_tag or entry.digest:
        return ()
    names = {match.result: split_image(match.result)[0] for match in seen.matched}
    return tuple(sorted({text.removeprefix(name) for text, name in names.items()}))


def retagged(
    entry: Entry, seen: Seen, mapper: Mapper
) -> Iterator[tuple[ImageReference, Rule | None]]:
    """The images in the cache to which an entry without a newName gives a tag or digest."""
    for text in sorted({match.result for match in seen.matched if not entry.new_name}):
        with suppress(InvalidReferenceError):
            name = mapper.parse(text)
            told = mapper.map(name)
            if isinstance(told, Cached):
                yield name, told.rule
