"""Image fields that the definition of a kind shows: a CRD's schema, read into rows of the table."""

import re
from collections.abc import Iterator

from msgspec import Struct

from imageshift.data.image_field import FieldShape, ImageField
from imageshift.lazy import lazy_re
from imageshift.sites.model import Path, below
from imageshift.source import Mapping

__all__ = ["IMAGE_KEY", "definition_fields", "elsewhere", "is_pushed_to", "schema_fields"]

IMAGE_KEY = lazy_re(
    r"(?:^i|_i|-i|[a-z0-9]I)mage(?:Name|Ref|Reference|_name|URI|URL|Url|PullSpec)?$"
)
"""A field's name that refers to one image."""

_CLOUD = lazy_re(r"(?:^|\.)(?:azure\.com|cnrm\.cloud\.google\.com|services\.k8s\.aws|upbound\.io)$")
_NOT_PULLED = frozenset(
    {"argocd-image-updater.argoproj.io", "eraser.sh", "image.toolkit.fluxcd.io"}
)
_IMAGE_MAPPING = lazy_re(r"(?:^i|_i|[a-z0-9]I)mage(?:Spec)?$")
_IMAGES = lazy_re(r"(?:^i|_i|[a-z0-9]I)mages$")
_PUSH = lazy_re(r"^(?:output|destinations?|tags?)$|push|[a-z]Destinations?$", re.IGNORECASE)
# Elsewhere these are the names of parts, such as a cache that an operator runs.
_PUSH_OF_BUILDS = frozenset({"cache", "target", "to"})
_BUILD = lazy_re(r"^build|Build|build$")
_PUSHED = lazy_re(r"\bpush(?:ed|es|ing)?\b|\b(?:built|resulting|output) image\b", re.IGNORECASE)
_PULLED = lazy_re(
    r"(?:container|docker|oci|sidecar)(?:'?s)? images?\b|docker registry|registry/|image:tag"
    r"|image pull|\bdocker\b|container-images",
    re.IGNORECASE,
)
_MACHINE = lazy_re(
    r"\b(?:machine|vm|virtual|disk|boot|os|operating system|ami|iso|icon|logo|picture|gallery"
    r"|avatar|snapshot)s?\b",
    re.IGNORECASE,
)
_PULL_KEYS = frozenset(
    {"imagePullPolicy", "imagePullSecret", "imagePullSecrets", "image_pull_policy"}
    | {"pullPolicy", "pullSecrets"}
)
_TAG_KEYS = frozenset({"digest", "imageTag", "tag", "version", "versionTag"})
_PARTS = _TAG_KEYS | _PULL_KEYS | {"registry", "repository"}
_CONTAINER_KEYS = frozenset({"args", "command", "env"})
_POD = frozenset({"containers", "restartPolicy", "serviceAccountName"})


def is_pushed_to(path: Path, *, defined: bool = False) -> bool:
    """Whether a field is one to which a build pushes, or is in one.

    Of a field that is `defined` by a schema, names such as `cache` say so only inside of a build.
    """
    steps = [step.removesuffix("[]") for step in path if isinstance(step, str)]
    if any(map(_PUSH.search, steps)):
        return True
    may_push = not _PUSH_OF_BUILDS.isdisjoint(steps)
    return may_push and (not defined or any(map(_BUILD.search, steps)))


def definition_fields(root: Mapping, source: str) -> Iterator[ImageField]:
    """The image fields of a CustomResourceDefinition, each of all its versions once."""
    spec = below(root, "spec")
    group, kind = spec.text("group") or "", below(spec, "names").text("kind") or ""
    found: dict[str, ImageField] = {}
    for schema in _schemas(spec):
        for row in schema_fields(schema, (group, kind), source):
            found.setdefault(row.path, row)
    yield from found.values()


def _schemas(spec: Mapping) -> Iterator[Mapping]:
    for version in spec.items("versions"):
        if isinstance(version, Mapping):
            yield below(version, "schema", "openAPIV3Schema")
    yield below(spec, "validation", "openAPIV3Schema")


def schema_fields(
    schema: Mapping, names: tuple[str, str], source: str = ""
) -> Iterator[ImageField]:
    """The image fields of a schema of a kind, `names` being its group and kind."""
    group, kind = names
    note = elsewhere(group)
    for key, child in below(schema, "properties").pairs():
        if isinstance(child, Mapping) and key.value not in {"metadata", "status"}:
            for shape, path, sure in _fields(_Field(key.value, (key.value,), child, frozenset())):
                yield ImageField(
                    kind, group, path, shape, source, note, certain=not note, full_only=not sure
                )


