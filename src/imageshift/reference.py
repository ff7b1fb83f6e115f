"""Image references, read exactly as `distribution/reference` reads them.

>>> parse_reference("nginx:1.27").normalized
'docker.io/library/nginx:1.27'
>>> parse_reference("docker.io/library/nginx:1.27").familiar
'nginx:1.27'
>>> parse_reference("ghcr.io/org/app:${TAG:=v1}").tag
'${TAG:=v1}'
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from docker_image import digest as docker_digest
from docker_image import reference as docker_reference

from imageshift.errors import InvalidReferenceError, VariableReferenceError

__all__ = ["DOCKER_HUB", "ImageReference", "has_host", "name_length", "parse_reference"]

DOCKER_HUB = "docker.io"
"""The registry that names without a host mean."""

_OFFICIAL = "library"

# Flux's ${VAR:=default}, Kubernetes' $(VAR), and the {{...}} of Argo's and Go's templates.
_VARIABLE = re.compile(r"\$\{[^{}]*\}|\$\([^()]*\)|\{\{[^{}]*\}\}")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A reference with its parts, always normalised (Docker Hub is `docker.io`).

    `tag` and `digest` are None where the text has none; a tag may be or hold a variable.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @property
    def namespace(self) -> str:
        """The repository less its last part; empty when it has one part only."""
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
        """`:tag@digest` as far as there are any; may be empty."""
        tag = "" if self.tag is None else f":{self.tag}"
        return tag if self.digest is None else f"{tag}@{self.digest}"

    @property
    def normalized(self) -> str:
        """The complete text: `docker.io/library/nginx:1.27`."""
        return self.full_name + self.identifier

    @property
    def familiar_name(self) -> str:
        """The name as people write it: `nginx`, `bitnami/redis`, `ghcr.io/org/app`."""
        if self.registry != DOCKER_HUB:
            return self.full_name
        official = self.namespace == _OFFICIAL
        return self.name if official else self.repository

    @property
    def familiar(self) -> str:
        """The text as people write it: `nginx:1.27`."""
        return self.familiar_name + self.identifier

    @property
    def is_official(self) -> bool:
        """Whether it lies in Docker Hub's `library/`."""
        return self.registry == DOCKER_HUB and self.namespace == _OFFICIAL

    def with_name(self, registry: str, repository: str) -> "ImageReference":
        """The same tag and digest under another name."""
        return replace(self, registry=registry, repository=repository)

    def __str__(self) -> str:
        return self.normalized


@lru_cache(maxsize=65536)
def parse_reference(text: str) -> ImageReference:
    """The reference that `text` spells, normalised as Docker does.

    Follows `ParseNormalizedNamed` of github.com/distribution/reference. Variables may stand
    in the tag and in the digest.

    Raises:
        VariableReferenceError: a variable stands in the registry or repository.
        InvalidReferenceError: the text is no reference.
    """
    if not text or _BLANK.search(text):
        raise InvalidReferenceError(f"{text!r} is no image reference")
    if "$" in text or "{{" in text:
        return _parse_with_variables(text)
    return _parse_plain(text)


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
    end = text.find("@")
    end = len(text) if end < 0 else end
    colon = text.find(":", text.rfind("/", 0, _first_variable(text, end)) + 1, end)
    return end if colon < 0 else colon


def _first_variable(text: str, end: int) -> int:
    found = _VARIABLE.search(text, 0, end)
    return end if found is None else found.start()


def _parse_plain(text: str) -> ImageReference:
    try:
        parsed = docker_reference.Reference.parse_normalized_named(text)
    except (docker_reference.InvalidReference, docker_digest.InvalidDigest) as error:
        raise InvalidReferenceError(f"{text!r} is no image reference: {error}") from None
    repository = parsed.repository
    return ImageReference(repository["domain"], repository["path"], parsed["tag"], parsed["digest"])


def _parse_with_variables(text: str) -> ImageReference:
    name, tag, digest = _split_identifier(text)
    if _VARIABLE.search(name):
        raise VariableReferenceError(f"{text!r} has a variable in its registry or repository")
    blanked = _VARIABLE.sub("x", tag or "")
    checked = _parse_plain(name + (f":{blanked}" if tag is not None else ""))
    if digest is not None and not _VARIABLE.search(digest):
        checked = _parse_plain(f"{name}@{digest}")
    return replace(checked, tag=tag, digest=digest)


def _split_identifier(text: str) -> tuple[str, str | None, str | None]:
    """Name, tag and digest of a text with variables, whose own `:`, `/` and `@` don't count."""
    shadow = _VARIABLE.sub(lambda found: "x" * len(found[0]), text)
    head, at, _ = shadow.partition("@")
    digest = text[len(head) + 1 :] if at else None
    colon = head.find(":", head.rfind("/") + 1)
    if colon < 0:
        return text[: len(head)], None, digest
    return text[:colon], text[colon + 1 : len(head)], digest
