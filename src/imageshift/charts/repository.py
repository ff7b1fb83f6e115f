"""Chart repositories over HTTP: the index, versions, and downloads."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from imageshift.charts.model import ChartSource, ChartUnavailableError
from imageshift.charts.plain import load_plain
from imageshift.charts.semver import newest
from imageshift.charts.store import Store
from imageshift.charts.transport import HelmHome, Login, Response, Transport

__all__ = ["fetch_from_repository"]

_OK = 200
_NOT_MODIFIED = 304
_NEXT_ENTRY = re.compile(r"^ {0,2}[^ \n-]", re.MULTILINE)


class _Entry(Struct, frozen=True):
    """One version of a chart in an index."""

    version: str
    url: str
    digest: str


def fetch_from_repository(
    source: ChartSource, *, store: Store, home: HelmHome, transport: Transport
) -> bytes:
    """The archive of a chart in an HTTP repository, the newest version in its range.

    An exact version that is in the cache needs no request.

    Raises:
        ChartUnavailableError: no such chart or version, or no answer.
    """
    kept = store.chart(source.url, source.name, source.version)
    if kept is not None:
        return kept
    login = home.repository_login(source.url)
    entry = _choose(_index(source, login, store, home, transport), source)
    kept = store.chart(source.url, source.name, entry.version)
    if kept is None:
        kept = _from_helm(entry, source, home) or _download(entry, source, login, transport)
        store.keep_chart(source.url, source.name, entry.version, kept)
    return kept


def _index(
    source: ChartSource, login: Login, store: Store, home: HelmHome, transport: Transport
) -> str:
    url = source.url.rstrip("/") + "/index.yaml"
    kept, tag = store.index(url)
    if transport.offline:
        found = kept or _helm_index(source, home)
        if found is None:
            raise ChartUnavailableError(f"the index of {source.url} isn't in the cache")
        return found
    headers = {**login.header, **({"If-None-Match": tag} if kept and tag else {})}
    answer = transport.get(url, headers=headers, login=login)
    if answer.status == _NOT_MODIFIED and kept is not None:
        return kept
    text = _checked(answer, url).decode("utf-8", "replace")
    store.keep_index(url, text, answer.headers.get("etag", ""))
    return text


def _checked(answer: Response, url: str) -> bytes:
    if answer.status != _OK:
        hint = "log in with `helm repo add --username`" if answer.status in {401, 403} else None
        raise ChartUnavailableError(f"{url}: the server answers {answer.status}", hint=hint)
    return answer.body


def _helm_index(source: ChartSource, home: HelmHome) -> str | None:
    name = home.repository(source.url).get("name")
    path = home.cache / f"{name}-index.yaml"
    return path.read_text() if name and path.is_file() else None


def _choose(index: str, source: ChartSource) -> _Entry:
    listed = _entries(index, source.name, source.url)
    if not listed:
        raise ChartUnavailableError(f"{source.url} has no chart {source.name}")
    version = newest((str(item.get("version")) for item in listed), source.version)
    chosen = next((item for item in listed if str(item.get("version")) == version), None)
    if chosen is None:
        raise ChartUnavailableError(
            f"{source.url} has no version of {source.name} in the range {source.version}",
            hint=f"the newest one there is {listed[0].get('version')}",
        )
    urls = chosen.get("urls") or [f"{source.name}-{version}.tgz"]
    url = urljoin(source.url.rstrip("/") + "/", str(urls[0]))
    return _Entry(str(version), url, str(chosen.get("digest") or ""))


def _entries(index: str, name: str, url: str) -> list[Mapping[str, Any]]:
    """The versions of one chart; the rest of an index of many megabytes isn't parsed."""
    if index.lstrip().startswith("{"):
        try:
            loaded = json.loads(index)
        except json.JSONDecodeError as error:
            raise ChartUnavailableError(f"{url}/index.yaml is no JSON: {error}") from None
    else:
        loaded = load_plain(_cut(index, name), f"{url}/index.yaml")
    entries = (loaded or {}).get("entries") if isinstance(loaded, Mapping) else None
    return list((entries or {}).get(name) or ())


def _cut(index: str, name: str) -> str:
    """The entries of one chart as a document of its own, as Helm indents an index; else all."""
    start = index.find(f"\n  {name}:\n", max(index.find("entries:"), 0))
    if start < 0:
        return index
    end = _NEXT_ENTRY.search(index, start + len(name) + 4)
    return "entries:" + index[start : end.start() if end else len(index)]


def _from_helm(entry: _Entry, source: ChartSource, home: HelmHome) -> bytes | None:
    """The archive in Helm's own cache, when it is the one that the index means."""
    path = home.cache / f"{source.name}-{entry.version}.tgz"
    if not entry.digest or not path.is_file():
        return None
    data = path.read_bytes()
    return data if _matches(data, entry) else None


def _matches(data: bytes, entry: _Entry) -> bool:
    return hashlib.sha256(data).hexdigest() == entry.digest.removeprefix("sha256:")


def _download(entry: _Entry, source: ChartSource, login: Login, transport: Transport) -> bytes:
    same = urlsplit(entry.url)[:2] == urlsplit(source.url)[:2]
    header = login.header if same or login.everywhere else {}
    data = _checked(transport.get(entry.url, headers=header, login=login), entry.url)
    if entry.digest and not _matches(data, entry):
        raise ChartUnavailableError(f"{entry.url}: not what the index's digest says")
    return data
