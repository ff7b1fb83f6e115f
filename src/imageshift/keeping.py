"""What only rendered charts leave alone, noted where runs without rendering see it: in `keep:`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from imageshift.config import KeepEntry
from imageshift.errors import SourceError
from imageshift.reference import name_length
from imageshift.repo.read import read_file
from imageshift.repo.workspace import CONFIG_NAME
from imageshift.repo.write import Write
from imageshift.repo.writer import Writer
from imageshift.rewrite import Change, Kept, plan_site
from imageshift.run import Run
from imageshift.sites.keeps import path_text
from imageshift.solve.edits import join_edits
from imageshift.source import (
    Document,
    Mapping,
    SourceText,
    apply_edits,
    insert_item,
    insert_items,
    spell_scalar,
    split_documents,
)
from imageshift.source import Sequence as Items

__all__ = ["keeps_of", "with_keeps", "write_keeps"]

_HEAD = "# Images that only rendering leaves alone; `check FILE` and the hooks leave them too.\n"


def keeps_of(run: Run) -> list[KeepEntry]:
    """An entry for each image that a text-only run would move and that rendering leaves."""
    found = () if run.charts is None else run.charts.left()
    made = {_entry(file, kept): None for file, kept in found if _would_move(run, file, kept)}
    return sorted(made, key=lambda each: (each.file or "", each.path))


def _would_move(run: Run, file: str, kept: Kept) -> bool:
    return run.is_written(file) and isinstance(plan_site(kept.site, run.mapper(file)), Change)


def _entry(file: str, kept: Kept) -> KeepEntry:
    text = kept.site.text
    return KeepEntry(
        reason=kept.detail or str(kept.reason),
        file=f"/{file}",
        path=path_text(kept.site.path),
        image=text[: name_length(text)],
    )


def write_keeps(run: Run, entries: Sequence[KeepEntry], writer: Writer) -> Path:
    """Adds entries to the run's configuration, or to a new one at the root; the file.

    Raises:
        SourceError: it can't be read or written, or has nowhere to put them (reason `style`).
    """
    path = run.config_file or run.workspace.root / CONFIG_NAME
    before = read_file(path) if run.config_file is not None else None
    text = "" if before is None else SourceText.decode(before).text
    writer.write([Write(path, before, with_keeps(text, entries).encode())])
    return path


def with_keeps(text: str, entries: Sequence[KeepEntry]) -> str:
    """A configuration's text with further entries of `keep:`.

    Raises:
        SourceError: it has nowhere to put them (reason `style`).
    """
    document = next(iter(_documents(text)), None)
    root = None if document is None else document.root
    items = root.get("keep") if isinstance(root, Mapping) else None
    if document is not None and isinstance(items, Items):
        after = _added(document, items, entries)
    elif items is None and (not isinstance(root, Mapping) or not root.flow):
        gap = "" if not text or text.endswith("\n") else "\n"
        after = f"{text}{gap}{_HEAD}keep:\n{''.join(map(_item, entries))}"
    else:
        raise SourceError("nowhere to put a `keep` list", reason="style")
    if _count(after) != _count(text) + len(entries):
        raise SourceError("the `keep` entries would not parse as planned", reason="style")
    return after


def _added(document: Document, items: Items, entries: Sequence[KeepEntry]) -> str:
    if items.flow:
        edits = [insert_items(document, items, [dict(_pairs(entry)) for entry in entries])]
    else:
        lines = ([f"{key}: {spell_scalar(text, '')}" for key, text in _pairs(e)] for e in entries)
        edits = join_edits([insert_item(document, items, each) for each in lines])
    return apply_edits(document.source.text, edits)


def _item(entry: KeepEntry) -> str:
    lines = [f"{key}: {spell_scalar(text, '')}" for key, text in _pairs(entry)]
    return "  - " + "\n    ".join(lines) + "\n"


def _pairs(entry: KeepEntry) -> Iterator[tuple[str, str]]:
    pairs = ("file", entry.file), ("path", entry.path), ("image", entry.image)
    yield from ((key, text) for key, text in (*pairs, ("reason", entry.reason)) if text)


def _documents(text: str) -> Iterator[Document]:
    for chunk in split_documents(SourceText(text)):
        yield from chunk.documents()


def _count(text: str) -> int:
    roots = (document.root for document in _documents(text))
    return sum(len(root.items("keep")) for root in roots if isinstance(root, Mapping))
