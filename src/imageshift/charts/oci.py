"""Charts in OCI registries, by the distribution API."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urljoin

from msgspec import Struct, field

from imageshift.charts.model import ChartSource, ChartUnavailableError
from imageshift.charts.semver import newest
from imageshift.charts.store import Store
from imageshift.charts.transport import HelmHome, Login, Response, Transport

__all__ = ["fetch_from_registry"]

_OK = 200
_DENIED = 401
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LAYERS = (
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/tar+gzip",
)
_EXACT = re.compile(r"sha256:[0-9a-f]{64}|v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_LOOPBACK = re.compile(r"(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?")
_PARAMETER = re.compile(r'(?<!\w)(\w++)="([^"]*)"')


def fetch_from_registry(
    source: ChartSource, *, store: Store, home: HelmHome, transport: Transport
) -> bytes:
    """The archive of a chart in a registry: a tag, a digest, or the newest tag in a range.

    Raises:
        ChartUnavailableError: no such chart or version, or no answer.
    """
    kept = store.chart(source.url, source.name, source.version)
    if kept is not None:
        return kept
    host, _, path = source.url.removeprefix("oci://").partition("/")
    registry = _Registry(host, path.rstrip("/"), home.registry_login(host), transport)
    reference = _reference(registry, source)
    kept = store.chart(source.url, source.name, reference)
    if kept is None:
        kept = registry.chart(_tag(reference))
        store.keep_chart(source.url, source.name, reference, kept)
    return kept


def _reference(registry: "_Registry", source: ChartSource) -> str:
    # An exact version needs no list: ECR lists what is cached alone (X4).
    version = source.version
    if version is not None and _EXACT.fullmatch(version):
        return version
    # A tag can't hold a plus sign: Helm writes an underscore.
    tags = [tag.replace("_", "+") for tag in registry.tags()]
    found = newest(tags, version)
    if found is None:
        raise ChartUnavailableError(
            f"{source.url} has no tag in the range {version or '*'}",
            hint=f"it has {', '.join(tags[-5:]) or 'none'}",
        )
    return found


def _tag(version: str) -> str:
    return version.replace("+", "_")


class _Registry(Struct):
    """One repository of a registry, logged in when the registry asks for it."""

    host: str
    path: str
    login: Login
    transport: Transport
    _token: dict[str, str] = field(default_factory=dict)

    def tags(self) -> list[str]:
        """All its tags, page by page."""
        found: list[str] = []
        url: str | None = f"{self._base()}/tags/list"
        while url is not None:
            answer = self._get(url)
            found += json.loads(answer.body).get("tags") or []
            following = re.search(r'<([^>]+)>;\s*rel="next"', answer.headers.get("link", ""))
            url = urljoin(url, following[1]) if following else None
        return found

    def chart(self, reference: str) -> bytes:
        """The chart's layer, checked against its digest."""
        answer = self._get(f"{self._base()}/manifests/{reference}", accept=_MANIFEST)
        manifest: Mapping[str, Any] = json.loads(answer.body)
        layers = manifest.get("layers") or ()
        layer = next((item for item in layers if item.get("mediaType") in _LAYERS), None)
        if layer is None:
            raise ChartUnavailableError(f"oci://{self.host}/{self.path}:{reference} is no chart")
        data = self._get(f"{self._base()}/blobs/{layer['digest']}").body
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != layer["digest"]:
            raise ChartUnavailableError(f"oci://{self.host}/{self.path}: the layer is damaged")
        return data

    def _base(self) -> str:
        scheme = "http" if _LOOPBACK.fullmatch(self.host) else "https"
        return f"{scheme}://{self.host}/v2/{self.path}"

    def _get(self, url: str, *, accept: str = "*/*") -> Response:
        answer = self.transport.get(url, headers={"Accept": accept, **self._token})
        if answer.status == _DENIED and not self._token:
            self._token = self._authorize(answer.headers.get("www-authenticate", ""))
            answer = self.transport.get(url, headers={"Accept": accept, **self._token})
        if answer.status != _OK:
            denied = answer.status in {401, 403}
            hint = f"log in with `helm registry login {self.host}`" if denied else None
            name = f"oci://{self.host}/{self.path} ({url.rpartition('/')[2]})"
            raise ChartUnavailableError(f"{name}: the registry answers {answer.status}", hint=hint)
        return answer

    def _authorize(self, challenge: str) -> dict[str, str]:
        """The header that a challenge asks for: the login itself, or a token for it."""
        kind, _, rest = challenge.partition(" ")
        if kind.lower() != "bearer":
            return self.login.header
        asked = dict(_PARAMETER.findall(rest))
        realm = asked.pop("realm", "")
        asked.setdefault("scope", f"repository:{self.path}:pull")
        answer = self.transport.get(f"{realm}?{urlencode(asked)}", headers=self.login.header)
        if answer.status != _OK:
            return {}
        given = json.loads(answer.body)
        return {"Authorization": f"Bearer {given.get('token') or given.get('access_token')}"}
