"""What was found out about releases, kept on disk so that the next run renders each only once.

Values may hold secrets, so none is kept: a record has the paths of values and the texts that
imageshift itself proposes for empty ones. What it must be compared with is kept as digests with
the user's own key, which tell nobody else anything, and which make a changed record no record.
"""

import hashlib
import hmac
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict

from imageshift.charts.fetch.store import write_whole
from imageshift.charts.rendering.trace import Finding, Tracer
from imageshift.errors import SourceError
from imageshift.repo.read import read_file

__all__ = ["TraceStore"]

# Raised when a finding's form, or how it is found out, changes.
_FORM = 4
_LARGEST = 16 * 1024 * 1024
_DIGEST = hashlib.sha256().digest_size


class TraceStore(msgspec.Struct, frozen=True):
    """A folder of findings, with its key beside it; None if there is nowhere to keep one.

    A folder that can't be made or written is as good as none.
    """

    folder: Path | None

    @classmethod
    def default(cls) -> "TraceStore":
        """The store in the user's cache folder."""
        from platformdirs import user_cache_path  # noqa: PLC0415 not needed with a folder given

        try:
            return cls(user_cache_path("imageshift") / "traces")
        except RuntimeError:  # the user has no home
            return cls(None)

    def get(self, tracer: Tracer) -> Finding | None:
        """The finding that is kept about a tracer's release."""
        key = self._key()
        if key is None or self.folder is None:
            return None
        try:
            kept = read_file(self._path(self.folder, key, tracer), largest=_LARGEST)
            data = kept[_DIGEST:]
            if hmac.compare_digest(kept[:_DIGEST], _mac(key, data)):
                return msgspec.msgpack.decode(data, type=Finding)
        except (SourceError, OSError, msgspec.MsgspecError):
            pass
        return None

    def keep(self, tracer: Tracer, finding: Finding) -> None:
        """Keep a finding, where that can be done."""
        key = self._key()
        if key is None or self.folder is None:
            return
        data = msgspec.msgpack.encode(finding)
        with suppress(OSError):
            write_whole(self._path(self.folder, key, tracer), _mac(key, data) + data)

    def digest(self, data: Any) -> bytes:
        """The digest of data by which it is known again, here and nowhere else."""
        return _mac(self._key() or b"", json.dumps(data).encode())

    def _path(self, folder: Path, key: bytes, tracer: Tracer) -> Path:
        parts = {
            "form": _FORM,
            "chart": tracer.chart.digest,
            "renderer": tracer.renderer.version,
            "values": tracer.values,
            "options": asdict(tracer.options),
        }
        text = json.dumps(parts, sort_keys=True, default=str)
        return folder / f"{_mac(key, text.encode()).hex()}.trace"

    def _key(self) -> bytes | None:
        """The user's key, made at its first use; None where none can be kept."""
        if self.folder is None:
            return None
        path = self.folder.with_name(f"{self.folder.name}.key")
        with suppress(OSError, SourceError):
            if not os.path.lexists(path):
                self.folder.mkdir(parents=True, exist_ok=True)
                with suppress(FileExistsError):
                    _make_key(path)
            key = read_file(path, largest=_DIGEST)
            return key if len(key) == _DIGEST else None
        return None


def _make_key(path: Path) -> None:
    """A key file that appears whole, and is read by the user alone."""
    made = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(_DIGEST))
        path.hardlink_to(made)
    finally:
        made.unlink(missing_ok=True)


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
