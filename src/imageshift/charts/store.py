"""The cache of downloaded charts and indexes on disk."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from msgspec import Struct

from imageshift.charts.semver import parse_version

__all__ = ["Store", "write_whole"]


class Store(Struct, frozen=True):
    """A folder of archives and indexes; a version is kept for good, an index until it changes."""

    folder: Path

    @classmethod
    def default(cls) -> "Store":
        """The store in the user's cache folder."""
        from platformdirs import user_cache_path  # noqa: PLC0415 not needed with a folder given

        return cls(user_cache_path("imageshift") / "charts")

    def chart(self, url: str, name: str, version: str | None) -> bytes | None:
        """The archive of an exact version, if it is kept; None for a range."""
        if version is None or (parse_version(version) is None and ":" not in version):
            return None
        path = self._chart_path(url, name, version)
        return path.read_bytes() if path.is_file() else None

    def keep_chart(self, url: str, name: str, version: str, data: bytes) -> None:
        """Keep an archive."""
        write_whole(self._chart_path(url, name, version), data)

    def index(self, url: str) -> tuple[str | None, str]:
        """The kept index of a repository and its ETag."""
        path = self.folder / f"{_short(url)}.json"
        if not path.is_file():
            return None, ""
        kept = json.loads(path.read_text())
        return kept["text"], kept["etag"]

    def keep_index(self, url: str, text: str, etag: str) -> None:
        """Keep an index."""
        kept = json.dumps({"url": url, "etag": etag, "text": text})
        write_whole(self.folder / f"{_short(url)}.json", kept.encode())

    def _chart_path(self, url: str, name: str, version: str) -> Path:
        safe = version.replace(":", "-").replace("/", "-")
        return self.folder / _short(url) / f"{name.replace('/', '-')}-{safe}.tgz"


def _short(url: str) -> str:
    return hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:20]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that no reader ever sees a part of it, and the user alone any of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(name).replace(path)
