"""What changes images in a build beside its own list: further fields, and `transformers:` (E1).

Kustomize's own transformers are the effects that a kustomization has anyway, written elsewhere.
Of any other nobody knows what it does.
"""

from collections.abc import Iterator

from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import read_documents
from imageshift.links.disk import is_file, is_folder
from imageshift.links.model import Patch, Replacement
from imageshift.links.replacements import read_replacement
from imageshift.sites.transformers import PATCH_KEYS, is_transformer
from imageshift.source import Document, Mapping, Node, Scalar, parse_embedded

__all__ = ["image_fields", "image_tag", "read_transformer", "transformer_objects"]


Held = tuple[str, Document, Mapping]
"""An object with its file and document."""


def image_fields(index: Index) -> frozenset[tuple[str, ...]]:
    """The paths of further image fields that any `configurations` file of the tree names.

    Each is taken to hold everywhere: an entry that reaches a field in one build only is then
    judged as if it reached it in all.
    """
    found: set[tuple[str, ...]] = set()
    for kustomization in index.kustomizations.values():
        for name in texts(kustomization.root, "configurations"):
            file = join(kustomization.folder, name)
            for document in read_documents(index.workspace, file) if file is not None else ():
                for item in document.mapping.items("images"):
                    path = item.text("path") if isinstance(item, Mapping) else None
                    if path is not None:
                        found.add(tuple(path.replace("[]", "").strip("/").split("/")))
    return frozenset(found)


def transformer_objects(
    index: Index, file: str, document: Document, root: Mapping
) -> Iterator[Held]:
    """The objects that a kustomization's `transformers:` are, in their order.

    One that isn't in the tree, or can't be read, is an empty object: nobody knows what it does.
    """
    folder = file.rpartition("/")[0]
    for item in root.items("transformers"):
        if isinstance(item, Scalar):
            unknown = file, document, Mapping(item.start, None, flow=False)
            yield from list(_objects(index, file, document, folder, item)) or [unknown]


def _objects(
    index: Index, file: str, document: Document, folder: str, item: Scalar
) -> Iterator[Held]:
    if "\n" in item.value:
        try:
            found = parse_embedded(document, item)
        except SourceError:
            return
        yield from ((file, inner, inner.mapping) for inner in found)
        return
    local = join(folder, item.value)
    for name in () if local is None else _files(index, local):
        for inner in read_documents(index.workspace, name):
            yield name, inner, inner.mapping


def _files(index: Index, local: str) -> list[str]:
    """The files that a transformer's path means; a folder's are all that it has."""
    if is_file(index, local):
        return [local]
    if not is_folder(index, local):
        return []
    inside = index.folders.get(local)
    files = [] if inside is None else sorted(inside.files)
    return [name for name in files if name.endswith((".yaml", ".yml"))]


def image_tag(held: Held) -> Mapping | None:
    """The one entry of an ImageTagTransformer that works like `images:`; None for any other."""
    root = held[2]
    own = is_transformer(root) and root.text("kind") == "ImageTagTransformer"
    return root.mapping("imageTag") if own and not root.items("fieldSpecs") else None


def read_transformer(held: Held, place: Node) -> Iterator[Patch | Replacement]:
    """What a transformer does to images, other than by an entry; `place` is where it is named."""
    file, document, root = held
    kind = root.text("kind") or ""
    if not is_transformer(root):
        known = f"the transformer {kind or file}" if root.own else "a transformer from elsewhere"
        yield _opaque(held, place, f"{known} may change it")
    elif kind in PATCH_KEYS:
        yield from _patches(file, document, root, kind)
    elif kind == "ReplacementTransformer":
        for item in root.items("replacements"):
            if isinstance(item, Mapping):
                yield from read_replacement(file, document, item)
    elif kind == "ImageTagTransformer" and root.items("fieldSpecs"):
        yield _opaque(held, place, "an ImageTagTransformer with its own fields may match it")


def _opaque(held: Held, place: Node, detail: str) -> Replacement:
    file, document, root = held
    at = document.place(root.start if root.own else place.start)
    return Replacement(file, at, cuts=True, foreign=False, selects=(), detail=detail)


def _patches(file: str, document: Document, root: Mapping, kind: str) -> Iterator[Patch]:
    node, target = root.get(PATCH_KEYS[kind]), root.mapping("target")
    if node is not None and not (isinstance(node, Scalar) and node.is_empty):
        yield Patch(file, document, node, target)
    for name in filter(None, (root.text("path"), *texts(root, "paths"))):
        local = join(file.rpartition("/")[0], name)
        if local is not None:
            yield Patch(local, target=target)
