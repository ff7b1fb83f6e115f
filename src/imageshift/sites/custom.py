"""Images in custom resources, by a table of paths."""

import re
from collections.abc import Iterable, Iterator

from imageshift.data.custom_resources import CUSTOM_RESOURCES
from imageshift.data.image_field import FieldShape, ImageField
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
    scalar_part,
)
from imageshift.sites.tekton import find_tekton_images
from imageshift.sites.workloads import find_custom_container, find_pod_images, whole_site
from imageshift.source import Document, Mapping, Node, Sequence

__all__ = [
    "find_carried_objects",
    "find_custom_images",
    "find_field_images",
    "find_own_images",
    "knows",
    "select",
]


def _by_kind(rows: Iterable[ImageField]) -> dict[str, tuple[ImageField, ...]]:
    table: dict[str, tuple[ImageField, ...]] = {}
    for row in rows:
        table[row.kind] = (*table.get(row.kind, ()), row)
    return table


_ROWS = _by_kind(CUSTOM_RESOURCES)


def knows(resource: Resource) -> bool:
    """Whether the table has a row for a kind in its group."""
    return bool(_fitting(_ROWS.get(resource.kind, ()), resource))


def _fitting(rows: Iterable[ImageField], resource: Resource) -> list[ImageField]:
    return [row for row in rows if row.kind == resource.kind and row.group in {"*", resource.group}]


def find_custom_images(
    document: Document, root: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The images at the paths that the built-in table has for a kind."""
    rows = _ROWS.get(resource.kind, ())
    yield from find_own_images(document, root, resource, path, rows)


def find_own_images(
    document: Document, root: Mapping, resource: Resource, path: Path, own: Iterable[ImageField]
) -> Iterator[ImageSite]:
    """The images at the paths that rows of the user's have for a kind."""
    for row in _fitting(own, resource):
        for at, node in select(root, row.path):
            for site in _sites(row.shape, document, resource, node, path + at):
                yield site if row.certain else site.doubtful(row.note)


def find_field_images(
    document: Document, resource: Resource, node: Node, steps: Path, path: Path
) -> Iterator[ImageSite]:
    """The images in a node that stands at `steps` of an object of a kind; `path` is its own.

    A list's index may be a number or `-`. A kind without a group is that kind in any group.
    """
    pattern = ".".join(str(step) for step in steps)
    for row in _ROWS.get(resource.kind, ()):
        wanted = re.escape(row.path).replace(r"\[\]", r"\.(?:\d+|-)").replace(r"\*", r"[^.]+")
        if resource.group in {"", row.group} and re.fullmatch(wanted, pattern):
            for site in _sites(row.shape, document, resource, node, path):
                yield site if row.certain else site.doubtful(row.note)


def find_carried_objects(
    root: Mapping, resource: Resource, path: Path
) -> Iterator[tuple[Path, Mapping]]:
    """The whole objects that one of a kind carries inside, with their paths."""
    for row in _fitting(_ROWS.get(resource.kind, ()), resource):
        if row.shape is FieldShape.OBJECT:
            for at, node in select(root, row.path):
                if isinstance(node, Mapping):
                    yield path + at, node


def select(root: Node, pattern: str) -> Iterator[tuple[Path, Node]]:
    """The nodes at a dotted path; `[]` stands for each item, `*` for each value of a mapping."""
    yield from _select(root, pattern.replace("[]", ".[]").lstrip(".").split("."), ())


def _select(node: Node | None, steps: list[str], path: Path) -> Iterator[tuple[Path, Node]]:
    if node is None:
        return
    if not steps:
        yield path, node
        return
    step, rest = steps[0], steps[1:]
    if step == "[]" and isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _select(item, rest, (*path, index))
    elif step == "*" and isinstance(node, Mapping):
        for key, value in node.pairs():
            yield from _select(value, rest, (*path, key.value))
    elif isinstance(node, Mapping):
        yield from _select(node.get(step), rest, (*path, step))


def _sites(
    shape: FieldShape, document: Document, resource: Resource, node: Node, path: Path
) -> Iterator[ImageSite]:
    if shape in {FieldShape.REFERENCE, FieldShape.NAME_WITHOUT_TAG}:
        yield from whole_site(document, resource, node, path, SiteKind.CUSTOM)
    elif not isinstance(node, Mapping):
        return
    elif shape is FieldShape.POD_SPEC:
        yield from find_pod_images(document, resource, node, path)
    elif shape is FieldShape.POD_TEMPLATE:
        spec = node.mapping("spec")
        if spec is not None:
            yield from find_pod_images(document, resource, spec, (*path, "spec"))
    elif shape is FieldShape.TEKTON:
        yield from find_tekton_images(document, resource, node, path)
    elif shape is FieldShape.CONTAINER:
        yield from find_custom_container(document, resource, node, path)
    else:
        yield from _image_map(shape, document, resource, node, path)


def _image_map(
    shape: FieldShape, document: Document, resource: Resource, node: Mapping, path: Path
) -> Iterator[ImageSite]:
    parts = tuple(_map_parts(_MAP_KEYS.get(shape, ()), node, path))
    if any(part.role is Role.REPOSITORY for part in parts):
        yield ImageSite(
            kind=SiteKind.CUSTOM,
            document=document,
            path=path,
            parts=parts,
            resource=resource,
            confidence=Confidence.EXACT,
        )


_MAP_KEYS = {
    FieldShape.IMAGE_MAP: (
        (Role.REGISTRY, "registry"),
        (Role.REPOSITORY, "repository"),
        (Role.TAG, "tag"),
        (Role.DIGEST, "digest"),
    ),
    FieldShape.REPOSITORY_IMAGE_VERSION: (
        (Role.REGISTRY, "repository"),
        (Role.REPOSITORY, "image"),
        (Role.TAG, "version"),
    ),
}


def _map_parts(keys: tuple[tuple[Role, str], ...], node: Mapping, path: Path) -> Iterator[Part]:
    for role, key in keys:
        part = scalar_part(role, node.get(key), (*path, key))
        if part is not None:
            yield part
