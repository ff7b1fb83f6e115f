"""The one way that other programs are run: with limits, and without our environment.

Each gets a group of processes of its own, so that what it starts ends with it, an environment of
named variables alone, and limits of time, memory and output.
"""

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from imageshift.errors import ToolError
from imageshift.interrupt import uninterrupted
from imageshift.lazy import lazy_re

__all__ = [
    "NO_NETWORK",
    "Limits",
    "Outcome",
    "ToolLimitError",
    "base_environment",
    "end",
    "limit_kernel",
    "resident",
    "run_tool",
    "start",
    "stop_tools",
    "tame",
]

_MIB = 1024 * 1024
_CHUNK = 256 * 1024
_WATCH = 0.1
_CONTROLS = lazy_re(
    r"\x1b\[[0-9;?<=>]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
# What programs need to find their files and to write text, and no credentials.
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "GOGC", "GOMAXPROCS")
NO_NETWORK = dict.fromkeys(
    ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9"
)
"""Variables that send a program's requests to a port on which nobody listens."""

_STOPPING = threading.Event()


def stop_tools() -> None:
    """Ends every program that runs, and starts no more: the run itself is about to end.

    Threads that wait for a program get a ToolError, so that nobody has to wait for them.
    """
    _STOPPING.set()


class Limits(Struct, frozen=True, kw_only=True):
    """What a program may use: seconds, and bytes of memory (all its processes) and of output.

    `address` is the most address space that each of its processes may ask for, where the system
    can limit it: it stops what grows faster than its memory is looked at.
    """

    seconds: float = 120.0
    memory: int = 2048 * _MIB
    output: int = 256 * _MIB
    address: int | None = None

    def error(self, who: str, limit: str) -> "ToolLimitError":
        """The error of a program that has reached one of them."""
        said = {
            "seconds": f"took longer than {self.seconds:g} s",
            "memory": f"used more than {self.memory // _MIB} MiB of memory",
            "output": f"wrote more than {self.output // _MIB} MiB",
        }
        return ToolLimitError(f"{who} {said[limit]}", limit)


class Outcome(Struct, frozen=True):
    """How a program ended, and what it wrote."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def message(self) -> str:
        """What it wrote to standard error, as text that no terminal obeys."""
        return tame(self.stderr)


class ToolLimitError(ToolError):
    """A program was stopped since it reached a limit; `limit` is its name in `Limits`."""

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message, hint=None)
        self.limit = limit


def tame(output: bytes) -> str:
    """What a program wrote as text, without escape sequences and controls of terminals."""
    return _CONTROLS.sub("", output.decode(errors="replace")).strip()


def base_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that every program gets, and those given."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | dict(more or {})


def run_tool(
    command: Sequence[str | Path],
    *,
    stdin: bytes = b"",
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Runs a program to its end; `environment` is added to `base_environment`.

    The caller sees to it that no argument which comes from a repository can be an option.

    Raises:
        ToolLimitError: it reached a limit, and was stopped with all that it had started.
        ToolError: it can't be started.
    """
    limits = limits or Limits()
    process = None
    try:
        # A signal that came while it starts would leave it behind, known to nobody.
        with uninterrupted():
            process = start(command, subprocess.PIPE, cwd=cwd, environment=environment)
        limit_kernel(process.pid, limits)
        return _Running(process, limits, Path(str(command[0])).name).finish(stdin)
    finally:
        if process is not None:
            with uninterrupted():
                end(process)


