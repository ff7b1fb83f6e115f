"""`replacements` that copy images or parts of them (fact K9)."""

from collections.abc import Iterator

from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.readers import read_documents
from imageshift.links.model import Replacement
from imageshift.source import Document, Mapping, Scalar, Sequence

__all__ = ["read_replacement", "read_replacements"]

_EMPTY = Mapping(0, None, flow=False)


def read_replacements(
    index: Index, file: str, document: Document, root: Mapping
) -> Iterator[Replacement]:
    """The replacements of a kustomization that read or write an image."""
    for item in root.items("replacements"):
        if not isinstance(item, Mapping):
            continue
        path = item.text("path")
        if path is None:
            yield from read_replacement(file, document, item)
        elif (name := join(file.rpartition("/")[0], path)) is not None:
            yield from _read_file(index, name)


def _read_file(index: Index, name: str) -> Iterator[Replacement]:
    for document in read_documents(index.workspace, name):
        root = document.root
        for item in root.items if isinstance(root, Sequence) else [root]:
            if isinstance(item, Mapping):
                yield from read_replacement(name, document, item)


def read_replacement(file: str, document: Document, item: Mapping) -> Iterator[Replacement]:
    """One replacement, where it reads or writes an image."""
    source = item.mapping("source") or _EMPTY
    reads = "ontainers" in (source.text("fieldPath") or "")
    cuts, takes_name = _options(source)
    selects = [_object(source)] if reads else []
    writes = False
    for target in item.items("targets"):
        if not isinstance(target, Mapping):
            continue
        paths = [path.value for path in target.items("fieldPaths") if isinstance(path, Scalar)]
        if any(_is_image(path) for path in paths):
            writes = True
            selects.append(_object(target.mapping("select") or _EMPTY))
            target_cuts, target_name = _options(target)
            cuts, takes_name = cuts or target_cuts, takes_name and target_name
    if reads or writes:
        yield Replacement(
            file,
            document.place(item.start),
            cuts,
            foreign=writes and not reads and takes_name,
            selects=tuple(selects),
        )


def _is_image(path: str | None) -> bool:
    """Whether a field path ends at a container's image."""
    return path is not None and path.replace("[", ".").split(".")[-1] in {"image", "reference"}


def _options(owner: Mapping) -> tuple[bool, bool]:
    """Whether a delimiter cuts a reference's path, and whether the piece is or holds its name."""
    options = owner.mapping("options") or _EMPTY
    delimiter = options.text("delimiter")
    if delimiter is None:
        return False, True
    return delimiter not in {":", "@"}, (options.text("index") or "0") == "0"


def _object(select: Mapping) -> tuple[str, str]:
    return select.text("kind") or "", select.text("name") or ""
