"""One question to one registry: is this image there, and is it the one that is meant?

Sources: OCI Distribution Specification 1.1, "Checking if content exists in the registry" and
"Error codes"; Docker Hub's "Usage and limits": a HEAD of a manifest isn't counted as a pull.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any

from msgspec import Struct

from imageshift.data.renamed import RENAMED
from imageshift.errors import InvalidReferenceError, NetworkError
from imageshift.net import Registry, Response
from imageshift.net.registry import decode_json
from imageshift.reference import ImageReference, parse_reference

__all__ = ["ACCEPT", "Answer", "Question", "State", "fits", "platform_of", "refusal"]

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
ACCEPT = ", ".join(
    (
        *_INDEXES,
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
"""The kinds of manifests and indexes that images have."""

_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _BUSY = 200, 401, 403, 404, 429


class State(StrEnum):
    """What has become of an image; all but the first and the last are findings."""

    THERE = "there"
    GONE = "upstream-gone"
    RENAMED = "upstream-renamed"
    DENIED = "upstream-denied"
    PLATFORM = "platform-missing"
    TAG_MOVED = "tag-moved"
    UNKNOWN = "upstream-unknown"


class Answer(Struct, frozen=True):
    """What a registry says about an image; `age` is how many seconds ago it was asked."""

    state: State
    detail: str = ""
    age: float = 0.0
    busy: bool = False


class Question(Struct, frozen=True):
    """An image, and the platforms that it is needed for (`linux/arm64`)."""

    image: ImageReference
    platforms: tuple[str, ...] = ()

    def ask(self, registry: Registry, others: Mapping[str, Registry]) -> Answer:
        """The answer of its registry; `others` are those that may have it under another name."""
        image = self.image
        try:
            found = _head(registry, image, image.digest or image.tag or "latest")
            if found.status == _OK:
                return self._looked_at(registry)
            absent = found.status in (_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND)
            moved = _renamed(image, others) if absent else None
            return moved or refusal(registry, image, found)
        except NetworkError as error:
            return Answer(State.UNKNOWN, str(error))

    def _looked_at(self, registry: Registry) -> Answer:
        """What is wrong with an image that is there."""
        image = self.image
        if image.digest and image.tag:
            tagged = _head(registry, image, image.tag)
            digest = tagged.headers.get("docker-content-digest", "")
            if tagged.status == _NOT_FOUND:
                return Answer(
                    State.TAG_MOVED, (f"the tag {image.tag} is gone, but the digest exists")
                )
            if tagged.status == _OK and digest and digest != image.digest:
                return Answer(State.TAG_MOVED, f"the tag {image.tag} is {digest} now")
        missing = self._missing(registry) if self.platforms else []
        if missing:
            return Answer(State.PLATFORM, f"it isn't built for {', '.join(missing)}")
        return Answer(State.THERE)

    def _missing(self, registry: Registry) -> list[str]:
        image = self.image
        answer = registry.manifest(image.repository, image.digest or image.tag or "latest", ACCEPT)
        if answer.status != _OK:
            return []
        manifest = _map(decode_json(answer.body, f"{image.full_name}: its manifest"))
        rows = manifest.get("manifests")
        if isinstance(rows, list):
            found = {platform_of(_map(_map(row).get("platform"))) for row in rows}
        else:
            found = {self._own_platform(registry, manifest)}
        return [asked for asked in self.platforms if not fits(asked, found)]

    def _own_platform(self, registry: Registry, manifest: Mapping[str, Any]) -> str:
        """The platform of a single image, which its configuration says."""
        digest = _map(manifest.get("config")).get("digest")
        if not isinstance(digest, str):
            return ""
        answer = registry.blob(self.image.repository, digest)
        if answer.status != _OK:
            return ""
        return platform_of(_map(decode_json(answer.body, f"{self.image.full_name}: its config")))


def _head(registry: Registry, image: ImageReference, reference: str) -> Response:
    return registry.has_manifest(image.repository, reference, ACCEPT)


def refusal(registry: Registry, image: ImageReference, found: Response) -> Answer:
    """What an answer means that isn't the image.

    Raises:
        NetworkError: the registry gives no answer.
    """
    if found.status == _BUSY:
        return Answer(State.UNKNOWN, f"{image.registry}: its rate limit is reached", busy=True)
    if found.status not in (_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND):
        return Answer(State.UNKNOWN, f"{image.registry}: it answers {found.status}")
    if found.status != _NOT_FOUND:
        note = registry.note or registry.login.note
        more = f" ({note})" if note else ""
        login = "with the login that is available" if registry.login.header else "without a login"
        detail = f"{login} it can't be read: it is private, or doesn't exist{more}"
        return Answer(State.DENIED, detail)
    if not registry.has_repository(image.repository):
        return Answer(State.GONE, f"{image.registry} has no repository {image.repository}")
    what = image.digest or image.tag or "latest"
    return Answer(State.GONE, f"{image.familiar_name} has no {what}")


def _renamed(image: ImageReference, others: Mapping[str, Registry]) -> Answer | None:
    """Where an image is now, if it is one of those that are known to have moved."""
    for candidate in candidates(image):
        registry = others.get(candidate.registry)
        reference = candidate.digest or candidate.tag or "latest"
        if registry is not None:
            with suppress(NetworkError):
                if _head(registry, candidate, reference).status == _OK:
                    return Answer(State.RENAMED, f"it is {candidate.familiar} now")
    return None


def candidates(image: ImageReference) -> Iterable[ImageReference]:
    """The names that an image may have now."""
    for old, new in RENAMED:
        name = image.full_name
        if name == old or (old.endswith("/") and name.startswith(old)):
            with suppress(InvalidReferenceError):
                yield parse_reference(new + name.removeprefix(old) + image.identifier)


def platform_of(row: Mapping[str, Any]) -> str:
    """The platform of an index's row or an image's configuration, such as `linux/arm64/v8`."""
    parts = (row.get("os"), row.get("architecture"), row.get("variant"))
    return "/".join(str(part) for part in parts if part)


def fits(asked: str, found: Iterable[str]) -> bool:
    """Whether a platform is among others; without a variant any does."""
    return any(one == asked or one.startswith(f"{asked}/") for one in found)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
