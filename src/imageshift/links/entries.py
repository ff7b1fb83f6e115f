"""`images:` lists: their entries as they are written, and as a build applies them (K1 to K6)."""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from imageshift.entry import Entry, parse_overwrite
from imageshift.links.model import Entries, EntrySource, Merge
from imageshift.sites.entries import entry_items
from imageshift.source import Document, Mapping, Node, Scalar, Sequence

__all__ = ["EntryStep", "merged_steps", "read_entries", "read_entry"]

_KEYS = ("name", "newName", "newTag", "digest", "tagSuffix")


class EntryStep(Struct, frozen=True):
    """An entry as a build applies it, with the numbers of the written ones that make it."""

    entry: Entry
    sources: tuple[int, ...]


def read_entry(item: Node) -> Entry | None:
    """The entry that an item of an `images:` list is; None when it is none."""
    if isinstance(item, Mapping):
        return Entry(*(item.text(key) or "" for key in _KEYS))
    if isinstance(item, Scalar) and not item.is_empty:
        return parse_overwrite(item.value)
    return None


def read_entries(
    file: str, document: Document, owner: Mapping, first: int = 0, items: Sequence | None = None
) -> Iterator[EntrySource]:
    """The entries of an owner's list (or of `items`), numbered from `first`."""
    items = entry_items(owner) if items is None else items
    holder = (owner, "images") if items is not None and owner.get("images") is items else None
    number = first
    for index, item in enumerate(() if items is None else items.items):
        entry = read_entry(item)
        if items is not None and entry is not None:
            yield EntrySource(
                number=number,
                file=file,
                document=document,
                items=items,
                index=index,
                entry=entry,
                mapping=item if isinstance(item, Mapping) else None,
                scalar=item if isinstance(item, Scalar) else None,
                holder=holder,
            )
            number += 1


def merged_steps(effect: Entries, entries_of: Callable[[int], Iterable[Entry]]) -> list[EntryStep]:
    """The entries in the order in which the build applies them.

    `entries_of` gives what stands in the place of each written one.
    """
    steps = [EntryStep(entry, (n,)) for n in effect.own for entry in entries_of(n)]
    if not effect.added:
        return steps
    if effect.merge is Merge.ARGO:
        steps = _unlike(steps)
    for number in effect.added:
        for entry in entries_of(number):
            _merge(steps, EntryStep(entry, (number,)), effect.merge)
    if effect.merge is Merge.ARGO:
        steps.sort(key=lambda step: step.entry.name)
    return steps


def _unlike(steps: list[EntryStep]) -> list[EntryStep]:
    """The first entry of each name: Argo CD's edit keeps no second one."""
    found: dict[str, EntryStep] = {}
    for step in steps:
        found.setdefault(step.entry.name, step)
    return list(found.values())


def _merge(steps: list[EntryStep], new: EntryStep, merge: Merge) -> None:
    """Puts an object's entry into a list: in the place of the one of its name, else at the end."""
    at = next((i for i, step in enumerate(steps) if step.entry.name == new.entry.name), None)
    if at is None:
        steps.append(new)
        return
    old = steps[at]
    made = _by_field(old.entry, new.entry) if merge is Merge.FLUX_FIELDS else new.entry
    steps[at] = EntryStep(made, (*old.sources, *new.sources))


def _by_field(old: Entry, new: Entry) -> Entry:
    tagged = new if new.new_tag or new.digest else old
    name = new.new_name or old.new_name
    return Entry(new.name, name, tagged.new_tag, tagged.digest, old.tag_suffix)
