"""Images in Helm values: no schema says where they are, so their shape and names must.

Facts H1 and H8 list the spellings that charts use; design §5 says how sure each is.
"""

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from imageshift.errors import InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.reference import has_host, parse_reference
from imageshift.sites.annotations import is_image_annotation
from imageshift.sites.flags import find_flag_values, find_flags, is_spelled_out
from imageshift.sites.generic import find_embedded_pods
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
from imageshift.sites.name_parts import is_host, part_around, part_beside
from imageshift.sites.workloads import whole_site
from imageshift.source import Document, Mapping, Node, Scalar, Sequence

__all__ = [
    "GLOBAL_REGISTRIES",
    "ONE_PART",
    "REPOSITORY_KEYS",
    "ValuesContext",
    "find_values_images",
    "flat_stem",
    "global_registry",
    "is_partial",
]

_MAX_NODES = 200_000

_IMAGE_KEY = lazy_re(r"images?|.*[a-z0-9]Images?|img|.*[_-]images?")
_BARE_KEY = lazy_re(r"image(?:Name|Ref|Reference)?|.*[a-z0-9]Image|img|.*[_-]image")
REPOSITORY_KEYS = ("repository", "repo", "image", "name")
"""Under these a chart's values have an image's repository, the surest first."""

_IDENTIFIER_KEYS = {"tag", "digest", "sha", "registry", "pullPolicy", "imagePullPolicy", "version"}
_VOLUME_KEYS = {"reference", "pullPolicy"}
_MARKS = {"tag", "digest", "sha", "pullPolicy"}
_CONTAINERS_KEY = lazy_re(r"(?:[cC]ontainers|[sS]idecars)$")
_FLAT_REPOSITORY = lazy_re(r"(.*[iI]mage)(?:Repository|Repo|_repository|_repo)")
_FLAT_REGISTRY = lazy_re(r"(.*[iI]mage)(?:Registry|_registry)")
_NO_REGISTRY = "no registry is given, so the chart may prepend one"
_REGISTRY_ALONE = "only a registry: the chart has the rest"
ONE_PART = "a patch of one part of an image"
_SHARED = lazy_re(r"default|global", re.IGNORECASE)
_PICTURE = lazy_re(r"\.(?:png|jpe?g|gif|svg|webp|ico|bmp)(?:[?#].*)?$", re.IGNORECASE)
_NO_NAME = lazy_re(r"://|\.git$|^[/.~]|^oci:|\s|^git@|\$\(")
GLOBAL_REGISTRIES: tuple[Path, ...] = (
    ("global", "imageRegistry"),
    ("global", "image", "registry"),
    ("global", "registry"),
    ("global", "repository"),
    ("global", "hub"),
)
"""Where values set one registry for all images of a chart."""


class ValuesContext(Struct, frozen=True):
    """What is known about the chart that takes the values.

    `prefix_free` is true for charts proven by a render not to put a registry of their own
    before a repository.
    """

    document: Document
    resource: Resource
    prefix_free: bool = False
    kind: SiteKind = SiteKind.VALUES


def global_registry(values: Mapping) -> str | None:
    """The key by which the values set one registry for all images (`global.imageRegistry`)."""
    for path in GLOBAL_REGISTRIES:
        node: Node | None = values
        for step in path:
            node = node.get(str(step)) if isinstance(node, Mapping) else None
        if isinstance(node, Scalar) and not node.is_empty:
            return ".".join(map(str, path))
    return None


def flat_stem(key: str) -> tuple[str, int] | None:
    """The stem of `imageRegistry` with 0, of `imageRepository` with 1; None for other keys."""
    registry, repository = _FLAT_REGISTRY.fullmatch(key), _FLAT_REPOSITORY.fullmatch(key)
    if registry is not None:
        return registry[1], 0
    return None if repository is None else (repository[1], 1)


def is_partial(site: ImageSite) -> bool:
    """Whether a site is doubtful only because other values must have the rest of it."""
    return site.note in {_NO_REGISTRY, _REGISTRY_ALONE, ONE_PART}


def find_values_images(context: ValuesContext, values: Mapping, path: Path) -> Iterator[ImageSite]:
    """The images that values name, below `path`, with how sure each is."""
    key = global_registry(values)
    for site in _Search(context).below(values, path, image_key=False):
        if key is not None:
            yield site.doubtful(f"{key} may override it; only the chart can tell")
        else:
            yield site


