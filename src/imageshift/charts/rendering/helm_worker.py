"""The program that renders charts with Helm's SDK, in a process of its own.

It is run as a file, with nothing but Python's standard library, so that it starts quickly. It
reads requests from standard input (the options as JSON, the values as JSON, the chart's archive;
without an archive the version is asked for) and writes answers to standard output. It ends when
standard input does, even in the middle of a rendering, so that it never outlives the run.
"""

import os
import queue
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["FAILED", "REFUSED", "RENDERED"]

RENDERED, REFUSED, FAILED = range(3)
"""Manifests or the version; Helm's own error; the SDK isn't one that can be used here."""

_REQUEST = struct.Struct(">3Q")
_ANSWER = struct.Struct(">BQQ")
_ADDRESS_SPACE = 4 << 30
"""Helm's SDK asks for two GiB at its start."""

_Request = tuple[bytes, bytes, bytes]


def main(folder: str) -> None:
    """Answer requests with the SDK in a folder until there are no more."""
    _limit()
    back = os.fdopen(os.dup(1), "wb")
    # What Helm prints by itself must not get between the answers.
    os.dup2(2, 1)
    requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, requests), daemon=True).start()
    sys.path.append(folder)
    while True:
        kind, body = _answer(*requests.get())
        back.write(_ANSWER.pack(kind, _resident(), len(body)) + body)
        back.flush()


def _limit() -> None:
    """Take away what rendering doesn't need: address space, files, core dumps."""
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 not on Windows

        for which, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_AS, _ADDRESS_SPACE),
        ):
            resource.setrlimit(which, (most, most))


def _read(stream: BinaryIO, requests: "queue.SimpleQueue[_Request]") -> None:
    """Hand on what comes in; at its end the process ends, also in the middle of a rendering."""
    while len(head := stream.read(_REQUEST.size)) == _REQUEST.size:
        one, two, three = (stream.read(length) for length in _REQUEST.unpack(head))
        requests.put((one, two, three))
    os._exit(0)


def _answer(options: bytes, values: bytes, archive: bytes) -> tuple[int, bytes]:
    try:
        import helm_python as helm  # noqa: PLC0415 found through the argument
    except Exception as error:  # noqa: BLE001 whatever is wrong with it, it can't be used
        return FAILED, f"{type(error).__name__}: {error}".encode()
    try:
        if not archive:
            return RENDERED, str(helm.helm_sdk_version()).encode()
        return RENDERED, _render(helm, options.decode(), values.decode(), archive)
    except helm.HelmError as error:
        kind = FAILED if "unknown field" in str(error) else REFUSED
        return kind, str(error).encode(errors="replace")


def _render(helm: Any, options: str, values: str, archive: bytes) -> bytes:
    """The manifests as JSON.

    A chart is loaded anew for every rendering: Helm drops disabled subcharts from the loaded
    one for good, so a second rendering with other values would lack them.
    """
    with helm.Chart.load_archive(archive) as chart:
        # The Python method leaves out the versions that the C function takes.
        native = helm._native  # noqa: SLF001
        answer: str = native.call_string("helm_render", chart._raw(), values, options)  # noqa: SLF001
    return answer.encode()


def _resident() -> int:
    """The bytes of memory that this process holds; 0 where the system doesn't say it so."""
    with suppress(OSError, ValueError, IndexError):
        pages = Path("/proc/self/statm").read_bytes().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


if __name__ == "__main__":
    main(sys.argv[1])
