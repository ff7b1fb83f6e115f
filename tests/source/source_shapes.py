"""Trees as plain values, so that a test can compare whole ones."""

from imageshift.source import Document, Mapping, Root, Scalar, Sequence, SourceText, split_documents

__all__ = ["Shape", "documents", "only", "scalars", "shape", "values"]

Shape = tuple[object, ...] | None


def documents(text: str) -> list[Document]:
    """Return every document of a text."""
    chunks = split_documents(SourceText(text))
    return [document for chunk in chunks for document in chunk.documents()]


def only(text: str) -> Document:
    """Return the one document of a text."""
    (document,) = documents(text)
    return document


def shape(root: Root) -> Shape:
    """Return a tree with its offsets, anchors, styles and tags."""
    if root is None:
        return None
    head = (root.start, root.end, root.anchor)
    if isinstance(root, Scalar):
        return (*head, root.value, root.style, root.tag)
    if isinstance(root, Mapping):
        return (*head, root.flow, [(shape(key), shape(value)) for key, value in root.own])
    assert isinstance(root, Sequence)
    return (*head, root.flow, [shape(item) for item in root.items])


def values(root: Root) -> object:
    """Return a tree's values alone: pairs, lists and texts with whether they are quoted."""
    if isinstance(root, Scalar):
        return (root.value, bool(root.style), root.tag)
    if isinstance(root, Mapping):
        return [(values(key), values(value)) for key, value in root.own]
    return [values(item) for item in root.items] if isinstance(root, Sequence) else None


def scalars(text: str, root: Root) -> list[tuple[str, str]]:
    """Return the characters and the value of every scalar, in the order of the text."""
    if isinstance(root, Scalar):
        return [(text[root.start : root.end], root.value)]
    if isinstance(root, Mapping):
        return [found for pair in root.own for part in pair for found in scalars(text, part)]
    items = root.items if isinstance(root, Sequence) else []
    return [found for item in items for found in scalars(text, item)]
