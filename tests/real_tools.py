"""Real kustomize and real Helm over trees held in memory; each answer is kept by its input."""

import hashlib
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

import kustomize_library
from kustomize_library import KustomizeError

__all__ = [
    "HOOK",
    "BuildError",
    "Object",
    "Tree",
    "dump_all",
    "helm_template",
    "kustomize",
    "load_all",
    "older_kustomize",
    "write_files",
]

Tree = Mapping[str, bytes]
Object = dict[str, Any]
HOOK = "helm.sh/hook"
KUBECTL = ("kubectl", "kustomize", "--load-restrictor", "LoadRestrictionsNone")
LIBRARY = ("library",)

_ANSWERS: dict[str, str | Exception] = {}
_LOADED: dict[str, str] = {}
_OLDER = ContextVar("_OLDER", default=False)


class BuildError(Exception):
    """A tool refused its input; the text is the tool's own."""


def load_all(text: str | bytes) -> list[Any]:
    """Return the documents of a YAML text that aren't empty; values are the caller's own.

    Raises:
        BuildError: the text is no YAML.
    """
    key = text if isinstance(text, str) else text.decode()
    if key not in _LOADED:
        try:
            found = list(YAML(typ="safe", pure=True).load_all(io.StringIO(key)))
        except YAMLError as error:
            raise BuildError(str(error)) from error
        _LOADED[key] = json.dumps([one for one in found if one is not None], default=str)
    made: list[Any] = json.loads(_LOADED[key])
    return made


def dump_all(objects: Sequence[Any]) -> bytes:
    """Return documents as one YAML text (JSON is YAML)."""
    return "\n---\n".join(map(json.dumps, objects)).encode()


def write_files(folder: Path, files: Tree) -> None:
    """Write a tree below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def kustomize(files: Tree, folder: str = ".", *, helm: bool = False) -> list[Object]:
    """Return what kustomize builds of a folder of the tree; `helm` allows helmCharts.

    Raises:
        BuildError: kustomize refuses.
    """
    if helm:
        # kustomize 5.7 asks for `helm version -c`, which Helm 4 doesn't know.
        command = [*KUBECTL, "--enable-helm", "--helm-command", "helm3"]
    else:
        command = [*(LIBRARY if kustomize_library.is_here() and not _OLDER.get() else KUBECTL)]
    return load_all(_answer(files, [*command, folder]))


@contextmanager
def older_kustomize() -> Iterator[None]:
    """Build with kubectl's kustomize, the older of the two that are here."""
    token = _OLDER.set(True)
    try:
        yield
    finally:
        _OLDER.reset(token)


def helm_template(
    chart: Tree, values: Sequence[Any] = (), *arguments: str, name: str = "r", namespace: str = "ns"
) -> list[Object]:
    """Return the objects that `helm template` renders, each of the values behind a `-f`.

    Raises:
        BuildError: Helm refuses, or the output is no YAML.
    """
    files = {f"chart/{path}": content for path, content in chart.items()}
    command = ["helm", "template", name, "chart", "--namespace", namespace, *arguments]
    for number, one in enumerate(values):
        files[f"values{number}.json"] = json.dumps(one).encode()
        command += ["-f", f"values{number}.json"]
    if not any(b"Release.Is" in text for path, text in files.items() if "/templates/" in path):
        command = [word for word in command if word != "--is-upgrade"]
    return load_all(_answer(files, command))


def _answer(files: Tree, command: list[str]) -> str:
    parts = [json.dumps(command), *(f"{name}\0{files[name]!r}" for name in sorted(files))]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    if key not in _ANSWERS:
        _ANSWERS[key] = _run(files, command)
    answer = _ANSWERS[key]
    if isinstance(answer, Exception):
        raise answer
    return answer


def _run(files: Tree, command: list[str]) -> str | Exception:
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), files)
        try:
            if tuple(command[:-1]) == LIBRARY:
                return kustomize_library.build_folder(Path(folder, command[-1]))
            return _output(command, folder)
        except (BuildError, KustomizeError) as error:
            return BuildError(str(error).replace(folder, ""))


def _output(command: list[str], folder: str) -> str:
    run = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"GOGC": "400"},
    )
    if run.returncode:
        raise BuildError(run.stderr.strip())
    return run.stdout
