"""Charts in OCI registries."""

from collections.abc import Mapping
from typing import Any

from imageshift.charts.fetch.helm import HelmHome
from imageshift.charts.fetch.semver import newest
from imageshift.charts.fetch.store import Store
from imageshift.charts.model import ChartSource, ChartUnavailableError
from imageshift.errors import without_users
from imageshift.lazy import lazy_re
from imageshift.net import Registry, Response, Transport
from imageshift.net.registry import decode_json
from imageshift.net.url import login_in

__all__ = ["fetch_from_registry"]

_OK = 200
_DENIED = frozenset({401, 403})
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_LAYERS = (
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/tar+gzip",
)
_EXACT = lazy_re(r"sha256:[0-9a-f]{64}|v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")


def fetch_from_registry(
    source: ChartSource, *, store: Store, home: HelmHome, transport: Transport
) -> bytes:
    """The archive of a chart in a registry: a tag, a digest, or the newest tag in a range.

    Raises:
        ChartUnavailableError: no such chart or version.
        NetworkError: no answer, or none that can be used.
    """
    url = without_users(source.url)
    host, _, path = url.removeprefix("oci://").partition("/")
    login = home.registry_login(host)
    if not login.header:
        login = login_in(source.url)
    chart = _Chart(Registry(host, login, transport), path.rstrip("/"), url)
    exact = source.version is not None and _EXACT.fullmatch(source.version)
    # An exact version needs no list: ECR lists what is cached alone (X4).
    version = source.version if exact and source.version else None
    kept = store.get(url, version) if version else None
    if kept is None:
        version = version or chart.newest(source.version)
        kept = store.get(url, version)
    if kept is None:
        kept = chart.archive(version.replace("+", "_") if version else "")
        store.keep(kept, url, version or "")
    return kept


class _Chart:
    """One repository of a registry, which holds the versions of one chart."""

    def __init__(self, registry: Registry, path: str, url: str) -> None:
        self._registry = registry
        self._path = path
        self._url = url

    def newest(self, constraint: str | None) -> str:
        """The newest version in a range."""
        answer = self._registry.tags(self._path)
        if not isinstance(answer, list):
            raise self._refused(answer, "list")
        # A tag can't hold a plus sign: Helm writes an underscore.
        tags = [tag.replace("_", "+") for tag in answer]
        found = newest(tags, constraint)
        if found is None:
            raise ChartUnavailableError(
                f"{self._url} has no tag in the range {constraint or '*'}",
                hint=f"it has {', '.join(tags[-5:]) or 'none'}",
            )
        return found

    def archive(self, reference: str) -> bytes:
        """The chart's layer."""
        answer = self._registry.manifest(self._path, reference, _MANIFEST)
        if answer.status != _OK:
            raise self._refused(answer, reference)
        digest = _chart_layer(decode_json(answer.body, f"{self._url}: its manifest"))
        if digest is None:
            raise ChartUnavailableError(f"{self._url}:{reference} isn't a chart")
        blob = self._registry.blob(self._path, digest)
        if blob.status != _OK:
            raise self._refused(blob, digest)
        return blob.body

    def _refused(self, answer: Response, what: str) -> ChartUnavailableError:
        host, hint = self._registry.host, None
        if answer.status in _DENIED:
            note = self._registry.note or self._registry.login.note
            hint = f"log in with `helm registry login {host}`" + (f"; {note}" if note else "")
        message = f"{self._url} ({what}): the registry answers {answer.status}"
        return ChartUnavailableError(message, hint=hint)


def _chart_layer(manifest: Any) -> str | None:
    """The digest of the layer that is the chart."""
    layers = manifest.get("layers") if isinstance(manifest, Mapping) else None
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, Mapping) and layer.get("mediaType") in _LAYERS:
            digest = layer.get("digest")
            return digest if isinstance(digest, str) else None
    return None
