"""Chart repositories over HTTP: the index, versions, and downloads."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import Struct

from imageshift.charts.fetch.helm import HelmHome
from imageshift.charts.fetch.semver import newest, parse_version
from imageshift.charts.fetch.store import Store
from imageshift.charts.model import ChartError, ChartSource, ChartUnavailableError
from imageshift.charts.plain import load_plain
from imageshift.errors import without_users
from imageshift.lazy import lazy_re
from imageshift.net import Response, Transport
from imageshift.net.url import login_in, parse_url

__all__ = ["fetch_from_repository"]

_OK = 200
_NOT_MODIFIED = 304
_DENIED = frozenset({401, 403})
_NEXT_ENTRY = lazy_re(r"^ {0,2}[^ \n-]", re.MULTILINE)
_LARGEST_INDEX = 64 * 1024 * 1024
# What is parsed as a whole: the entries of one chart, or an index that isn't laid out as Helm's.
_LARGEST_TEXT = 24 * 1024 * 1024
_LONGEST_VERSION = _LONGEST_TAG = 256
# An index with such addresses isn't kept: they let anybody in.
_SIGNED = lazy_re(
    r"://[^\s/@]*@|[?&](?:X-Amz-|X-Goog-|sig|signature|token|access_token|key|password|secret)",
    re.IGNORECASE,
)


class _Entry(Struct, frozen=True):
    """One version of a chart in an index."""

    version: str
    url: str
    digest: str


class _JsonIndex(Struct):
    """An index in JSON, whose entries are parsed for one chart alone."""

    entries: dict[str, msgspec.Raw] = {}


def fetch_from_repository(
    source: ChartSource, *, store: Store, home: HelmHome, transport: Transport
) -> bytes:
    """The archive of a chart in an HTTP repository, the newest version in its range.

    An exact version that is in the cache needs no request.

    Raises:
        ChartUnavailableError: no such chart or version, or an index of another shape.
        NetworkError: no answer, or none that can be used.
    """
    site = _Site(source.url, home, transport)
    version = source.version
    if version is not None and parse_version(version) is not None:
        kept = store.get(site.url, source.name, version)
        if kept is not None:
            return kept
    entry = _choose(site.index(store), source, site.url)
    kept = store.get(site.url, source.name, entry.version)
    if kept is None:
        kept = _from_helm(entry, source.name, home) or site.archive(entry)
        store.keep(kept, site.url, source.name, entry.version)
    return kept


class _Site:
    """One repository, and the login for it."""

    def __init__(self, url: str, home: HelmHome, transport: Transport) -> None:
        self.url = without_users(url)
        self._home = home
        self._transport = transport
        self._login = home.repository_login(url)
        if not self._login.header:
            given = login_in(url)
            self._login = replace(self._login, username=given.username, password=given.password)

    def index(self, store: Store) -> str:
        """The text of its index: the kept one where that is still good, or offline."""
        url = _below(self.url, "index.yaml")
        tag, _, kept = (store.get(url) or b"").partition(b"\n")
        if self._transport.offline:
            found = kept or self._index_of_helm()
            if not found:
                raise ChartUnavailableError(f"the index of {self.url} isn't in the cache")
            return found.decode("utf-8", "replace")
        headers = {"If-None-Match": tag.decode()} if kept and tag else {}
        answer = self._transport.get(
            url, headers=headers, login=self._login, largest=_LARGEST_INDEX
        )
        if answer.status == _NOT_MODIFIED and kept:
            return kept.decode("utf-8", "replace")
        text = self._checked(answer, url).decode("utf-8", "replace")
        if not _SIGNED.search(text):
            store.keep(_etag(answer).encode() + b"\n" + answer.body, url)
        return text

    def archive(self, entry: _Entry) -> bytes:
        """What an entry of its index names, checked against the digest there."""
        here, there = parse_url(self.url), parse_url(entry.url)
        shared = self._login.everywhere and there.scheme == "https"
        login = self._login if shared or there.origin == here.origin else None
        answer = self._transport.get(entry.url, login=login, led_by=self.url)
        data = self._checked(answer, str(there))
        if entry.digest and not _matches(data, entry):
            raise ChartUnavailableError(f"{there}: it doesn't match the digest in the index")
        return data

    def _index_of_helm(self) -> bytes | None:
        name = self._home.repository(self.url).get("name")
        return self._home.kept(f"{name}-index.yaml") if isinstance(name, str) else None

    def _checked(self, answer: Response, url: str) -> bytes:
        if answer.status != _OK:
            hint = None
            if answer.status in _DENIED:
                note = self._login.note
                hint = "log in with `helm repo add --username`" + (f"; {note}" if note else "")
            raise ChartUnavailableError(f"{url}: the server answers {answer.status}", hint=hint)
        return answer.body


def _etag(answer: Response) -> str:
    """The answer's ETag, which is sent back later: only one that a header can hold."""
    tag = answer.headers.get("etag", "")
    return tag if tag.isascii() and tag.isprintable() and len(tag) <= _LONGEST_TAG else ""