def elsewhere(group: str) -> str:
    """Why nodes don't pull what a group's objects name; empty where nothing speaks against it."""
    if _CLOUD.search(group):
        return "a cloud service pulls it, not a node"
    return "it is watched or removed, not pulled" if group in _NOT_PULLED else ""


_Found = tuple[FieldShape, str, bool]
"""Shape and path of a field, and whether a name without a registry is an image in it too."""


class _Field(Struct, frozen=True):
    """A property of a schema with the names of those beside it."""

    name: str
    path: tuple[str, ...]
    schema: Mapping
    beside: frozenset[str]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(below(self.schema, "properties").keys())

    @property
    def is_image(self) -> bool:
        return IMAGE_KEY.search(self.name) is not None

    @property
    def names_image(self) -> bool:
        """Whether its text is an image, by its name or as one of an image's own."""
        if self.is_item:
            return _IMAGES.search(self.name) is not None
        return self.is_image or (self.of_image and self.is_sure and self.name not in _PARTS)

    @property
    def of_image(self) -> bool:
        """Whether it stands in a mapping that is called an image."""
        return len(self.path) > 1 and _IMAGE_MAPPING.search(self.path[-2]) is not None

    @property
    def is_sure(self) -> bool:
        """Whether names in it are images of containers, and not perhaps of machines."""
        text = self.schema.text("description") or ""
        if _PULLED.search(text):
            return True
        return bool(self.beside & (_PULL_KEYS | _CONTAINER_KEYS)) and not _MACHINE.search(text)

    @property
    def is_pushed(self) -> bool:
        text = self.schema.text("description") or ""
        return is_pushed_to(self.path, defined=True) or (
            self.is_image and _PUSHED.search(text) is not None
        )

    @property
    def is_item(self) -> bool:
        return self.path[-1] != self.name

    @property
    def is_container(self) -> bool:
        image = below(self.schema, "properties", "image")
        return image.text("type") == "string" and bool(self.keys & _CONTAINER_KEYS)

    def found(self, shape: FieldShape, *below_it: str, sure: bool = True) -> _Found:
        return shape, ".".join((*self.path, *below_it)), sure

    def children(self) -> Iterator["_Field"]:
        keys = self.keys
        for key, child in below(self.schema, "properties").pairs():
            if isinstance(child, Mapping):
                yield _Field(key.value, (*self.path, key.value), child, keys)
        items, values = self.schema.mapping("items"), self.schema.mapping("additionalProperties")
        if items is not None:
            path = (*self.path[:-1], f"{self.path[-1]}[]")
            yield _Field(self.name, path, items, self.beside)
        if values is not None:
            yield _Field(self.name, (*self.path, "*"), values, self.beside)


def _fields(field: _Field) -> Iterator[_Found]:
    if field.is_pushed or field.name == "rbd":  # a volume's image is no container's
        return
    if field.schema.text("type") == "string":
        if field.names_image:
            yield field.found(FieldShape.REFERENCE, sure=field.is_sure)
        return
    whole = _whole(field)
    if whole is not None:
        yield whole
        return
    is_container = field.is_item and field.is_container
    if is_container:
        yield field.found(FieldShape.CONTAINER)
    for child in field.children():
        if not (is_container and child.name == "image"):
            yield from _fields(child)


def _whole(field: _Field) -> _Found | None:
    """The row of a mapping whose shape says everything that is in it."""
    keys = field.keys
    if field.schema.text("x-kubernetes-embedded-resource") == "true":
        return field.found(FieldShape.OBJECT)
    if keys >= _POD:
        return field.found(FieldShape.POD_SPEC)
    spec = below(field.schema, "properties", "spec", "properties")
    if "metadata" in keys and spec.keys() >= _POD:
        return field.found(FieldShape.POD_TEMPLATE)
    return _image_mapping(field, keys) if _IMAGE_MAPPING.search(field.name) else None


def _image_mapping(field: _Field, keys: frozenset[str]) -> _Found | None:
    if "repository" in keys and keys & _TAG_KEYS:
        return field.found(FieldShape.IMAGE_MAP)
    if keys == {"reference", "pullPolicy"}:
        return field.found(FieldShape.REFERENCE, "reference")
    name = next((key for key in ("name", "repo") if key in keys), None)
    if name is None or not keys & (_PULL_KEYS | _TAG_KEYS):
        return None
    # A name with a tag beside it may be one to which the operator adds a registry.
    return field.found(FieldShape.REFERENCE, name, sure=name == "repo" or not keys & _TAG_KEYS)
