"""What a registry's answers for manifests mean.

Sources: OCI Distribution Specification 1.1, "Pulling manifests" and "Error codes"; ECR User
Guide, "Troubleshooting pull through cache issues" for what ECR's refusals mean (facts 6).
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from imageshift.aws.shapes import mapping_of, rows_of
from imageshift.errors import AnswerError, NetworkError, ToolError
from imageshift.net import Login, Registry, Transport
from imageshift.net.registry import decode_json, digest_of

__all__ = ["Absent", "Login", "Manifest", "RegistryClient"]

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _BUSY = 200, 401, 403, 404, 429
_LONGEST_MESSAGE = 500

_MEANINGS = {
    "NAME_UNKNOWN": (
        "the repository doesn't exist and wasn't made: is ecr:CreateRepository allowed?"
    ),
    "MANIFEST_UNKNOWN": (
        "the image isn't cached and wasn't fetched: does it exist upstream, and is "
        "ecr:BatchImportUpstreamImage allowed?"
    ),
}


class Manifest(Struct, frozen=True):
    """What a registry answered: the digest, and the digests of an index's images by platform."""

    digest: str
    platforms: Mapping[str, str]


class Absent(Struct, frozen=True):
    """The registry doesn't have the manifest, or refuses it; `message` says why.

    `busy` says that a rate limit is reached, so that asking on is of no use.
    """

    message: str
    busy: bool = False


class RegistryClient:
    """Asks one registry; what is throttled is tried again."""

    def __init__(self, host: str, login: Login | None = None, *, backoff: float = 0.5) -> None:
        """A client of the registry at `host`: https, but plain http on loopback."""
        # A first pull through a cache takes as long as the upstream lets it wait.
        transport = Transport(timeout=60.0, tries=5, backoff=backoff)
        self._registry = Registry(host, login or Login(), transport)

    def manifest(self, repository: str, identifier: str) -> Manifest | Absent:
        """The manifest of a tag or digest, which a pull-through cache fetches if need be.

        Raises:
            ToolError: the registry can't be reached, or doesn't accept the login.
        """
        host = self._registry.host
        try:
            answer = self._registry.manifest(repository, identifier, ", ".join(_MANIFESTS))
        except AnswerError as error:
            return Absent(str(error))
        except NetworkError as error:
            raise ToolError(
                f"{host} can't be reached: {error}",
                hint="is the host right, and can this machine reach it?",
            ) from None
        if answer.status == _OK:
            return _read_manifest(answer.body, identifier)
        if answer.status == _UNAUTHORIZED:
            raise ToolError(
                f"{host} doesn't accept the login",
                hint="for ECR: may this identity call ecr:GetAuthorizationToken?",
            )
        code, _ = _first_error(answer.body)
        busy = answer.status == _BUSY or code == "TOOMANYREQUESTS"
        return Absent(_explain(answer.status, answer.body), busy)


def _read_manifest(content: bytes, identifier: str) -> Manifest:
    rows = rows_of(mapping_of(_decoded(content)).get("manifests"))
    platforms = {_platform(mapping_of(row.get("platform"))): str(row.get("digest")) for row in rows}
    digest = identifier if ":" in identifier else digest_of(content, "sha256:")
    return Manifest(digest, platforms)


def _platform(row: Mapping[str, Any]) -> str:
    parts = (row.get("os"), row.get("architecture"), row.get("variant"))
    return "/".join(str(part) for part in parts if part)


def _explain(status: int, content: bytes) -> str:
    code, text = _first_error(content)
    if code in _MEANINGS:
        return f"{_MEANINGS[code]} ({code})"
    if status == _FORBIDDEN:
        return (
            "the registry forbids it: ECR says so for Docker Hub's official images without "
            f"library/, and for upstreams that refuse the credentials{_in_brackets(text)}"
        )
    if status == _BUSY or code == "TOOMANYREQUESTS":
        return f"a rate limit is reached{_in_brackets(text)}"
    if status == _NOT_FOUND:
        return f"the registry doesn't have it{_in_brackets(text)}"
    return f"the registry answered {status}{_in_brackets(text)}"


def _in_brackets(text: str) -> str:
    return f" ({text[:_LONGEST_MESSAGE]})" if text else ""


def _first_error(content: bytes) -> tuple[str, str]:
    errors = rows_of(mapping_of(_decoded(content)).get("errors"))
    first = errors[0] if errors else {}
    return str(first.get("code", "")), str(first.get("message", ""))


def _decoded(content: bytes) -> Any:
    """The data of an answer; None where it isn't JSON."""
    try:
        return decode_json(content, "")
    except AnswerError:
        return None
