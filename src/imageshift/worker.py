"""A program that stays and answers one request after the other, within limits.

Requests and answers are frames: a head of fixed size with the lengths, then the parts. Where a
program dies or reaches a limit, only the current request fails.
"""

import struct
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from imageshift.errors import ToolError
from imageshift.tool import Limits, ToolLimitError, end, resident, start

__all__ = ["Answer", "Worker", "WorkerDiedError"]

_WATCH = 0.1
_REQUEST = struct.Struct(">3Q")
_ANSWER = struct.Struct(">BQQ")
"""What the answer is, the bytes of memory that the program holds, the length of the body."""


class WorkerDiedError(ToolError):
    """The program ended before it had answered."""


class Answer(Struct, frozen=True):
    """What a program answers: a number that says what the body is, and the memory it holds."""

    kind: int
    memory: int
    body: bytes


class Worker:
    """A running program; one request at a time, from whatever thread."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Start the program.

        Raises:
            ToolError: it can't be started.
        """
        self._process = start(command, subprocess.DEVNULL, environment=environment)

    @property
    def code(self) -> int | None:
        """The exit code, once it has ended."""
        return self._process.returncode

    @property
    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def ask(self, parts: tuple[bytes, bytes, bytes], limits: Limits) -> Answer:
        """The program's answer to a request; after an error it has been ended.

        Raises:
            ToolLimitError: it reached a limit.
            WorkerDiedError: it ended.
        """
        try:
            with _Watch(self._process, limits) as watch:
                answer = self._exchange(parts, limits)
            watch.check()
        except BaseException:
            self.close()
            raise
        if answer is None:
            self.close()
            raise WorkerDiedError(f"it ended with the exit code {self.code}")
        return answer

    def _exchange(self, parts: tuple[bytes, bytes, bytes], limits: Limits) -> Answer | None:
        to, back = self._process.stdin, self._process.stdout
        assert to is not None  # noqa: S101 both are pipes
        assert back is not None  # noqa: S101
        try:
            to.write(_REQUEST.pack(*map(len, parts)) + b"".join(parts))
            to.flush()
        except BrokenPipeError:
            return None
        head = back.read(_ANSWER.size)
        if len(head) < _ANSWER.size:
            return None
        kind, memory, length = _ANSWER.unpack(head)
        if length > limits.output:
            raise limits.error("it", "output")
        body = back.read(length)
        return Answer(kind, memory, body) if len(body) == length else None

    def close(self) -> None:
        """End the program."""
        end(self._process)


class _Watch:
    """Ends a program that reaches a limit, from a thread of its own, while it is asked."""

    def __init__(self, process: "subprocess.Popen[bytes]", limits: Limits) -> None:
        self._process = process
        self._limits = limits
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._reached: ToolLimitError | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """Raise the error of the limit that was reached, if one was."""
        if self._reached is not None:
            raise self._reached

    def _watch(self) -> None:
        until = time.monotonic() + self._limits.seconds
        while not self._over.wait(max(min(_WATCH, until - time.monotonic()), 0)):
            if time.monotonic() >= until:
                self._reached = self._limits.error("it", "seconds")
            elif resident(self._process.pid, family=False) > self._limits.memory:
                self._reached = self._limits.error("it", "memory")
            if self._reached is not None:
                self._process.kill()
                return
