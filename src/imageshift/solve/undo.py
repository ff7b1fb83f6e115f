"""A list of entries as it was before the migration, as far as the list itself tells.

An entry that the migration made says so: its newName is the mapped name of what it matches, or it
stands beside another that says the same under the mapped name (an entry is split where its texts
move and others stay).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from imageshift.entry import Entry, spell_name
from imageshift.errors import SourceError
from imageshift.links.model import EntrySource
from imageshift.solve.edits import entry_edits
from imageshift.solve.names import NameMap

__all__ = ["is_emptied", "undone"]

Undone = dict[int, tuple[Entry, ...]]
"""By number what stands in the place of an entry; nothing for one that goes."""


def undone(
    sources: Sequence[EntrySource],
    names: NameMap,
    *,
    rename: bool = True,
    naming: Collection[int] = (),
) -> Undone:
    """What stands in the place of each entry of one list that changes.

    Where the text has no room for taking entries out, they only get their names back. Without
    `rename` an entry that stands alone goes on matching a name of the cache. Those of `naming`
    keep a newName.
    """
    pairs = [_Pair(source, _returned(source.entry, names)) for source in sources]
    made = {pair.source.number: (pair.returned(rename=rename),) for pair in pairs}
    tidy = made | dict(_tidied(pairs, names, naming))
    chosen = tidy if _fits(sources, tidy) else made
    return {s.number: chosen[s.number] for s in sources if chosen[s.number] != (s.entry,)}


def is_emptied(
    source: EntrySource, sources: Sequence[EntrySource], made: Mapping[int, tuple[Entry, ...]]
) -> bool:
    """Whether no entry of a source's list stays; `sources` are all that are known."""
    gone = [s for s in sources if s.items is source.items and made.get(s.number) == ()]
    return len(gone) == len(source.items.items)


class _Pair(Struct, frozen=True):
    """An entry as it is written, and under the names that the rules give back."""

    source: EntrySource
    made: Entry

    @property
    def renamed(self) -> bool:
        """Whether it matched a name of the cache."""
        return self.made.name != self.source.entry.name

    def returned(self, *, rename: bool) -> Entry:
        """What it becomes by itself."""
        return self.made if rename else replace(self.made, name=self.source.entry.name)


def _returned(entry: Entry, names: NameMap) -> Entry:
    name = names.name(entry.literal) if entry.literal else ""
    if name != (entry.literal or ""):
        entry = replace(entry, name=spell_name(name, entry.name))
    return replace(entry, new_name=names.name(entry.new_name)) if entry.new_name else entry


def _tidied(
    pairs: Sequence[_Pair], names: NameMap, naming: Collection[int]
) -> Iterator[tuple[int, tuple[Entry, ...]]]:
    """The entries that lose their newName, go away, or take a twin's name."""
    open_: dict[tuple[str, ...], _Pair] = {}
    for pair in pairs:
        entry, number = pair.made, pair.source.number
        if number not in naming and _is_added(pair, names):
            entry = replace(entry, new_name="")
            yield number, (entry,)
        if entry == Entry(entry.name) and entry != pair.made:
            yield number, ()
            continue
        says = _says(entry, names)
        twin = open_.pop(says, None) if says else None
        if twin is None or twin.renamed is pair.renamed:
            open_[says] = _Pair(pair.source, entry)
            continue
        yield number, ()
        # The name that was never mapped has the spelling of before.
        yield twin.source.number, (twin.made if pair.renamed else entry,)


def _is_added(pair: _Pair, names: NameMap) -> bool:
    """Whether the newName is one that the migration alone wrote."""
    old, made = pair.source.entry, pair.made
    back = made.new_name != old.new_name
    return back and bool(made.literal) and names.same(made.literal or "", made.new_name)


def _says(entry: Entry, names: NameMap) -> tuple[str, ...]:
    """What an entry does, however its names are spelled; empty for a pattern."""
    if entry.literal is None:
        return ()
    new_name = names.normal(entry.new_name) if entry.new_name else ""
    return (names.normal(entry.literal), new_name, entry.new_tag, entry.digest, entry.tag_suffix)


def _fits(sources: Sequence[EntrySource], made: Mapping[int, tuple[Entry, ...]]) -> bool:
    """Whether the list's text has room for all of it."""
    try:
        for source in sources:
            emptied = is_emptied(source, sources, made)
            entry_edits(source, made[source.number], emptied=emptied)
    except SourceError:
        return False
    return True
