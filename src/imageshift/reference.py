"""Image references, read exactly as `distribution/reference` reads them.

>>> parse_reference("nginx:1.27").normalized
'docker.io/library/nginx:1.27'
>>> parse_reference("docker.io/library/nginx:1.27").familiar
'nginx:1.27'
>>> parse_reference("ghcr.io/org/app:${TAG:=v1}").tag
'${TAG:=v1}'
"""

import re
from functools import lru_cache

from docker_image import digest as docker_digest
from docker_image import reference as docker_reference
from msgspec import Struct
from msgspec.structs import replace

from imageshift.errors import InvalidReferenceError, VariableReferenceError
from imageshift.lazy import lazy_re

__all__ = ["DOCKER_HUB", "ImageReference", "has_host", "name_length", "parse_reference"]

DOCKER_HUB = "docker.io"
"""The registry of names without a host."""

_OFFICIAL = "library"

# Flux's ${VAR:=default} (one may stand in another's default), Kubernetes' $(VAR), the {{...}} of
# Argo's and Go's templates, and the <<...>> of Flux Operator's.
_VARIABLE = lazy_re(
    r"\$\{(?:[^{}\x00-\x1f]|\$\{[^{}\x00-\x1f]*\})*\}"
    r"|\$\([^()\x00-\x1f]*\)|\{\{[^{}\x00-\x1f]*\}\}|<<[^<>\x00-\x1f]*>>"
)
_BLANK = lazy_re(r"[\s\x00-\x1f\x7f]")
_IDENTIFIER = lazy_re(r"[a-f0-9]{64}")
_DIGEST_SHAPE = lazy_re(r"[\w.+-]+(?::\w+)?", re.ASCII)


class ImageReference(Struct, frozen=True):
    """A reference with its parts, always normalised (Docker Hub is `docker.io`).

    `tag` and `digest` are None if the text has none; a tag may be or contain a variable.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def namespace(self) -> str:
        """The repository without its last part; empty if it has only one part."""
        return self.repository.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last part of the repository."""
        return self.repository.rpartition("/")[2]

    @property
    def full_name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def identifier(self) -> str:
        """`:tag@digest`, as far as they are given; may be empty."""
        tag = "" if self.tag is None else f":{self.tag}"
        return tag if self.digest is None else f"{tag}@{self.digest}"

    @property
    def normalized(self) -> str:
        """The complete text: `docker.io/library/nginx:1.27`."""
        return self.full_name + self.identifier

    @property
    def familiar_name(self) -> str:
        """The name as people write it: `nginx`, `bitnami/redis`, `ghcr.io/org/app`.

        It is the full name if the short one would be read as a host or as an image's id.
        """
        if self.registry != DOCKER_HUB:
            return self.full_name
        short = self.name if self.is_official else self.repository
        ambiguous = has_host(short) or _IDENTIFIER.fullmatch(short)
        return self.full_name if ambiguous else short

    @property
    def familiar(self) -> str:
        """The text as people write it: `nginx:1.27`."""
        return self.familiar_name + self.identifier

    @property
    def is_official(self) -> bool:
        """Whether it is in Docker Hub's `library/`."""
        return self.registry == DOCKER_HUB and self.namespace == _OFFICIAL

    def with_name(self, registry: str, repository: str) -> "ImageReference":
        """The same tag and digest under another name."""
        return replace(self, registry=registry, repository=repository)

    def __str__(self) -> str:
        return self.normalized


@lru_cache(maxsize=65536)
def parse_reference(text: str) -> ImageReference:
    """The reference that `text` spells, normalised as Docker does.

    Follows `ParseNormalizedNamed` of github.com/distribution/reference, with SHA-256, SHA-384
    and SHA-512 digests. The tag and the digest may contain variables.

    Raises:
        VariableReferenceError: the registry or repository contains a variable.
        InvalidReferenceError: the text isn't a reference.
    """
    shadow = _shadow(text)
    if not text or _BLANK.search(shadow):
        raise InvalidReferenceError(f"{text!r} isn't an image reference")
    try:
        return _parse_plain(text) if shadow == text else _parse_with_variables(text)
    except (docker_reference.InvalidReference, docker_digest.InvalidDigest) as error:
        raise InvalidReferenceError(f"{text!r} isn't an image reference: {error}") from None


def has_host(text: str) -> bool:
    """Whether the first part of a name or reference is a registry host, by Docker's rule.

    >>> has_host("localhost/x"), has_host("bitnami/redis"), has_host("ghcr.io/x")
    (True, False, True)
    """
    first, slash, _ = text.partition("/")
    if not slash:
        return False
    return first == "localhost" or "." in first or ":" in first or first.lower() != first


def name_length(text: str) -> int:
    """How many characters of a reference's text are its name, before `:tag` and `@digest`.

    >>> name_length("localhost:5000/app:1.0@sha256:...")
    18
    """
    return len(_split_identifier(text)[0])


def _shadow(text: str) -> str:
    """The text with every variable blotted out, so that its own `:`, `/` and `@` don't count."""
    if not any(mark in text for mark in ("$", "{{", "<<")):
        return text
    return _VARIABLE.sub(lambda found: "x" * len(found[0]), text)


def _parse_plain(text: str) -> ImageReference:
    host, slash, _ = text.partition("/")
    # distribution reads a host with an underscore as the path's first part, and runtimes pull
    # from it; docker-image-py 0.2.0 refuses it.
    odd = slash and "_" in host and "." in host
    parsed = docker_reference.Reference.parse_normalized_named(
        f"odd.invalid/{text}" if odd else text
    )
    registry, repository = parsed.domain(), parsed.path()
    if odd:
        registry, _, repository = repository.partition("/")
    return ImageReference(registry, repository, parsed["tag"], parsed["digest"])


def _parse_with_variables(text: str) -> ImageReference:
    name, tag, digest = _split_identifier(text)
    if _VARIABLE.search(name):
        raise VariableReferenceError(f"{text!r} has a variable in its registry or repository")
    checked = _parse_plain(f"{name}:{'x' if tag is None else _VARIABLE.sub('x', tag)}")
    if digest is not None:
        _check_digest(name, digest)
    return replace(checked, tag=tag, digest=digest)


def _check_digest(name: str, digest: str) -> None:
    blanked = _VARIABLE.sub("x", digest)
    if blanked == digest:
        _parse_plain(f"{name}@{digest}")
    elif not _DIGEST_SHAPE.fullmatch(blanked):
        raise docker_digest.InvalidDigest.default()


def _split_identifier(text: str) -> tuple[str, str | None, str | None]:
    """Name, tag and digest of a text, as far as its signs tell."""
    head, at, _ = _shadow(text).partition("@")
    digest = text[len(head) + 1 :] if at else None
    colon = head.find(":", head.rfind("/") + 1)
    if colon < 0:
        return text[: len(head)], None, digest
    return text[:colon], text[colon + 1 : len(head)], digest
