"""What else changes images in a build: further fields, and transformers beside the list."""

import re
from collections.abc import Iterator

from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.kustomize.disk import is_file, is_folder, read_text
from imageshift.kustomize.model import Replacement
from imageshift.source import Document, Mapping, Node, Scalar, SourceText, split_documents

__all__ = ["image_fields", "is_image_transformer", "read_transformers"]

_TRANSFORMER = re.compile(r"\b(?:ImageTag|Patch\w*|Replacement)Transformer\b")


def image_fields(index: Index) -> frozenset[tuple[str, ...]]:
    """The paths of further image fields that any `configurations` file of the tree names.

    Each is taken to hold everywhere: an entry that reaches a field in one build only is then
    judged as if it reached it in all.
    """
    found: set[tuple[str, ...]] = set()
    for kustomization in index.kustomizations.values():
        for name in texts(kustomization.root, "configurations"):
            file = join(kustomization.folder, name)
            for root in _roots(index, file) if file is not None else ():
                for item in root.items("images"):
                    path = item.text("path") if isinstance(item, Mapping) else None
                    if path is not None:
                        found.add(tuple(path.replace("[]", "").strip("/").split("/")))
    return frozenset(found)


def is_image_transformer(index: Index, folder: str, root: Mapping) -> bool:
    """Whether a kustomization has a transformer for images beside its `images:` list."""
    return any(_kind(index, folder, item) for item in root.items("transformers"))


def read_transformers(
    index: Index, file: str, document: Document, root: Mapping
) -> Iterator[Replacement]:
    """The transformers for images: what they match, patch or replace must not change."""
    for item in root.items("transformers"):
        kind = _kind(index, file.rpartition("/")[0], item)
        if kind is not None:
            yield Replacement(
                file,
                document.place(item.start),
                cuts=True,
                foreign=False,
                selects=(),
                detail=f"the {kind} may match it",
            )


def _kind(index: Index, folder: str, item: Node) -> str | None:
    """The kind of a transformer that works on images; None for any other."""
    if not isinstance(item, Scalar):
        return None
    if "\n" in item.value:
        return _kind_in(item.value)
    local = join(folder, item.value)
    if local is None:
        return None
    files = [local] if is_file(index, local) else _files_in(index, local)
    kinds = (_kind_in(read_text(index, file)) for file in files)
    return next(filter(None, kinds), None)


def _kind_in(text: str) -> str | None:
    found = _TRANSFORMER.search(text)
    return found[0] if found is not None and "image" in text else None


def _files_in(index: Index, folder: str) -> list[str]:
    if not is_folder(index, folder):
        return []
    found = sorted(index.workspace.absolute(folder).glob("*.y*ml"))
    return [f"{folder}/{path.name}" for path in found]


def _roots(index: Index, file: str) -> Iterator[Mapping]:
    try:
        source = SourceText.decode(index.workspace.read(file))
        for chunk in split_documents(source):
            for document in chunk.documents():
                yield document.mapping
    except SourceError:
        return
