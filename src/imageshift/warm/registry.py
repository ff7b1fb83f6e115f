"""A registry asked for manifests, by the OCI distribution API, with urllib3.

Sources: OCI Distribution Specification 1.1, "Pulling manifests" and "Error codes"; ECR User
Guide, "Troubleshooting pull through cache issues" for what ECR's refusals mean (facts 6).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from imageshift.aws.extra import require
from imageshift.aws.shapes import mapping_of, rows_of
from imageshift.errors import ToolError

__all__ = ["Absent", "Login", "Manifest", "RegistryClient"]

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_RETRIED = (429, 500, 502, 503, 504)
_TRIES = 4
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404

_MEANINGS = {
    "NAME_UNKNOWN": (
        "the repository doesn't exist and wasn't made: is ecr:CreateRepository allowed?"
    ),
    "MANIFEST_UNKNOWN": (
        "the image isn't cached and wasn't fetched: does it exist upstream, and is "
        "ecr:BatchImportUpstreamImage allowed?"
    ),
}


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and password; the password is in no text of it."""

    username: str
    password: str = field(repr=False)


class Manifest(Struct, frozen=True):
    """What a registry answered: the digest, and the digests of an index's images by platform."""

    digest: str
    platforms: Mapping[str, str]


class Absent(Struct, frozen=True):
    """The registry hasn't the manifest, or won't say; `message` is in plain words."""

    message: str


class RegistryClient:
    """Asks one registry; connections are kept, and what is throttled is tried again."""

    def __init__(self, host: str, login: Login | None = None, *, backoff: float = 0.5) -> None:
        """A client of the registry at `host`: https, but plain http on loopback.

        Raises:
            ConfigError: urllib3 isn't installed.
        """
        urllib3 = require("urllib3", "asking a registry")
        retries = urllib3.Retry(
            total=_TRIES,
            backoff_factor=backoff,
            status_forcelist=_RETRIED,
            raise_on_status=False,
        )
        scheme = "http" if _bare_host(host) in _LOOPBACK else "https"
        headers = {"Accept": ", ".join(_MANIFESTS), "User-Agent": "imageshift"}
        if login is not None:
            pair = f"{login.username}:{login.password}"
            headers |= urllib3.make_headers(basic_auth=pair)
        timeout = urllib3.Timeout(connect=10, read=60)
        self._pool = urllib3.PoolManager(headers=headers, retries=retries, timeout=timeout)
        self._errors = urllib3.exceptions
        self._base = f"{scheme}://{host}/v2"
        self._host = host

    def manifest(self, repository: str, identifier: str) -> Manifest | Absent:
        """The manifest of a tag or digest, which a pull-through cache fetches if need be.

        Raises:
            ToolError: the registry can't be reached, or wants another login.
        """
        url = f"{self._base}/{repository}/manifests/{identifier}"
        try:
            response = self._pool.request("GET", url)
        except self._errors.HTTPError as error:
            raise ToolError(
                f"{self._host} can't be reached: {_cause(error)}",
                hint="is the host right, and is there a way out to it?",
            ) from None
        if response.status == _OK:
            return _read_manifest(response.data, response.headers.get("Docker-Content-Digest"))
        if response.status == _UNAUTHORIZED:
            raise ToolError(
                f"{self._host} wants another login",
                hint="for ECR: may this identity call ecr:GetAuthorizationToken?",
            )
        return Absent(_explain(response.status, response.data))


def _bare_host(host: str) -> str:
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return type(reason).__name__


def _read_manifest(content: bytes, digest: str | None) -> Manifest:
    try:
        data = json.loads(content)
    except ValueError:
        data = {}
    rows = rows_of(mapping_of(data).get("manifests"))
    platforms = {_platform(mapping_of(row.get("platform"))): str(row.get("digest")) for row in rows}
    return Manifest(digest or f"sha256:{hashlib.sha256(content).hexdigest()}", platforms)


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
    if status == _NOT_FOUND:
        return f"the registry hasn't it{_in_brackets(text)}"
    return f"the registry answered {status}{_in_brackets(text)}"


def _in_brackets(text: str) -> str:
    return f" ({text})" if text else ""


def _first_error(content: bytes) -> tuple[str, str]:
    try:
        first = json.loads(content)["errors"][0]
        return str(first.get("code", "")), str(first.get("message", ""))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return "", ""
