"""Images in kinds that no table knows: containers are sure enough, other images are listed."""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from imageshift.data.official_images import OFFICIAL_IMAGES
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.lazy import lazy_re
from imageshift.reference import has_host, parse_reference
from imageshift.sites.definitions import is_pushed_to
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
from imageshift.sites.workloads import (
    CONTAINER_KEYS,
    find_container_images,
    find_pod_images,
    find_volume_image,
)
from imageshift.source import Document, Mapping, Node, Scalar, Sequence, parse_template, walk

__all__ = ["LABEL_KEYS", "find_embedded_pods", "find_generic_images"]

_IMAGE_KEY = lazy_re(r"(?:^image|[a-z0-9]Image|[_-]image)(?:Name|Ref|Reference|_name|URI|Url)?$")
LABEL_KEYS = frozenset({"labels", "matchLabels", "selector"})
"""Where labels stand, which name no image that is pulled."""

_NO_IMAGE = lazy_re(r"^[/.~\d]|\.(?:png|jpe?g|gif|svg|webp|ico|bmp|iso|qcow2|img|raw|vmdk)$")


def find_generic_images(
    document: Document,
    root: Mapping,
    resource: Resource,
    path: Path,
    skip: Iterable[Node | None] = (),
) -> Iterator[ImageSite]:
    """Pods and image volumes in a kind's fields (likely), and other `image` fields (doubtful).

    Nodes to `skip` aren't looked into.
    """
    skipped = frozenset(map(id, (root.get("metadata"), root.get("status"), *skip)))
    yield from _Walk(document, resource, skipped).below(root, path, depth=0)


def find_embedded_pods(
    document: Document, holder: Scalar, resource: Resource, path: Path, *, listed: bool = False
) -> Iterator[ImageSite]:
    """The containers of pods that a text holds as YAML or JSON, such as a runner's pod template.

    With `listed` the text itself may be a list of containers, as a chart's `extraContainers: |`.
    """
    if holder.style == "" or "image" not in holder.value:
        return
    if not listed and "ontainers" not in holder.value:
        return
    try:
        documents = parse_template(document, holder)
    except SourceError:
        return
    for inner in documents:
        if listed and isinstance(inner.root, Sequence):
            yield from _listed(inner, inner.root, resource, path)
        for site in _Walk(inner, resource).below(inner.mapping, path, depth=0):
            if site.confidence is Confidence.LIKELY:
                yield site
        for text in (node for node in walk(inner.root) if isinstance(node, Scalar)):
            yield from find_embedded_pods(inner, text, resource, path)


def _listed(
    document: Document, containers: Sequence, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    for index, item in enumerate(containers.items):
        if isinstance(item, Mapping) and item.text("name") and item.text("image"):
            for site in find_container_images(document, resource, item, (*path, index)):
                yield replace(site, confidence=Confidence.LIKELY)


class _Walk(Struct, frozen=True):
    """The walk over an object whose fields aren't known."""

    document: Document
    resource: Resource
    skipped: frozenset[int] = frozenset()

    def below(self, node: Node, path: Path, *, depth: int) -> Iterator[ImageSite]:
        """The images of a node and of everything in it."""
        if depth > 40 or id(node) in self.skipped:  # noqa: PLR2004 deeper than any object is
            return
        if isinstance(node, Sequence):
            for index, item in enumerate(node.items):
                yield from self.below(item, (*path, index), depth=depth + 1)
        elif isinstance(node, Mapping):
            yield from self._mapping(node, path, depth)

    def _mapping(self, node: Mapping, path: Path, depth: int) -> Iterator[ImageSite]:
        is_pod = _is_pod(node)
        found = find_pod_images if is_pod else find_volume_image
        for site in found(self.document, self.resource, node, path):
            yield replace(site, confidence=Confidence.LIKELY)
        for key, value in node.pairs():
            at = (*path, key.value)
            if _IMAGE_KEY.search(key.value):
                yield from _image(self.document, value, self.resource, at)
            read = is_pod and key.value in {*CONTAINER_KEYS, "volumes"}
            if not (read or key.value in LABEL_KEYS):
                yield from self.below(value, at, depth=depth + 1)


def _is_pod(node: Mapping) -> bool:
    """Whether a mapping has a list of containers: items with both a name and an image."""
    return any(
        isinstance(item, Mapping) and item.text("name") and item.text("image")
        for key in CONTAINER_KEYS
        for item in node.items(key)
    )


def _image(document: Document, value: Node, resource: Resource, path: Path) -> Iterator[ImageSite]:
    """What looks like an image, in full or in short form, but may be no place to pull from."""
    parts = tuple(_parts(value, path))
    if not parts:
        return
    site = ImageSite(
        kind=SiteKind.CUSTOM,
        document=document,
        path=path,
        parts=parts,
        resource=resource,
        confidence=Confidence.EXACT,
    )
    if is_spelled_out(site.text) or _is_short_form(site.text):
        pushed = is_pushed_to(path)
        note = (
            "a build pushes to it"
            if pushed
            else f"{resource.kind} isn't a kind that imageshift knows"
        )
        yield site.doubtful(note)


def _is_short_form(text: str) -> bool:
    """Whether a text behind a key for images names one without a registry: `restic/restic:1`."""
    if _NO_IMAGE.search(text):
        return False
    try:
        reference = parse_reference(text)
    except InvalidReferenceError:
        return False
    identified = reference.tag is not None or reference.digest is not None
    if not has_host(text) and text.count("/") > 1:
        return False  # Docker Hub has no such names
    return identified or "/" in text or text in OFFICIAL_IMAGES


def _parts(value: Node, path: Path) -> Iterator[Part]:
    if isinstance(value, Scalar):
        yield Part(Role.REFERENCE, value, path)
        return
    keys = (Role.REGISTRY, Role.REPOSITORY, Role.TAG, Role.DIGEST)
    found = {
        role: scalar_part(role, value.get(role.value), (*path, role.value))
        for role in keys
        if isinstance(value, Mapping)
    }
    if found.get(Role.REPOSITORY) is not None:
        yield from (part for part in found.values() if part is not None)
