"""What a finder finds: places in documents that name an image."""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from imageshift.reference import has_host, name_length
from imageshift.source import Document, Mapping, Node, Place, Scalar, Sequence

__all__ = [
    "Confidence",
    "ImageSite",
    "Origin",
    "Part",
    "Path",
    "Resource",
    "Role",
    "SiteKind",
    "SkipReason",
    "below",
    "paths_below",
    "resource_of",
]

Path = tuple[str | int, ...]
"""Keys and 0-based indexes from a document's root to a node."""


class SiteKind(StrEnum):
    """The dialect that a site was found in."""

    WORKLOAD = "workload"
    CUSTOM = "custom"
    FLAG = "flag"
    VALUES = "values"
    KUSTOMIZE = "kustomize"
    PATCH = "patch"
    CHART = "chart"
    TEXT = "text"


class Confidence(StrEnum):
    """How certain it is that a site is an image, and that its text is the whole image."""

    EXACT = "exact"
    RENDERED = "rendered"
    LIKELY = "likely"
    DOUBTFUL = "doubtful"


class Origin(StrEnum):
    """Where an image's text is: in a file, in a chart, in what it renders, or elsewhere."""

    WRITTEN = "written"
    CHART = "chart"
    POST_RENDERER = "post-renderer"
    REMOTE_BASE = "remote-base"


class Role(StrEnum):
    """Which part of a reference a scalar spells."""

    REFERENCE = "reference"
    REGISTRY = "registry"
    REPOSITORY = "repository"
    TAG = "tag"
    DIGEST = "digest"


class SkipReason(StrEnum):
    """Why something stays as it is, or moves (a published list: docs/exit-codes.md)."""

    TEMPLATE = "template"
    UNPARSABLE = "unparsable"
    NOT_UTF8 = "not-utf8"
    SOPS = "sops"
    GENERATED = "generated"
    NOT_A_REFERENCE = "not-a-reference"
    VARIABLE = "variable"
    NO_RULE = "no-rule"
    IGNORED = "ignored"
    STYLE = "style"
    CONFLICT = "conflict"
    PLACEHOLDER = "placeholder"
    IMMUTABLE = "immutable"
    OWN_REPOSITORY = "own-repository"
    OTHER_ECR = "other-ecr"
    BAD_ACCOUNT = "bad-account"
    CHANGED = "changed"
    UNWRITABLE = "unwritable"
    UNPROVEN = "unproven"
    WRONG_CACHE_PATH = "wrong-cache-path"
    """The only reason for which something moves although it names the cache."""
    NOT_PULLED = "not-pulled"
    NOT_OURS = "not-ours"
    OTHER_FORMAT = "other-format"
    UNCLAIMED = "unclaimed"


class Resource(Struct, frozen=True):
    """The Kubernetes object that a document is; fields are empty where the document has none."""

    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""

    @property
    def group(self) -> str:
        """The API group, without the version; empty for the core group."""
        return self.api_version.rpartition("/")[0]


def below(mapping: Mapping, *keys: str) -> Mapping:
    """The mapping under some keys; an empty one where there is none."""
    found: Mapping | None = mapping
    for key in keys:
        found = None if found is None else found.mapping(key)
    return found or Mapping(0, None, flow=False)


def paths_below(node: Node, path: Path) -> Iterator[tuple[int, Path]]:
    """The paths of the scalars below a node, by their identity."""
    if isinstance(node, Mapping):
        for key, value in node.pairs():
            yield from paths_below(value, (*path, key.value))
    elif isinstance(node, Scalar):
        yield id(node), path
    elif isinstance(node, Sequence):
        for number, item in enumerate(node.items):
            yield from paths_below(item, (*path, number))


def resource_of(mapping: Mapping) -> Resource:
    """The object that a mapping with apiVersion, kind and metadata is."""
    metadata = mapping.mapping("metadata") or Mapping(0, None, flow=False)
    return Resource(
        mapping.text("apiVersion") or "",
        mapping.text("kind") or "",
        metadata.text("namespace") or "",
        metadata.text("name") or metadata.text("generateName") or "",
    )