class _Search:
    """One walk over the values of one release."""

    def __init__(self, context: ValuesContext) -> None:
        self._context = context
        self._left = _MAX_NODES
        self._above: list[Mapping] = []

    def below(self, node: Node, path: Path, *, image_key: bool) -> Iterator[ImageSite]:
        self._left -= 1
        if self._left < 0:
            return
        if isinstance(node, Mapping):
            self._above.append(node)
            yield from self._mapping(node, path, image_key=image_key)
            self._above.pop()
        elif isinstance(node, Sequence):
            for index, item in enumerate(node.items):
                at = (*path, index)
                if isinstance(item, Scalar):
                    yield from self._listed(item, at, image_key=image_key)
                else:
                    yield from self.below(item, at, image_key=image_key)

    def _mapping(self, node: Mapping, path: Path, *, image_key: bool) -> Iterator[ImageSite]:
        reference = node.get("reference") if path[-1:] == ("image",) else None
        if isinstance(reference, Scalar) and node.keys() <= _VOLUME_KEYS:
            yield from self._bare(node, reference, (*path, "reference"))
            return
        block = self._block(node, path, image_key=image_key)
        taken = set() if block is None else {id(part.scalar) for part in block.parts}
        if block is not None:
            yield block
        yield from find_flags(self._context.document, self._context.resource, node, path)
        for key, value in node.pairs():
            name = key.value
            if isinstance(value, Scalar):
                if id(value) not in taken:
                    at = (*path, name)
                    found = [*self._scalar(node, name, value, at)]
                    yield from found or self._listed(value, at, image_key=image_key)
            else:
                is_image = _IMAGE_KEY.fullmatch(name) is not None
                yield from self.below(value, (*path, name), image_key=is_image)

    def _listed(self, value: Scalar, path: Path, *, image_key: bool) -> Iterator[ImageSite]:
        """One of several references below `images`, which may be a list of what is allowed."""
        if image_key and is_spelled_out(value.value):
            part = Part(Role.REFERENCE, value, path)
            yield self._site(path, (part,)).doubtful(
                "one of several values under a key that is named after images"
            )

    def _scalar(self, node: Mapping, name: str, value: Scalar, path: Path) -> Iterator[ImageSite]:
        flat = _FLAT_REPOSITORY.fullmatch(name)
        if flat is not None:
            yield from self._flat(node, flat[1], value, path)
        elif is_image_annotation(name):
            # Charts hand annotations on as they are, so a short name is whole.
            document, resource = self._context.document, self._context.resource
            for site in whole_site(document, resource, value, path, SiteKind.FLAG):
                yield replace(site, confidence=Confidence.LIKELY)
        elif _BARE_KEY.fullmatch(name):
            yield from self._bare(node, value, path)
        elif "\n" in value.value:
            document, resource = self._context.document, self._context.resource
            listed = _CONTAINERS_KEY.search(name) is not None
            yield from find_embedded_pods(document, value, resource, path, listed=listed)
        else:
            yield from find_flag_values(
                self._context.document, self._context.resource, name, value, path
            )

    def _block(self, node: Mapping, path: Path, *, image_key: bool) -> ImageSite | None:
        """The image that a mapping spells with registry, repository, tag and digest."""
        repository = self._repository(node, path, image_key=image_key)
        registry = scalar_part(Role.REGISTRY, node.get("registry"), (*path, "registry"))
        if repository is None:
            if registry is None or not image_key:
                return None
            parts = (registry, *_identifiers(node, path))
            return self._site(path, parts).doubtful(_REGISTRY_ALONE)
        if _NO_NAME.search(repository.text):
            return None
        parts = tuple(part for part in (registry, repository) if part is not None)
        site = self._judged(self._site(repository.path, (*parts, *_identifiers(node, path))))
        beside = part_beside(node, REPOSITORY_KEYS) if image_key or registry else None
        if beside is not None:
            return site.doubtful(f"`{beside}` beside it may be a part of the image's name")
        return _with_last(site, node, path)

    def _repository(self, node: Mapping, path: Path, *, image_key: bool) -> Part | None:
        if not image_key and not (_MARKS & node.keys()):
            return None
        has_identifier = bool(_IDENTIFIER_KEYS & node.keys())
        for key in REPOSITORY_KEYS:
            part = scalar_part(Role.REPOSITORY, node.get(key), (*path, key))
            if part is None or not part.scalar.is_string:
                continue
            if key == "repository" and (image_key or _has_identity(node)):
                return part
            if key != "repository" and image_key and has_identifier:
                return part
            if key == "image" and node.get("registry") is not None and _has_identity(node):
                return part
        return None

    def _flat(self, node: Mapping, stem: str, value: Scalar, path: Path) -> Iterator[ImageSite]:
        """`imageRepository` with `imageTag` and `imageRegistry` beside it."""
        repository = scalar_part(Role.REPOSITORY, value, path)
        if repository is None or not value.is_string or _NO_NAME.search(value.value):
            return
        parts = [repository]
        for role, endings in _FLAT_KEYS:
            names = (f"{stem}{ending}" for ending in endings)
            found = (scalar_part(role, node.get(name), (*path[:-1], name)) for name in names)
            parts += [part for part in found if part is not None][:1]
        site = self._judged(self._site(path, tuple(sorted(parts, key=_role_order))))
        beside = part_beside(
            node, {key.value for key, _ in node.pairs() if not key.value.startswith(stem)}
        )
        if beside is not None:
            site = site.doubtful(f"`{beside}` beside it may be a part of the image's name")
        shared = _SHARED.match(stem)
        yield site if shared is None else site.doubtful("a default, which other keys complete")

    def _bare(self, node: Mapping, value: Scalar, path: Path) -> Iterator[ImageSite]:
        """`image: ref`, one string, or a name whose tag or digest stands beside it."""
        text = value.value
        if value.is_empty or not value.is_string or _NO_NAME.search(text):
            return
        part = Part(Role.REFERENCE, value, path)
        site = self._site(path, (part,))
        try:
            reference = parse_reference(text)
        except InvalidReferenceError:
            # Variables in the name are told as such; other texts are no images.
            if "$" in text and ("/" in text or ":" in text):
                yield site
            return
        if _PICTURE.search(text):
            yield site.doubtful("it may be a picture")
        elif reference.tag is None and reference.digest is None:
            beside = _identifiers(node, path[:-1], "version") if path[-1] == "image" else ()
            if beside:
                yield self._judged(self._site(path, (Part(Role.REPOSITORY, value, path), *beside)))
            else:
                yield site.doubtful("it has neither tag nor digest")
        else:
            yield self._judged(site)

    def _judged(self, site: ImageSite) -> ImageSite:
        registry = site.part(Role.REGISTRY)
        if registry is not None:
            return self._judged_split(site, registry.text)
        if self._context.prefix_free:
            return site
        if has_host(site.name_text) or "$" in site.name_text:
            return site
        return site.doubtful(_NO_REGISTRY)

    def _judged_split(self, site: ImageSite, registry: str) -> ImageSite:
        if not is_host(registry):
            return site.doubtful(f"`{registry}` isn't a host, so the chart may prepend one")
        around = None if self._context.prefix_free else part_around(reversed(self._above))
        return site if around is None else replace(site, apart=around)

    def _site(self, path: Path, parts: tuple[Part, ...]) -> ImageSite:
        return ImageSite(
            kind=self._context.kind,
            document=self._context.document,
            path=path,
            parts=parts,
            resource=self._context.resource,
            confidence=Confidence.LIKELY,
            needs_host=not self._context.prefix_free,
        )


