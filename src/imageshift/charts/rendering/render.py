"""Helm behind one interface: its SDK in a child process, or the `helm` program."""

import atexit
import importlib.util
import json
import re
import shutil
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.fetch.store import write_whole
from imageshift.charts.model import (
    ChartError,
    RenderError,
    RenderLimitError,
    RenderOptions,
    RenderTimeoutError,
    Values,
)
from imageshift.charts.rendering import helm_worker
from imageshift.errors import ToolError
from imageshift.lazy import lazy_re
from imageshift.tool import NO_NETWORK, Limits, ToolLimitError, run_tool
from imageshift.worker import Answer, Worker, WorkerDiedError

__all__ = [
    "BinaryRenderer",
    "CountingRenderer",
    "Manifests",
    "Renderer",
    "SdkRenderer",
    "find_renderer",
]

Manifests = Mapping[str, str]
"""Rendered text by template path, without NOTES.txt and what is blank."""

TIMEOUT = 30.0
"""Seconds that one rendering may take; what real charts take is below two."""
KUBE_VERSION = "v1.35.0"
"""The cluster version that templates see unless another is asked for: both ways the same one."""

_MIB = 1024 * 1024
_MEMORY = 1024 * _MIB
_ADDRESS_SPACE = 4096 * _MIB
_OUTPUT = 16 * _MIB
_MOST_DOCUMENTS = 20_000
# All renderings of one release together.
_RELEASE_SECONDS = 120.0
# A child that has grown to this is replaced, so that the next release doesn't pay for it.
_RETIRED = 512 * _MIB

_SOURCE = lazy_re(r"^# Source: (.+)$", re.MULTILINE)

# Helm's and Kubernetes' own grammars. None of them lets a text begin with a hyphen.
_GRAMMAR = {
    "release name": lazy_re(
        r"(?=.{1,53}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
    ),
    "namespace": lazy_re(r"(?=.{1,63}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"),
    "cluster version": lazy_re(r"v?\d{1,9}(?:\.\d{1,9}){0,2}(?:[-+][0-9A-Za-z.+-]{1,99})?"),
    "API version": lazy_re(r"[A-Za-z0-9][A-Za-z0-9./-]{0,252}"),
}


class Renderer(Protocol):
    """Something that renders charts as `helm template` does, hooks and tests included."""

    @property
    def version(self) -> str:
        """What renders, and its version: what a cached result depends on."""
        ...

    def render(
        self, chart: ChartFiles, values: Values, options: RenderOptions, *, schemas: bool = False
    ) -> Manifests:
        """What the chart renders to.

        Raises:
            RenderError: a template fails, or a schema refuses the values (only with `schemas`).
            RenderLimitError: it takes too much time or memory, or renders too much.
        """
        ...


def _check_options(options: RenderOptions) -> None:
    """Refuse what Helm or a cluster would refuse: it may come from anybody.

    Raises:
        RenderError: a name or version isn't of its grammar.
    """
    given = [
        ("release name", options.name),
        ("namespace", options.namespace),
        ("cluster version", options.kube_version or KUBE_VERSION),
        *(("API version", version) for version in options.api_versions),
    ]
    for what, text in given:
        if _GRAMMAR[what].fullmatch(text) is None:
            raise RenderError(f"the {what} {text[:80]!r} is not valid")


