"""Images in patches: JSON 6902 operations, and inline strings that hold either sort."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from msgspec.structs import replace

from imageshift.data.image_field import ImageField
from imageshift.lazy import lazy_re
from imageshift.sites.custom import find_field_images
from imageshift.sites.entries import find_entry_images
from imageshift.sites.flags import (
    find_argument,
    find_flags,
    find_list,
    find_variable,
    is_spelled_out,
)
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Path,
    Resource,
    Role,
    SiteKind,
    scalar_part,
)
from imageshift.sites.rows import built_in_rows
from imageshift.sites.values import ONE_PART, ValuesContext, find_values_images
from imageshift.sites.workloads import find_pod_images, whole_site
from imageshift.source import Document, Mapping, Node, Scalar, Sequence, parse_embedded

__all__ = ["find_json_patch_images", "find_patch_images", "pointer_steps"]

_VALUES_POINTER = lazy_re(r"^/spec/values(?:/|$)")


class Finder(Protocol):
    """Finds the images of an object in a document, at a path, and knows the rows of a kind."""

    def __call__(self, document: Document, root: Mapping, path: Path) -> Iterator[ImageSite]:
        """The images of an object."""
        ...

    def rows(self, resource: Resource) -> Iterable[ImageField]:
        """The rows of a kind, of all groups where its group isn't known."""
        ...


RowsOf = Callable[[Resource], Iterable[ImageField]]


def _built_in(resource: Resource) -> Iterable[ImageField]:
    return built_in_rows().by_kind.get(resource.kind, ())


Find = Callable[[Document, Resource, Node | None, Path], Iterator[ImageSite]]


def find_patch_images(
    document: Document,
    holder: Node | None,
    resource: Resource,
    find: Finder,
    path: Path,
    target: Mapping | None = None,
) -> Iterator[ImageSite]:
    """The images in a patch that is a text, an object or a list of operations, at a path.

    `find` reads the objects. `target` is what its entry says about the objects that it is for.

    Raises:
        SourceError: the text can't be followed or is no YAML.
    """
    if isinstance(holder, Scalar):
        for inner in parse_embedded(document, holder) if ":" in holder.value else ():
            yield from _root_images(inner, inner.root, (resource, _target(target)), find, ())
    else:
        yield from _root_images(document, holder, (resource, _target(target)), find, path)


def _root_images(
    document: Document,
    root: Node | None,
    kinds: tuple[Resource, Resource],
    find: Finder,
    path: Path,
) -> Iterator[ImageSite]:
    if isinstance(root, Sequence):
        yield from find_json_patch_images(document, root, *kinds, path, find.rows)
    elif isinstance(root, Mapping):
        yield from find(document, root, path)


def _target(selector: Mapping | None) -> Resource:
    if selector is None:
        return Resource()
    group = selector.text("group") or ""
    return Resource(f"{group}/v1" if group else "", selector.text("kind") or "")


def find_json_patch_images(
    document: Document,
    operations: Sequence,
    resource: Resource,
    target: Resource | None = None,
    path: Path = (),
    rows: RowsOf = _built_in,
) -> Iterator[ImageSite]:
    """The images that JSON 6902 operations add, replace or test, in objects like `target`."""
    for index, operation in enumerate(operations.items):
        if isinstance(operation, Mapping) and operation.get("value") is not None:
            kinds, at = (resource, target or Resource()), (*path, index, "value")
            pointer = operation.text("path") or ""
            for site in _operation_images(document, operation, kinds, at, rows):
                steps = "".join(f"/{step}" for step in site.path[len(at) :])
                yield replace(site, pointer=pointer + steps)


def pointer_steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer (RFC 6901), unescaped."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _operation_images(
    document: Document,
    operation: Mapping,
    kinds: tuple[Resource, Resource],
    path: Path,
    rows: RowsOf,
) -> Iterator[ImageSite]:
    """The images of one operation: what its pointer leads to says what its value is."""
    pointer = operation.text("path") or ""
    value = operation.get("value")
    resource, target = kinds
    if _VALUES_POINTER.search(pointer) and value is not None:
        yield from _values_images(document, pointer, value, resource, path)
        return
    steps = tuple(pointer_steps(pointer))
    known: list[ImageSite] = []
    if value is not None:
        known += find_field_images(document, target, value, steps, path, rows(target))
    yield from known
    for pattern, find in () if known else _PLACES:
        if pattern.search(pointer):
            yield from find(document, resource, value, path)
            return