_FLAT_KEYS = (
    (Role.REGISTRY, ("Registry", "_registry")),
    (Role.TAG, ("Tag", "Version", "_tag", "_version")),
    (Role.DIGEST, ("Digest", "Sha", "_digest", "_sha")),
)
_ROLES = (Role.REGISTRY, Role.REPOSITORY, Role.TAG, Role.DIGEST)


def _role_order(part: Part) -> int:
    return _ROLES.index(part.role)


def _with_last(site: ImageSite, node: Mapping, path: Path) -> ImageSite:
    """A site, doubtful where another key may have the last part of its name."""
    first = site.main
    others = [key for key in REPOSITORY_KEYS if key != first.path[-1] and node.text(key)]
    last = scalar_part(Role.REPOSITORY, node.get(others[0]), (*path, others[0])) if others else None
    if last is None or not _is_short(site.name_text):
        return site
    if site.part(Role.REGISTRY) is None and has_host(f"{first.text}/name"):
        rest = (part for part in site.parts if part is not first)
        site = replace(site, parts=(replace(first, role=Role.REGISTRY), last, *rest))
    return site.doubtful(f"`{others[0]}` beside it may be the last part of the image's name")


def _is_short(name: str) -> bool:
    """Whether a name has one part only behind its registry."""
    return name.count("/") <= has_host(name)


def _has_identity(node: Mapping) -> bool:
    return bool(_MARKS & node.keys())


def _identifiers(node: Mapping, path: Path, *more: str) -> tuple[Part, ...]:
    """The tag and digest in a mapping; `more` are other keys for the tag."""
    tags = (scalar_part(Role.TAG, node.get(key), (*path, key)) for key in ("tag", *more))
    tag = next((part for part in tags if part is not None), None)
    digests = (scalar_part(Role.DIGEST, node.get(key), (*path, key)) for key in ("digest", "sha"))
    found = [tag, *[part for part in digests if part is not None][:1]]
    return tuple(part for part in found if part is not None)
