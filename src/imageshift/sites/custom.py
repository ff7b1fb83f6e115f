"""Images in custom resources, by a table of paths."""

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from imageshift.data.image_field import FieldShape, ImageField
from imageshift.errors import SourceError
from imageshift.sites.flags import is_spelled_out
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
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.sites.workloads import find_custom_container, find_pod_images, whole_site
from imageshift.source import Document, Mapping, Node, Scalar, Sequence, parse_template

__all__ = ["FILLED", "find_carried_objects", "find_custom_images", "find_field_images", "select"]


class Found(Struct, frozen=True):
    """A node that a path leads to, with its own path and the document that it stands in."""

    document: Document
    node: Node
    path: Path


def find_custom_images(
    document: Document, root: Mapping, resource: Resource, path: Path, rows: Iterable[ImageField]
) -> Iterator[ImageSite]:
    """The images at the paths that some rows have for a kind."""
    for row in rows:
        for found in select(document, root, row.path):
            if row.shape is FieldShape.PREFIX:
                yield from _prefix_sites(row, resource, found, (document, root, path))
            else:
                yield from _row_sites(row, resource, found, path + found.path)


def _prefix_sites(
    row: ImageField, resource: Resource, found: Found, owner: tuple[Document, Mapping, Path]
) -> Iterator[ImageSite]:
    """The images behind a prefix, whose names stand nowhere; all of them move it, or none does."""
    document, root, path = owner
    node, at = found.node, path + found.path
    if not isinstance(node, Scalar) or node.is_empty:
        return
    tags = (one.node for one in select(document, root, row.version) if row.version)
    tag = next((scalar_part(Role.TAG, each, path) for each in tags), None)
    sure = not row.needs or any(True for _ in select(document, root, row.needs))
    for image in row.images:
        name = Scalar(node.start, node.start, None, image, "", None)
        parts = (Part(Role.REGISTRY, node, at), Part(Role.REPOSITORY, name, at))
        site = ImageSite(
            kind=SiteKind.CUSTOM,
            document=found.document,
            path=at,
            parts=parts if tag is None else (*parts, tag),
            resource=resource,
            confidence=Confidence.EXACT,
        )
        yield site if sure else site.doubtful(row.note)


def _row_sites(
    row: ImageField, resource: Resource, found: Found, path: Path
) -> Iterator[ImageSite]:
    for site in _sites(row.shape, found.document, resource, found.node, path):
        if not row.certain:
            yield site.doubtful(row.note)
        elif row.full_only and not is_spelled_out(site.text):
            yield site.doubtful(_SHORT)
        else:
            yield site


_SHORT = "without a registry and a tag it may be something else, such as a machine's image"


def find_field_images(
    document: Document,
    resource: Resource,
    node: Node,
    steps: Path,
    path: Path,
    rows: Iterable[ImageField],
) -> Iterator[ImageSite]:
    """The images in a node that stands at `steps` of an object of a kind; `path` is its own.

    A list's index may be a number or `-`. A kind without a group is that kind in any group.
    """
    for row in rows:
        if row.group in {"*", resource.group} or not resource.group:
            pattern = _steps(row.path)
            if row.shape is FieldShape.CONTAINER and steps[-1:] == ("image",):
                pattern = [*pattern, "image"]
            ahead = pattern[len(steps) :]
            if len(pattern) >= len(steps) and all(map(_fits, pattern, steps)):
                for found in _select(Found(document, node, ()), ahead):
                    yield from _field_sites(row, resource, found, path + found.path)


def _field_sites(
    row: ImageField, resource: Resource, found: Found, path: Path
) -> Iterator[ImageSite]:
    """As `_row_sites`; a container's image may be set alone."""
    if row.shape is FieldShape.CONTAINER and isinstance(found.node, Scalar):
        row = replace(row, shape=FieldShape.REFERENCE)
    yield from _row_sites(row, resource, found, path)


def _fits(pattern: str, step: str | int) -> bool:
    """Whether a step of a pointer is one of those that a path's own step stands for."""
    if pattern == "[]":
        return step == "-" or str(step).isdigit()
    return pattern in {"*", str(step)}


def find_carried_objects(
    document: Document, root: Mapping, path: Path, rows: Iterable[ImageField]
) -> Iterator[tuple[Document, Mapping, Path]]:
    """The whole objects that one of a kind carries, as they are or as text, with their paths."""
    for row in rows:
        if row.shape is FieldShape.OBJECT:
            for found in select(document, root, row.path):
                for inner, node in _mappings(found):
                    yield inner, node, path + found.path


def _mappings(found: Found) -> Iterator[tuple[Document, Mapping]]:
    """The mapping that a node is, or those that it holds as text."""
    if isinstance(found.node, Mapping):
        yield found.document, found.node
    elif isinstance(found.node, Scalar):
        for inner in _embedded(found.document, found.node):
            yield inner, inner.mapping


def _embedded(document: Document, text: Scalar) -> list[Document]:
    """The documents inside a text; none where it is no YAML even without its templates."""
    if ":" not in text.value:
        return []
    try:
        return parse_template(document, text)
    except SourceError:
        return []


