"""What may stand in place of one entry, so that its builds make the same images, only mapped."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from imageshift.entry import Entry, spell_name, split_image
from imageshift.solve.leaves import Duty
from imageshift.solve.names import NameMap
from imageshift.solve.simulate import Match, Seen

__all__ = ["Stuck", "propose"]


class Stuck(Struct, frozen=True):
    """No entry does it right; `leaves` are the texts that stand against each other.

    `entry` is the number of the entry that is at a loss; `made` what would be right once the
    entries below it have changed too; `caught` are the texts that it would match wrongly.
    """

    detail: str
    leaves: frozenset[int]
    entry: int | None = None
    made: tuple[Entry, ...] = ()
    caught: frozenset[int] = frozenset()


def propose(
    entry: Entry, seen: Seen, names: NameMap, duties: Sequence[Duty]
) -> tuple[Entry, ...] | Stuck:
    """The entries to stand in place of one: itself, renamed, with a newName, or split.

    `duties` are those of the leaves, by number.
    """
    numbers = frozenset(match.leaf for match in seen.matched)
    if entry.problem is not None:
        return Stuck(entry.problem, numbers)
    if not seen.matched:
        return _dead(entry, seen, names)
    wanted = _wanted(entry, seen, names, duties)
    if isinstance(wanted, Stuck):
        return wanted
    same = _same_name(entry, seen, set(wanted.values()))
    return _renamed(entry, seen, wanted, numbers) if same is None else (same,)


def _wanted(
    entry: Entry, seen: Seen, names: NameMap, duties: Sequence[Duty]
) -> dict[str, str] | Stuck:
    """The newName that each name needs; empty for none."""
    wanted: dict[str, str] = {}
    for match in sorted(seen.matched):
        name = split_image(match.after)[0]
        new = _new_name(entry, match, names, duties[match.leaf])
        if wanted.setdefault(name, new) != new:
            numbers = frozenset(match.leaf for match in seen.matched)
            return Stuck(f"{name} would have to become two different images", numbers)
    return wanted


def _same_name(entry: Entry, seen: Seen, values: set[str]) -> Entry | None:
    """The entry under its own name, where that still matches the right texts."""
    if len(values) != 1:
        return None
    same = replace(entry, new_name=next(iter(values)))
    fits = all(same.matches(match.after) for match in seen.matched)
    return same if fits and not _caught([same], seen) and _suffixed_alike(entry, [same]) else None


def _renamed(
    entry: Entry, seen: Seen, wanted: dict[str, str], numbers: frozenset[int]
) -> tuple[Entry, ...] | Stuck:
    made = _split(entry, wanted)
    if entry.literal is None and seen.unknown:
        detail = "the pattern may match images that the tree doesn't show"
    elif not _suffixed_alike(entry, made):
        detail = "its tagSuffix would no longer be added as often as before"
    elif _caught(made, seen):
        detail = "the new name would match an image that the old one doesn't"
    else:
        return tuple(made)
    return Stuck(detail, numbers, made=tuple(made), caught=frozenset(_caught(made, seen)))


def _suffixed_alike(entry: Entry, made: list[Entry]) -> bool:
    return not entry.tag_suffix or all(_doubles(each) == _doubles(entry) for each in made)


def _doubles(entry: Entry) -> bool:
    """Whether an entry still matches its own result.

    Kustomize 5.7 walks most containers twice (`LegacyFilter`, then `Filter`), so such an entry
    adds its suffix two times.
    """
    return not entry.new_name or entry.matches(entry.new_name)


def _dead(entry: Entry, seen: Seen, names: NameMap) -> tuple[Entry, ...] | Stuck:
    mapped = replace(entry, new_name=names.name(entry.new_name) if entry.new_name else "")
    caught = _caught([mapped], seen)
    if caught:
        return Stuck("it would begin to match a rewritten image", frozenset(caught))
    return (mapped,)


def _new_name(entry: Entry, match: Match, names: NameMap, duty: Duty) -> str:
    """The newName that the entry needs for a text; empty when it needs none."""
    result = split_image(match.result)[0]
    if duty is Duty.LEAVE and not entry.new_name:
        return ""
    target = result if duty is Duty.FIXED else names.name(result)
    if entry.new_name:
        return target if result == entry.new_name else names.name(entry.new_name)
    if result != split_image(match.before)[0]:
        return ""
    return "" if target == split_image(match.after)[0] else target


def _split(entry: Entry, wanted: dict[str, str]) -> list[Entry]:
    """One entry for each name, those without a newName first, so that no other's result is met.

    A tag that the name has stays with it: without it other texts would match (K12).
    """
    plain = split_image(entry.literal or "")[0]
    tail = (entry.literal or "")[len(plain) :]
    made = [
        replace(
            entry,
            name=entry.name if name == plain else spell_name(f"{name}{tail}", entry.name),
            new_name=new,
        )
        for name, new in wanted.items()
    ]
    return sorted(made, key=lambda each: bool(each.new_name) and not entry.new_name)


def _caught(made: list[Entry], seen: Seen) -> set[int]:
    """The leaves whose texts the new entries would match though the old one doesn't."""
    return {
        match.leaf for match in seen.missed if any(entry.matches(match.after) for entry in made)
    }