def start(
    command: Sequence[str | Path],
    stderr: int,
    *,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """A program that runs in a group of its own; `end` is for the caller to call.

    Raises:
        ToolError: it can't be started.
    """
    try:
        return subprocess.Popen(  # noqa: S603 the callers name the program
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=cwd,
            env=base_environment(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ToolError(f"{command[0]} can't be started: {why}") from None


def limit_kernel(pid: int, limits: Limits) -> None:
    """Have the kernel hold a process to its limits too (Linux), so that they outlive this one.

    Processor time counts every core's, so it is only a bound for what nobody watches any more.
    """
    if sys.platform != "linux":
        return
    import resource  # noqa: PLC0415 only where a program is started

    cores = os.cpu_count() or 1
    wanted = {resource.RLIMIT_CPU: int(limits.seconds * cores) + 2, resource.RLIMIT_CORE: 0}
    if limits.address is not None:
        wanted[resource.RLIMIT_AS] = limits.address
    for which, most in wanted.items():
        # It may have ended already, or have a tighter limit.
        with suppress(OSError, ValueError):
            resource.prlimit(pid, which, (most, most))


class _Running(Struct):
    """A program that runs, and what it has written so far."""

    process: "subprocess.Popen[bytes]"
    limits: Limits
    name: str
    written: int = 0

    def finish(self, stdin: bytes) -> Outcome:
        """Feeds and reads it until it has ended."""
        stdout, stderr = bytearray(), bytearray()
        until = time.monotonic() + self.limits.seconds
        with selectors.DefaultSelector() as waiting:
            self._watch_pipes(waiting, stdin, stdout, stderr)
            watched = time.monotonic()
            while waiting.get_map():
                now = time.monotonic()
                if _STOPPING.is_set():
                    raise ToolError(f"{self.name} was ended together with the run")
                if now > until:
                    raise self.limits.error(self.name, "seconds")
                if now - watched > _WATCH:
                    watched = now
                    self._check_memory()
                for key, _ in waiting.select(min(_WATCH, max(until - now, 0.001))):
                    key.data(waiting, key.fileobj)
        return self._ended(until, stdout, stderr)

    def _ended(self, until: float, stdout: bytearray, stderr: bytearray) -> Outcome:
        try:
            code = self.process.wait(max(until - time.monotonic(), 0.001))
        except subprocess.TimeoutExpired:
            raise self.limits.error(self.name, "seconds") from None
        return Outcome(code, bytes(stdout), bytes(stderr))

    def _watch_pipes(
        self, waiting: selectors.BaseSelector, stdin: bytes, stdout: bytearray, stderr: bytearray
    ) -> None:
        left = memoryview(stdin)

        def feed(waiting: selectors.BaseSelector, pipe: IO[bytes]) -> None:
            nonlocal left
            with suppress(BlockingIOError):
                try:
                    left = left[os.write(pipe.fileno(), left[:_CHUNK]) :]
                except BrokenPipeError:
                    left = left[:0]
            if not left:
                waiting.unregister(pipe)
                pipe.close()

        def read(into: bytearray) -> Any:
            def take(waiting: selectors.BaseSelector, pipe: IO[bytes]) -> None:
                data = os.read(pipe.fileno(), _CHUNK)
                into.extend(data)
                self._count(len(data))
                if not data:
                    waiting.unregister(pipe)
                    pipe.close()

            return take

        pipes = self.process.stdin, self.process.stdout, self.process.stderr
        for pipe, event, handler in zip(
            pipes,
            (selectors.EVENT_WRITE, selectors.EVENT_READ, selectors.EVENT_READ),
            (feed, read(stdout), read(stderr)),
            strict=True,
        ):
            assert pipe is not None  # noqa: S101 all three are pipes
            os.set_blocking(pipe.fileno(), False)
            waiting.register(pipe, event, handler)

    def _count(self, size: int) -> None:
        self.written += size
        if self.written > self.limits.output:
            raise self.limits.error(self.name, "output")

    def _check_memory(self) -> None:
        if resident(self.process.pid) > self.limits.memory:
            raise self.limits.error(self.name, "memory")


def resident(pid: int, *, family: bool = True) -> int:
    """The bytes of memory that a process and its descendants hold; none where it has ended.

    Without `family` its descendants aren't looked for, which takes a look at every process.
    """
    import psutil  # noqa: PLC0415 only for runs that start programs

    try:
        process = psutil.Process(pid)
        members = [process, *(process.children(recursive=True) if family else ())]
    except psutil.Error:
        return 0
    total = 0
    for member in members:
        with suppress(psutil.Error):
            total += int(member.memory_info().rss)
    return total


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a program and what it started, and close its pipes."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.wait()