def select(document: Document, root: Node, pattern: str) -> Iterator[Found]:
    """The nodes at a dotted path; `[]` stands for each item, `*` for each value of a mapping.

    A path goes on in a text where that is YAML itself.
    """
    yield from _select(Found(document, root, ()), _steps(pattern))


def _steps(pattern: str) -> list[str]:
    return pattern.replace("[]", ".[]").lstrip(".").split(".")


def _select(found: Found, steps: list[str]) -> Iterator[Found]:
    if not steps:
        yield found
        return
    node, rest = found.node, steps[1:]
    if isinstance(node, Scalar):
        for inner in _embedded(found.document, node):
            if inner.root is not None:
                yield from _select(Found(inner, inner.root, found.path), steps)
        return
    for key, child in _children(node, steps[0]):
        yield from _select(Found(found.document, child, (*found.path, key)), rest)


def _children(node: Node, step: str) -> Iterator[tuple[str | int, Node]]:
    if step == "[]" and isinstance(node, Sequence):
        yield from enumerate(node.items)
    elif step == "*" and isinstance(node, Mapping):
        yield from ((key.value, value) for key, value in node.pairs())
    elif isinstance(node, Mapping) and (child := node.get(step)) is not None:
        yield step, child


def _sites(
    shape: FieldShape, document: Document, resource: Resource, node: Node, path: Path
) -> Iterator[ImageSite]:
    if shape is FieldShape.VALUES:
        for inner, values in _mappings(Found(document, node, ())):
            found = find_values_images(ValuesContext(inner, resource), values, path)
            yield from (site.doubtful(FILLED) for site in found) if inner.masked else found
    elif shape in _SCALARS and isinstance(node, Mapping):
        yield from _image_map(FieldShape.IMAGE_MAP, document, resource, node, path)
    elif shape in _SCALARS:
        yield from whole_site(document, resource, node, path, SiteKind.CUSTOM)
    elif isinstance(node, Mapping):
        yield from _mapping_sites(shape, document, resource, node, path)


def _mapping_sites(
    shape: FieldShape, document: Document, resource: Resource, node: Mapping, path: Path
) -> Iterator[ImageSite]:
    if shape is FieldShape.POD_SPEC:
        yield from find_pod_images(document, resource, node, path)
    elif shape is FieldShape.POD_TEMPLATE:
        spec = node.mapping("spec")
        if spec is not None:
            yield from find_pod_images(document, resource, spec, (*path, "spec"))
    elif shape is FieldShape.TEKTON:
        yield from find_tekton_images(document, resource, node, path)
    elif shape is FieldShape.CONTAINER:
        yield from find_custom_container(document, resource, node, path)
    elif shape is FieldShape.OPENSHIFT_SOURCE:
        if node.text("kind") == "DockerImage":
            at = (*path, "name")
            yield from whole_site(document, resource, node.get("name"), at, SiteKind.CUSTOM)
    else:
        yield from _image_map(shape, document, resource, node, path)


def _image_map(
    shape: FieldShape, document: Document, resource: Resource, node: Mapping, path: Path
) -> Iterator[ImageSite]:
    parts = tuple(_map_parts(_MAP_KEYS.get(shape, ()), node, path))
    if not any(part.role in {Role.REPOSITORY, Role.REFERENCE} for part in parts):
        return
    site = ImageSite(
        kind=SiteKind.CUSTOM,
        document=document,
        path=path,
        parts=parts,
        resource=resource,
        confidence=Confidence.EXACT,
    )
    in_three = shape is FieldShape.REGISTRY_REPOSITORY_NAME
    yield site.doubtful(_IN_THREE) if in_three else site


FILLED = "a value in a template, known only when it is filled"
"""Why what stands in values that are a template is only listed."""

_IN_THREE = "registry, repository and name are three keys here: set the registry by hand"


_SCALARS = frozenset({FieldShape.REFERENCE, FieldShape.NAME_WITHOUT_TAG})
_MapKeys = tuple[tuple[Role, tuple[str, ...]], ...]
_MAP_KEYS: dict[FieldShape, _MapKeys] = {
    FieldShape.IMAGE_MAP: (
        (Role.REGISTRY, ("registry",)),
        (Role.REPOSITORY, ("repository", "repo")),
        (Role.TAG, ("tag", "version", "versionTag", "imageTag")),
        (Role.DIGEST, ("digest", "hash")),
    ),
    FieldShape.REPOSITORY_IMAGE_VERSION: (
        (Role.REGISTRY, ("repository",)),
        (Role.REPOSITORY, ("image",)),
        (Role.TAG, ("version",)),
    ),
    FieldShape.REGISTRY_REPOSITORY_NAME: ((Role.REFERENCE, ("registry", "repository", "name")),),
}


def _map_parts(roles: _MapKeys, node: Mapping, path: Path) -> Iterator[Part]:
    for role, keys in roles:
        parts = (scalar_part(role, node.get(key), (*path, key)) for key in keys)
        yield from islice((part for part in parts if part is not None), 1)