def _as_json(values: Values) -> bytes:
    try:
        return json.dumps(values, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise RenderError(f"its values can't be written as JSON: {error}") from None


def _manifests(found: Mapping[str, str]) -> Manifests:
    """What was rendered, less what is no manifest.

    Raises:
        RenderLimitError: there are too many documents.
    """
    kept = {path: text for path, text in found.items() if _is_manifest(path, text)}
    if sum(text.count("\n---") for text in kept.values()) > _MOST_DOCUMENTS:
        raise RenderLimitError(f"the chart renders more than {_MOST_DOCUMENTS:,} documents")
    return kept


def _is_manifest(path: str, text: str) -> bool:
    name = path.rpartition("/")[2]
    return name != "NOTES.txt" and not name.startswith("_") and bool(text.strip())


def _limits(timeout: float) -> Limits:
    return Limits(seconds=timeout, memory=_MEMORY, output=_OUTPUT, address=_ADDRESS_SPACE)


def _limit_error(error: ToolLimitError) -> RenderLimitError:
    kind = RenderTimeoutError if error.limit == "seconds" else RenderLimitError
    return kind(f"rendering {str(error).partition(' ')[2]}")


@dataclass(slots=True, weakref_slot=True)
class BinaryRenderer:
    """`helm template` as a process.

    Each chart is written once, into a folder of the renderer's own that goes with it.
    """

    program: str = "helm"
    timeout: float = TIMEOUT
    _folder: Path | None = field(default=None, init=False, repr=False)
    _version: str | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def version(self) -> str:
        """What `helm version` says.

        Raises:
            ToolError: the program doesn't exist.
        """
        if self._version is None:
            self._version = self._run([self.program, "version", "--short"], b"").strip()
        return self._version

    def render(
        self, chart: ChartFiles, values: Values, options: RenderOptions, *, schemas: bool = False
    ) -> Manifests:
        """As the protocol says.

        Raises:
            RenderError: Helm refuses.
            RenderLimitError: it takes too much.
            ToolError: the program doesn't exist.
        """
        _check_options(options)
        chart.check_dependencies(values)
        # `helm template` takes no revision.
        chart = chart if options.revision == 1 else chart.at_revision(options.revision)
        command = self._command(self._stored(chart, schemas), options)
        return _manifests(_by_source(self._run(command, _as_json(values))))

    def _home(self) -> Path:
        """A folder of our own, with an empty one in it for what Helm would read of the user's.

        Raises:
            ToolError: it can't be made.
        """
        with self._lock:
            if self._folder is None:
                try:
                    made = Path(tempfile.mkdtemp(prefix="imageshift-"))
                    (made / "home").mkdir()
                except OSError as error:
                    raise ToolError(f"no temporary folder can be made: {error.strerror}") from None
                self._folder = made
                weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
            return self._folder

    def _stored(self, chart: ChartFiles, schemas: bool) -> Path:  # noqa: FBT001
        path = self._home() / f"{chart.digest}-{int(schemas)}.tgz"
        if not path.exists():
            try:
                write_whole(path, chart.archive(schemas=schemas))
            except OSError as error:
                raise ToolError(f"the chart can't be stored: {error.strerror}") from None
        return path

    def _command(self, archive: Path, options: RenderOptions) -> list[str]:
        flags = [
            "--values=-",
            f"--namespace={options.namespace}",
            f"--kube-version={options.kube_version or KUBE_VERSION}",
            *(f"--api-versions={version}" for version in options.api_versions),
            *(["--is-upgrade"] if options.revision > 1 else []),
        ]
        return [self.program, "template", *flags, "--", options.name, str(archive)]

    def _run(self, command: list[str], stdin: bytes) -> str:
        if shutil.which(self.program) is None:
            raise ToolError(f"no program {self.program}", hint="install Helm 3 or 4")
        home = str(self._home() / "home")
        try:
            done = run_tool(
                command,
                stdin=stdin,
                environment=_empty_home(home),
                limits=_limits(self.timeout),
            )
        except ToolLimitError as error:
            raise _limit_error(error) from None
        if done.code < 0 or "\ngoroutine " in done.message:
            raise RenderLimitError(_died(done.code, done.message))
        if done.code:
            raise RenderError(done.message.removeprefix("Error: "))
        return done.stdout.decode(errors="replace")


def _empty_home(home: str) -> dict[str, str]:
    """Variables with which Helm finds no network, plugin, login or cluster of the user's."""
    places = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HELM_PLUGINS")
    files = ("HELM_REGISTRY_CONFIG", "HELM_REPOSITORY_CONFIG", "KUBECONFIG")
    found = {"HOME": home, **dict.fromkeys(places, home), **NO_NETWORK}
    return found | dict.fromkeys(files, f"{home}/none")


def _died(code: int | None, message: str = "") -> str:
    fatal = re.search(r"fatal error: (.+)|runtime: (.+)", message)
    why = (fatal[1] or fatal[2]) if fatal else "infinite recursion, or out of memory"
    return f"Helm crashed on the chart (exit code {code}): {why}"


def _by_source(output: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    marks = list(_SOURCE.finditer(output))
    for mark, following in zip_longest(marks, marks[1:]):
        end = len(output) if following is None else following.start()
        text = output[mark.end() + 1 : end].removesuffix("---\n")
        found.setdefault(mark[1], []).append(text)
    return {path: "\n---\n".join(texts) for path, texts in found.items()}


@dataclass(frozen=True, slots=True)
class SdkRenderer:
    """Helm's own SDK (the extra `imageshift[charts]`, H9), in child processes that are shared.

    Go code may end its process, so it never runs inside this one.
    """

    timeout: float = TIMEOUT

    @property
    def version(self) -> str:
        """The version of Helm's SDK.

        Raises:
            ToolError: the SDK isn't installed.
        """
        return f"sdk {_WORKERS.version()}"

    def render(
        self, chart: ChartFiles, values: Values, options: RenderOptions, *, schemas: bool = False
    ) -> Manifests:
        """As the protocol says.

        Raises:
            RenderError: Helm refuses.
            RenderLimitError: it takes too much.
            ToolError: the SDK isn't installed.
        """
        _check_options(options)
        chart.check_dependencies(values)
        parts = _chosen(options), _as_json(values), chart.archive(schemas=schemas)
        body = _WORKERS.ask(parts, _limits(self.timeout))
        return _manifests(msgspec.json.decode(body, type=dict[str, str]))


def _chosen(options: RenderOptions) -> bytes:
    chosen: dict[str, Any] = {
        "name": options.name,
        "namespace": options.namespace,
        "kube_version": options.kube_version or KUBE_VERSION,
    }
    if options.revision > 1:
        chosen |= {"revision": options.revision, "is_upgrade": True, "is_install": False}
    if options.api_versions:
        chosen["api_versions"] = list(options.api_versions)
    return json.dumps(chosen).encode()


class _Workers:
    """The children that render: as many as are asked at once, each for many releases."""

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._lock = threading.Lock()
        self._version: str | None = None
        atexit.register(self.close)

    def version(self) -> str:
        """The version of the SDK."""
        if self._version is None:
            self._version = self.ask((b"", b"", b""), _limits(TIMEOUT)).decode()
        return self._version

    def ask(self, parts: tuple[bytes, bytes, bytes], limits: Limits) -> bytes:
        """What a child answers.

        Raises:
            RenderError: Helm refuses.
            RenderLimitError: the child reached a limit, or ended.
            ToolError: there is no SDK that can be used.
        """
        worker = self._taken()
        try:
            answer = worker.ask(parts, limits)
        except ToolLimitError as error:
            raise _limit_error(error) from None
        except WorkerDiedError:
            raise RenderLimitError(_died(worker.code)) from None
        if answer.memory > _RETIRED:
            worker.close()
        else:
            with self._lock:
                self._idle.append(worker)
        return _body(answer)

    def _taken(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive:
                    return worker
                worker.close()
        folder = _sdk_folder()
        # Without -S and -I it would start slowly, and could load what lies in the work tree.
        command = [sys.executable, "-I", "-S", "-B", str(helm_worker.__file__), str(folder)]
        return Worker(command, _empty_home("/dev/null"))

    def close(self) -> None:
        """End the children."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()


_WORKERS = _Workers()


def _body(answer: Answer) -> bytes:
    if answer.kind == helm_worker.RENDERED:
        return answer.body
    said = answer.body.decode(errors="replace")
    if answer.kind == helm_worker.REFUSED:
        raise RenderError(said)
    raise ToolError(f"Helm's SDK can't be used: {said}", hint="install the helm program")


def _sdk_folder() -> Path:
    """The folder in which Helm's SDK is installed.

    Raises:
        ToolError: it isn't.
    """
    spec = importlib.util.find_spec("helm_python")
    if spec is None or spec.origin is None:
        raise ToolError(
            "Helm's SDK is not installed", hint="pip install '.[charts]' in a clone of imageshift"
        )
    return Path(spec.origin).parent.parent


class CountingRenderer(Struct):
    """Another renderer that counts its renderings, and ends a release that takes too much.

    A limit that one rendering reaches is no refusal that a search could go around: it counts as
    the chart's own error, as does the time that all renderings of the release take together.
    """

    inner: Renderer
    count: int = 0
    seconds: float = 0.0

    @property
    def version(self) -> str:
        """The inner one's."""
        return self.inner.version

    def render(
        self, chart: ChartFiles, values: Values, options: RenderOptions, *, schemas: bool = False
    ) -> Manifests:
        """What the inner one renders.

        Raises:
            RenderError: as the inner one.
            ChartError: a limit is reached.
        """
        if self.seconds > _RELEASE_SECONDS:
            raise ChartError(f"its renderings took longer than {_RELEASE_SECONDS:.0f} s together")
        self.count += 1
        start = time.monotonic()
        try:
            return self.inner.render(chart, values, options, schemas=schemas)
        except RenderLimitError as error:
            raise ChartError(str(error), hint=error.hint) from None
        finally:
            self.seconds += time.monotonic() - start


def find_renderer(*, program: str | None = None, timeout: float = TIMEOUT) -> Renderer:
    """The SDK when it is installed, else the `helm` on the path; a named program before both.

    Raises:
        ToolError: there is neither.
    """
    if program is not None:
        return BinaryRenderer(program, timeout)
    if importlib.util.find_spec("helm_python") is not None:
        return SdkRenderer(timeout)
    found = shutil.which("helm")
    if found is None:
        raise ToolError(
            "neither Helm's SDK nor the helm program is installed",
            hint="install Helm 3 or 4, or pip install '.[charts]' in a clone of imageshift",
        )
    return BinaryRenderer(found, timeout)
