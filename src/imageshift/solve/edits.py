"""Edits that put new entries in place of a written one, in the file's own style."""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from imageshift.entry import Entry, literal_name
from imageshift.errors import SourceError
from imageshift.links.model import EntrySource
from imageshift.sites.entries import entry_items
from imageshift.source import (
    Document,
    Edit,
    Mapping,
    Scalar,
    Sequence,
    Span,
    insert_item,
    insert_items,
    insert_key,
    remove_item,
    remove_key,
    spell_scalar,
)
from imageshift.source.scalar import content_start

__all__ = ["EntryEdits", "added_edits", "entry_edits", "join_edits"]

_KEYS = {
    "name": "name",
    "newName": "new_name",
    "newTag": "new_tag",
    "digest": "digest",
    "tagSuffix": "tag_suffix",
}

EntryEdits = tuple[Entry, tuple[Edit, ...]]
"""An entry as it will be written, and the edits that write it (none where its site has them)."""


def entry_edits(
    source: EntrySource, made: tuple[Entry, ...], *, emptied: bool = False
) -> list[EntryEdits]:
    """The edits for each entry that takes a place of the written one, or for its end.

    The first stays in place: of several, one that needs no new key. A mapped newName is left to
    its own site. `emptied` says that no entry of the list stays, so that its key goes as well.

    Raises:
        SourceError: the entry's spelling has no room for it (reason `style`).
    """
    if not made:
        return [(source.entry, (_removal(source, emptied=emptied),))]
    first = next((each for each in made if each.new_name == source.entry.new_name), made[0])
    others = [each for each in made if each is not first]
    if source.scalar and any(literal_name(each.name) != each.name for each in made):
        raise SourceError("Argo CD's short form can't express a pattern", reason="style")
    in_place = _argo_edits(source, first) if source.scalar else _mapping_edits(source, first)
    return [(first, in_place), *((other, (_item(source, other),)) for other in others)]


def added_edits(document: Document, root: Mapping, entries: tuple[Entry, ...]) -> list[EntryEdits]:
    """The edits that add entries to a kustomization, with an `images:` key where it has none.

    Raises:
        SourceError: the file's spelling has no room for them (reason `style`).
    """
    items = entry_items(root)
    if items is not None and items.items:
        like = next((item for item in items.items if isinstance(item, Mapping)), None)
        return [(entry, (insert_item(document, items, _lines(entry, like)),)) for entry in entries]
    taken = root.get("images") is not None or root.get("imageTags") is not None
    if taken or root.flow or not root.own:
        raise SourceError("nowhere to put an images list", reason="style")
    return _new_list(document, root, entries)


def join_edits(edits: list[Edit]) -> list[Edit]:
    """The edits, those that add text at one place made one, in the order given."""
    joined: dict[Span, Edit] = {}
    for edit in edits:
        before = joined.get(edit.span)
        adds = before is not None and edit.span.start == edit.span.end
        joined[edit.span] = replace(edit, text=before.text + edit.text) if before and adds else edit
    return list(joined.values())


def _mapping_edits(source: EntrySource, new: Entry) -> tuple[Edit, ...]:
    old, mapping = source.entry, source.mapping
    if mapping is None or new == old:
        return ()
    edits: list[Edit] = []
    name = mapping.scalar("name")
    if name is None or mapping.key("name") is None:
        raise SourceError("the entry's name isn't written here", reason="style")
    if new.name != old.name:
        edits.append(source.document.replace(name, old.name, new.name))
    if new.new_name and not old.new_name:
        edits.append(insert_key(source.document, mapping, "name", "newName", new.new_name))
    if old.new_name and not new.new_name:
        edits.append(remove_key(source.document, mapping, "newName"))
    return tuple(edits)


def _removal(source: EntrySource, *, emptied: bool) -> Edit:
    if emptied and source.holder is not None:
        return remove_key(source.document, *source.holder)
    return remove_item(source.document, source.items, source.index)


