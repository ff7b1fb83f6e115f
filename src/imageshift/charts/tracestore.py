"""Traces kept on disk, by what they depend on: chart, values, options and this code."""

import hashlib
import json
import zlib
from pathlib import Path

import msgspec
from msgspec.structs import asdict

from imageshift.charts.store import write_whole
from imageshift.charts.trace import Trace, Tracer

__all__ = ["TraceStore"]

# Raised when a trace's form, or how it is found out, changes.
_FORM = 2


class TraceStore(msgspec.Struct, frozen=True):
    """A folder of traces; one that can't be read is as good as none.

    A trace holds rendered Secrets: its file is readable by the user alone.
    """

    folder: Path

    @classmethod
    def default(cls) -> "TraceStore":
        """The store in the user's cache folder."""
        from platformdirs import user_cache_path  # noqa: PLC0415 not needed with a folder given

        return cls(user_cache_path("imageshift") / "traces")

    def get(self, tracer: Tracer) -> Trace | None:
        """The kept trace of a tracer's release."""
        path = self._path(tracer)
        if not path.is_file():
            return None
        try:
            return msgspec.msgpack.decode(zlib.decompress(path.read_bytes()), type=Trace)
        except (msgspec.MsgspecError, zlib.error):
            return None

    def keep(self, tracer: Tracer, trace: Trace) -> None:
        """Keep a trace."""
        write_whole(self._path(tracer), zlib.compress(msgspec.msgpack.encode(trace), 1))

    def _path(self, tracer: Tracer) -> Path:
        parts = {
            "form": _FORM,
            "chart": tracer.chart.digest,
            "renderer": tracer.renderer.version,
            "values": tracer.values,
            "options": asdict(tracer.options),
        }
        text = json.dumps(parts, sort_keys=True, default=str)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.trace"