class Part(Struct, frozen=True):
    """One scalar of a site; its value holds the part from the character `lead` on."""

    role: Role
    scalar: Scalar
    path: Path
    lead: int = 0

    @property
    def text(self) -> str:
        """The part's own text."""
        return self.scalar.value[self.lead :]


class ImageSite(Struct, frozen=True, kw_only=True):
    """A place that names an image, as a whole or split over several scalars.

    `note` says why it is doubtful; `skip` is the finder's own reason to leave it alone.
    `origin` says whether its text is written at all; where it isn't, the place is that of the
    release which runs it. `needs_host` is true where a name without a registry could mean another
    one: in values of a chart that isn't known to add none. `apart` is a key that a chart may put
    between its registry and its repository. `pointer` is where a value of a JSON
    6902 operation goes in the patched object.
    """

    kind: SiteKind
    document: Document
    path: Path
    parts: tuple[Part, ...]
    resource: Resource
    confidence: Confidence
    note: str | None = None
    skip: SkipReason | None = None
    detail: str | None = None
    pull_secrets: bool = False
    origin: Origin = Origin.WRITTEN
    needs_host: bool = False
    apart: str | None = None
    pointer: str | None = None

    def part(self, role: Role) -> Part | None:
        """The part with a role, or None."""
        return next((part for part in self.parts if part.role is role), None)

    @property
    def main(self) -> Part:
        """The part whose place is the site's: the whole reference, or the repository."""
        for role in (Role.REFERENCE, Role.REPOSITORY):
            if (part := self.part(role)) is not None:
                return part
        return self.parts[0]

    @property
    def text(self) -> str:
        """The reference as the parts spell it together."""
        main = self.main
        if main.role in {Role.REFERENCE, Role.REGISTRY}:
            return main.text
        return self.name_text + self.identifier_text

    @property
    def name_text(self) -> str:
        """Registry and repository as they are written."""
        main = self.main
        if main.role is Role.REFERENCE:
            return main.text[: name_length(main.text)]
        registry = self.part(Role.REGISTRY)
        if registry is None or main.role is Role.REGISTRY:
            return main.text
        return f"{registry.text.rstrip('/')}/{main.text}"

    @property
    def identifier_text(self) -> str:
        """`:tag@digest` of a split site, as far as written; a tag may hold the digest (H8)."""
        tag, digest = self.part(Role.TAG), self.part(Role.DIGEST)
        text = f":{tag.text}" if tag is not None else ""
        if digest is not None:
            algorithm = "" if ":" in digest.text or "$" in digest.text else "sha256:"
            text = text.removesuffix(f"@{algorithm}{digest.text}") + f"@{algorithm}{digest.text}"
        return text

    @property
    def has_host(self) -> bool:
        """Whether the written name says its registry."""
        return has_host(self.name_text)

    @property
    def is_written(self) -> bool:
        """Whether its text stands in the file, or will."""
        return self.origin is Origin.WRITTEN or self.main.scalar.start < self.main.scalar.end

    @property
    def place(self) -> Place:
        """Where the site stands in its file."""
        return self.part_place(self.main)

    def part_place(self, part: Part) -> Place:
        """Where a part stands in the file."""
        return self.document.place(self.document.value_start(part.scalar) + part.lead)

    def lines(self) -> Iterator[int]:
        """The 1-based lines of the file on which the site's scalars begin."""
        yield from {self.part_place(part).line for part in self.parts}

    def doubtful(self, note: str) -> "ImageSite":
        """The same site, not sure enough to be rewritten."""
        return replace(self, confidence=Confidence.DOUBTFUL, note=note)

    def skipped(self, reason: SkipReason, detail: str) -> "ImageSite":
        """The same site, to be left alone."""
        return replace(self, skip=reason, detail=detail)


def scalar_part(role: Role, node: Node | None, path: Path) -> Part | None:
    """A part for a scalar with content, else None."""
    if isinstance(node, Scalar) and not node.is_empty:
        return Part(role, node, path)
    return None