def _argo_edits(source: EntrySource, new: Entry) -> tuple[Edit, ...]:
    old, scalar = source.entry, source.scalar
    if scalar is None or new == old:
        return ()
    old_head, new_head = (
        f"{each.name}={each.new_name}" if each.new_name else each.name for each in (old, new)
    )
    return (source.document.replace(scalar, old_head, new_head),)


def _item(source: EntrySource, entry: Entry) -> Edit:
    """The edit that adds an entry right behind the written one."""
    upto = Sequence(source.items.start, source.items.anchor, flow=source.items.flow)
    upto.items = source.items.items[: source.index + 1]
    upto.end = upto.items[-1].end
    if source.items.flow:
        _refuse_single(source)
        item: Any = _overwrite(entry) if source.scalar else dict(_pairs(entry, source.mapping))
        return insert_items(source.document, upto, [item])
    if source.scalar is not None:
        line = spell_scalar(_overwrite(entry), source.scalar.style)
        return insert_item(source.document, upto, [line])
    return insert_item(source.document, upto, _lines(entry, source.mapping))


def _refuse_single(source: EntrySource) -> None:
    """Refuse an entry that stands in no list, as that of a patch or a transformer."""
    text, items = source.document.source.text, source.items
    if text[content_start(text, items.start, items.end)] != "[":
        raise SourceError("nowhere to put a second entry", reason="style")


def _overwrite(entry: Entry) -> str:
    """An entry in Argo CD's short form."""
    head = f"{entry.name}={entry.new_name}" if entry.new_name else entry.name
    return head + _identifier(entry)


def _identifier(entry: Entry) -> str:
    tag = f":{entry.new_tag}" if entry.new_tag else ""
    return tag + (f"@{entry.digest}" if entry.digest else "")


def _lines(entry: Entry, like: Mapping | None) -> list[str]:
    """An entry's lines, its keys in the order and its values in the style of another."""
    return [
        f"{key}: {spell_scalar(value, _style(like, key))}" for key, value in _pairs(entry, like)
    ]


def _pairs(entry: Entry, like: Mapping | None) -> Iterator[tuple[str, str]]:
    """An entry's keys with their values, in the order of another."""
    order = [key.value for key, _ in like.own if isinstance(key, Scalar)] if like else []
    if "newName" not in order and "name" in order:
        order.insert(order.index("name") + 1, "newName")
    keys = [key for key in order if key in _KEYS] + [key for key in _KEYS if key not in order]
    for key in keys:
        value = str(getattr(entry, _KEYS[key]))
        if value:
            yield key, value


def _style(like: Mapping | None, key: str) -> str:
    scalar = None if like is None else like.scalar(key) or like.scalar("name")
    return scalar.style if scalar is not None and scalar.style in {"'", '"'} else ""


def _new_list(document: Document, root: Mapping, entries: tuple[Entry, ...]) -> list[EntryEdits]:
    """An `images:` key at the end of the document, its items indented as other lists are."""
    source = document.source
    indent = _list_indent(document, root)
    text = document.source.text
    end = len(text[: document.end].rstrip())
    made: list[EntryEdits] = []
    newline = source.newline
    for number, entry in enumerate(entries):
        lines = _lines(entry, None)
        item = f"{indent}- " + f"{newline}{indent}  ".join(lines)
        head = f"{newline}images:" if number == 0 else ""
        edit = document.to_file(Edit(Span(end, end), f"{head}{newline}{item}"))
        made.append((entry, (edit,)))
    return made


def _list_indent(document: Document, root: Mapping) -> str:
    text = document.source.text
    for _, value in root.own:
        if isinstance(value, Sequence) and not value.flow and value.items:
            start = text.rfind("\n", 0, value.items[0].start) + 1
            line = text[start : value.items[0].start]
            if line.strip() == "-":
                return line[: line.index("-")]
    return ""
