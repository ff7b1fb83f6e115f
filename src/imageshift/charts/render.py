"""Helm behind one interface: the embedded SDK, or the `helm` binary."""

import json
import re
import shutil
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from imageshift.charts.files import ChartFiles
from imageshift.charts.model import RenderError, RenderOptions, RenderTimeoutError, Values
from imageshift.charts.store import write_whole
from imageshift.errors import ToolError

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

T = TypeVar("T")
TIMEOUT = 120.0
KUBE_VERSION = "v1.35.0"
"""The cluster version that templates see unless another is asked for: both ways the same one."""

_SOURCE = re.compile(r"^# Source: (.+)$", re.MULTILINE)


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
        """
        ...


def _is_manifest(path: str, text: str) -> bool:
    name = path.rpartition("/")[2]
    return name != "NOTES.txt" and not name.startswith("_") and bool(text.strip())


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
            ToolError: there is no such program.
        """
        if self._version is None:
            self._version = self._run([self.program, "version", "--short"], {}).strip()
        return self._version

    def render(
        self, chart: ChartFiles, values: Values, options: RenderOptions, *, schemas: bool = False
    ) -> Manifests:
        """As the protocol says.

        Raises:
            RenderError: Helm refuses.
            RenderTimeoutError: it takes too long.
            ToolError: there is no such program.
        """
        chart.check_dependencies(values)
        output = self._run(self._arguments(self._stored(chart, schemas), options), values)
        return _by_source(output)

    def _stored(self, chart: ChartFiles, schemas: bool) -> Path:  # noqa: FBT001
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="imageshift-"))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / f"{chart.digest}-{int(schemas)}.tgz"
        if not path.exists():
            write_whole(path, chart.archive(schemas=schemas))
        return path

    def _arguments(self, archive: Path, options: RenderOptions) -> list[str]:
        kube_version = options.kube_version or KUBE_VERSION
        command = [self.program, "template", options.name, str(archive), "--values", "-"]
        command += ["--namespace", options.namespace, "--kube-version", kube_version]
        for version in options.api_versions:
            command += ["--api-versions", version]
        return command

    def _run(self, command: list[str], values: Values) -> str:
        try:
            done = subprocess.run(  # noqa: S603 the program is the user's own Helm
                command,
                input=json.dumps(values),
                capture_output=True,
                text=True,
                timeout=self.timeout,
                check=False,
            )
        except FileNotFoundError:
            raise ToolError(f"no program {self.program}", hint="install Helm 3 or 4") from None
        except subprocess.TimeoutExpired:
            raise RenderTimeoutError(f"helm took longer than {self.timeout:.0f} s") from None
        if done.returncode:
            raise RenderError(done.stderr.strip().removeprefix("Error: "))
        return done.stdout


def _by_source(output: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    marks = list(_SOURCE.finditer(output))
    for mark, following in zip_longest(marks, marks[1:]):
        end = len(output) if following is None else following.start()
        text = output[mark.end() + 1 : end].removesuffix("---\n")
        found.setdefault(mark[1], []).append(text)
    joined = {path: "\n---\n".join(texts) for path, texts in found.items()}
    return {path: text for path, text in joined.items() if _is_manifest(path, text)}


class SdkRenderer(Struct, frozen=True):
    """Helm's own SDK inside this process (the extra `imageshift[charts]`, H9).

    A chart is loaded anew for every rendering: Helm drops disabled subcharts from the loaded
    one for good, so a second rendering with other values would lack them.
    """

    timeout: float = TIMEOUT

    @property
    def version(self) -> str:
        """The version of Helm's SDK."""
        return f"sdk {_sdk().helm_sdk_version()}"

    def render(
        self, chart: ChartFiles, values: Values, options: RenderOptions, *, schemas: bool = False
    ) -> Manifests:
        """As the protocol says.

        Raises:
            RenderError: Helm refuses.
            RenderTimeoutError: it takes too long.
            ToolError: the SDK isn't installed.
        """
        chart.check_dependencies(values)
        archive = chart.archive(schemas=schemas)
        found = _within(self.timeout, lambda: _render_in_process(archive, values, options))
        return {path: text for path, text in found.items() if _is_manifest(path, text)}


def _render_in_process(archive: bytes, values: Values, options: RenderOptions) -> dict[str, str]:
    helm = _sdk()
    chosen: dict[str, Any] = {
        "name": options.name,
        "namespace": options.namespace,
        "kube_version": options.kube_version or KUBE_VERSION,
    }
    if options.api_versions:
        chosen["api_versions"] = list(options.api_versions)
    try:
        helm.validate_release_name(options.name)
        with helm.Chart.load_archive(archive) as chart:
            # The Python method leaves out the versions that the C function takes.
            answer = helm._native.call_string(  # noqa: SLF001
                "helm_render",
                chart._raw(),  # noqa: SLF001
                json.dumps(values),
                json.dumps(chosen),
            )
    except helm.HelmError as error:
        if "unknown field" in str(error):
            raise ToolError(
                f"Helm's SDK doesn't take the options: {error}", hint="install the helm program"
            ) from None
        raise RenderError(str(error)) from None
    rendered: dict[str, str] = json.loads(answer)
    return rendered


def _sdk() -> Any:
    try:
        import helm_python  # noqa: PLC0415 80 MB that only rendering needs
    except ImportError:
        raise ToolError(
            "Helm's SDK is not installed", hint="pip install 'imageshift[charts]'"
        ) from None
    return helm_python


def _within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` gives, done in a thread that is left behind when it takes too long."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 handed on below
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise RenderTimeoutError(f"rendering took longer than {seconds:.0f} s")
    return done[0]


class CountingRenderer(Struct):
    """Another renderer that counts its renderings."""

    inner: Renderer
    count: int = 0

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
        """
        self.count += 1
        return self.inner.render(chart, values, options, schemas=schemas)


def find_renderer(*, program: str | None = None, timeout: float = TIMEOUT) -> Renderer:
    """The SDK when it is installed, else the `helm` on the path; a named program before both.

    Raises:
        ToolError: there is neither.
    """
    if program is not None:
        return BinaryRenderer(program, timeout)
    try:
        _sdk()
    except ToolError:
        found = shutil.which("helm")
        if found is None:
            raise ToolError(
                "neither Helm's SDK nor the helm program is here",
                hint="pip install 'imageshift[charts]', or install Helm 3 or 4",
            ) from None
        return BinaryRenderer(found, timeout)
    return SdkRenderer(timeout)