def _choose(index: str, source: ChartSource, url: str) -> _Entry:
    listed = {version: row for row in _rows(index, source.name, url) if (version := _version(row))}
    if not listed:
        raise ChartUnavailableError(f"{url} has no chart {source.name}")
    version = newest(listed, source.version) or ""
    if version not in listed:
        raise ChartUnavailableError(
            f"{url} has no version of {source.name} in the range {source.version}",
            hint=f"the newest one is {next(iter(listed))}",
        )
    row = listed[version]
    urls, digest = row.get("urls"), row.get("digest")
    first = urls[0] if isinstance(urls, list) and urls else f"{source.name}-{version}.tgz"
    if not isinstance(first, str):
        raise ChartUnavailableError(f"{url}: {source.name} {version} has no URL")
    return _Entry(version, _below(url, first), digest if isinstance(digest, str) else "")


def _below(url: str, reference: str) -> str:
    """Where a reference leads from a repository: as in Helm, the repository's query goes along."""
    base, mark, query = url.partition("?")
    try:
        found = urljoin(base.rstrip("/") + "/", reference)
    except ValueError:
        raise ChartUnavailableError(f"{url}: a chart's address in it isn't a URL") from None
    is_relative = not urlsplit(reference).scheme and "?" not in reference
    return f"{found}{mark}{query}" if is_relative else found


def _version(row: Mapping[str, Any]) -> str:
    """The version of a row; a number where its quotes were forgotten."""
    version = row.get("version")
    text = str(version) if isinstance(version, str | float) else ""
    return text if len(text) <= _LONGEST_VERSION else ""


def _rows(index: str, name: str, url: str) -> Iterator[Mapping[str, Any]]:
    """The versions of one chart; the rest of an index of many megabytes isn't parsed."""
    read = _rows_of_json if index.lstrip()[:1] == "{" else _rows_of_yaml
    what = _below(url, "index.yaml")
    rows = read(index, name, what)
    if not isinstance(rows, list | None):
        raise ChartUnavailableError(f"{what}: {name} isn't a list of versions")
    return (row for row in rows or () if isinstance(row, Mapping))


def _rows_of_json(index: str, name: str, what: str) -> Any:
    try:
        rows = msgspec.json.decode(index, type=_JsonIndex).entries.get(name, b"[]")
        _refuse_large(memoryview(rows).nbytes, what)
        return msgspec.json.decode(rows)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ChartUnavailableError(f"{what} isn't a chart index: {_said(error)}") from None


def _rows_of_yaml(index: str, name: str, what: str) -> Any:
    text = _cut(index, name)
    _refuse_large(len(text), what)
    try:
        loaded = load_plain(text, what)
    except (ChartError, RecursionError) as error:
        raise ChartUnavailableError(f"{what} isn't a chart index: {_said(error)}") from None
    entries = loaded.get("entries") if isinstance(loaded, Mapping) else None
    if not isinstance(entries, Mapping):
        raise ChartUnavailableError(f"{what} isn't a chart index: it has no entries")
    return entries.get(name)


def _refuse_large(size: int, what: str) -> None:
    if size > _LARGEST_TEXT:
        raise ChartUnavailableError(f"{what}: more than {_LARGEST_TEXT >> 20} MiB for one chart")


def _said(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]


def _cut(index: str, name: str) -> str:
    """The entries of one chart as a document of its own, as Helm indents an index; else all."""
    start = index.find(f"\n  {name}:\n", max(index.find("entries:"), 0))
    if start < 0:
        return index
    end = _NEXT_ENTRY.search(index, start + len(name) + 4)
    return "entries:" + index[start : end.start() if end else len(index)]


def _from_helm(entry: _Entry, name: str, home: HelmHome) -> bytes | None:
    """The archive in Helm's own cache, when it is the one that the index means."""
    data = home.kept(f"{name}-{entry.version}.tgz") if entry.digest else None
    return data if data is not None and _matches(data, entry) else None


def _matches(data: bytes, entry: _Entry) -> bool:
    return hashlib.sha256(data).hexdigest() == entry.digest.removeprefix("sha256:")