def _reference(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    yield from whole_site(document, resource, value, path, SiteKind.PATCH)


def _container(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    if isinstance(value, Mapping):
        at = (*path, "image")
        yield from _reference(document, resource, value.get("image"), at)
        yield from find_flags(document, resource, value, path)


def _spec(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    if isinstance(value, Mapping):
        yield from find_pod_images(document, resource, value, path)


def _volume(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    image = value.mapping("image") if isinstance(value, Mapping) else None
    if image is not None:
        at = (*path, "image", "reference")
        yield from _reference(document, resource, image.get("reference"), at)


def _argument(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    if value is not None:
        yield from find_argument(document, resource, value, path)


def _variable(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    if value is not None:
        yield from find_variable(document, resource, value, path)


def _unknown(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    """A variable's value, or an image field, of something that the patch doesn't name."""
    if isinstance(value, Scalar) and is_spelled_out(value.value):
        for site in whole_site(document, resource, value, path, SiteKind.PATCH):
            yield site.doubtful("the patch doesn't say what it patches")


def _renderers(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    """The newNames of a release's post-renderers: a list of them, or one."""
    items = [(value, path)]
    if isinstance(value, Sequence):
        items = [(item, (*path, number)) for number, item in enumerate(value.items)]
    for item, at in items:
        kustomize = item.mapping("kustomize") if isinstance(item, Mapping) else None
        if kustomize is not None:
            yield from find_entry_images(document, kustomize, resource, (*at, "kustomize"))


def _whole_list(key: str) -> Find:
    """The finder of a whole list, as a container or a pod's spec would have it at a key."""

    def find(
        document: Document, resource: Resource, value: Node | None, path: Path
    ) -> Iterator[ImageSite]:
        if key in {"args", "command", "env"} and isinstance(value, Sequence):
            yield from find_list(document, resource, (key, value), path)
            return
        item = _volume if key == "volumes" else _container
        for index, node in enumerate(value.items if isinstance(value, Sequence) else ()):
            yield from item(document, resource, node, (*path, index))

    return find


_CONTAINERS = r"/(?:containers|initContainers|ephemeralContainers)"
_PLACES: tuple[tuple[re.Pattern[str], Find], ...] = (
    (lazy_re(rf"{_CONTAINERS}/[^/]+/image$|/volumes/[^/]+/image/reference$"), _reference),
    (lazy_re(rf"{_CONTAINERS}/[^/]+$"), _container),
    (lazy_re(rf"{_CONTAINERS}$"), _whole_list("containers")),
    (lazy_re(r"/volumes/[^/]+$"), _volume),
    (lazy_re(r"/volumes$"), _whole_list("volumes")),
    (lazy_re(r"/(?:args|command)/[^/]+$"), _argument),
    (lazy_re(r"/args$"), _whole_list("args")),
    (lazy_re(r"/command$"), _whole_list("command")),
    (lazy_re(r"/env/[^/]+$"), _variable),
    (lazy_re(r"/env$"), _whole_list("env")),
    (lazy_re(r"/spec(?:/template)?(?:/spec)?$"), _spec),
    (lazy_re(r"^/spec/postRenderers(?:/[^/]+)?$"), _renderers),
    (lazy_re(r"/env/[^/]+/value$"), _unknown),
    (lazy_re(r"^/spec/(?:.*/)?(?:image|\w*Image)(?:Name|Ref|Reference)?$"), _unknown),
)


def _values_images(
    document: Document, pointer: str, value: Node, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    context = ValuesContext(document, resource, kind=SiteKind.PATCH)
    if isinstance(value, Mapping):
        yield from find_values_images(context, value, path)
        return
    part = scalar_part(Role.REPOSITORY, value, path)
    if part is not None and pointer.rsplit("/", 1)[-1] in {"repository", "registry", "image"}:
        site = ImageSite(
            kind=SiteKind.PATCH,
            document=document,
            path=path,
            parts=(part,),
            resource=resource,
            confidence=Confidence.LIKELY,
            needs_host=True,
        )
        whole = "/" in part.text and site.has_host and not pointer.endswith("/registry")
        yield site if whole else site.doubtful(ONE_PART)
