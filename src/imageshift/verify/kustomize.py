"""Real kustomize: folders built as they are, or with what a Flux Kustomization adds to them."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.charts.model import Values
from imageshift.charts.plain import load_plain
from imageshift.errors import ToolError
from imageshift.verify.model import Plain

__all__ = ["BuildError", "Kustomize", "additions"]

TIMEOUT = 120.0
_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_ADDED = ("components", "patches", "patchesStrategicMerge", "patchesJson6902")
_RENAMED = {"targetNamespace": "namespace", "namePrefix": "namePrefix", "nameSuffix": "nameSuffix"}
_OBJECT = re.compile(r"^[\"']?kind[\"']?[ \t]*:", re.MULTILINE)
_numbers = count(1)


class BuildError(ToolError):
    """kustomize refuses to build a folder."""


class Kustomize(Struct, frozen=True):
    """The program; files anywhere may be read, as Flux allows inside its artifact."""

    command: tuple[str, ...]
    timeout: float = TIMEOUT

    @classmethod
    def find(cls) -> "Kustomize":
        """`kustomize`, else `kubectl kustomize`.

        Raises:
            ToolError: there is neither.
        """
        for words in (("kustomize", "build"), ("kubectl", "kustomize")):
            path = shutil.which(words[0])
            if path is not None:
                return cls((path, *words[1:]))
        raise ToolError(
            "neither kustomize nor kubectl is here",
            hint="install one of them: verify builds kustomizations with the real program",
        )

    def build(self, folder: Path) -> str:
        """What a folder builds to.

        Raises:
            BuildError: kustomize refuses.
        """
        command = [*self.command, "--load-restrictor", "LoadRestrictionsNone", str(folder)]
        try:
            done = subprocess.run(  # noqa: S603 the user's own kustomize
                command, capture_output=True, text=True, timeout=self.timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise BuildError(f"kustomize took longer than {self.timeout:.0f} s") from None
        if done.returncode:
            raise BuildError(_message(done.stderr, folder))
        return done.stdout

    def build_with(self, folder: Path, spec: Plain, files: Iterable[str]) -> str:
        """What Flux builds of a folder with a Kustomization's spec.

        `files` are the manifests below a folder that has no kustomization, relative to it.
        Flux writes what it adds into the folder's kustomization; here it goes into one beside
        it, where the same relative paths hold.

        Raises:
            BuildError: kustomize refuses.
        """
        found = next((folder / name for name in _NAMES if (folder / name).is_file()), None)
        added = additions(spec)
        if found is not None and not added:
            return self.build(folder)
        own = {"resources": sorted(files)} if found is None else load_plain(found.read_bytes(), "")
        beside = _beside(folder)
        try:
            text = json.dumps(merged(own or {}, added))
            (beside / "kustomization.yaml").write_text(text, "utf-8")
            return self.build(beside)
        finally:
            shutil.rmtree(beside)


def _message(text: str, folder: Path) -> str:
    lines = [re.sub(r"^[Ee]rror: ", "", line) for line in text.strip().splitlines()]
    kept = [line for line in lines if not line.startswith("#")]
    return "\n".join(kept[-6:]).replace(f"{folder}/", "").replace(str(folder), ".")


def _beside(folder: Path) -> Path:
    """A folder at the same depth with the same entries, but for the kustomization."""
    made = folder.parent / f".imageshift-{next(_numbers)}"
    made.mkdir()
    for entry in folder.iterdir():
        if entry.name not in _NAMES:
            (made / entry.name).symlink_to(entry, target_is_directory=entry.is_dir())
    return made


def additions(spec: Plain) -> dict[str, Any]:
    """What a Flux Kustomization's spec adds to a kustomization."""
    keys = (*_ADDED, "images")
    added: dict[str, Any] = {key: spec[key] for key in keys if spec.get(key)}
    for key, name in _RENAMED.items():
        if spec.get(key):
            added[name] = spec[key]
    return added


def merged(own: Values, added: Values) -> dict[str, Any]:
    """A kustomization with a Flux spec's additions, merged as Flux does it (K6)."""
    made = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **own}
    for key, value in added.items():
        if key == "images":
            made[key] = _merged_images(own.get(key) or [], value)
        elif key in {"patchesStrategicMerge", "patchesJson6902"}:
            made[key] = [*(own.get(key) or []), *map(_patch, value)]
        elif key in _ADDED:
            made[key] = [*(own.get(key) or []), *value]
        else:
            made[key] = value
    return made


def _patch(item: Any) -> Any:
    if isinstance(item, dict) and isinstance(item.get("patch"), list):
        return {**item, "patch": json.dumps(item["patch"])}
    return json.dumps(item) if isinstance(item, dict) and "target" not in item else item


def _merged_images(own: list[Any], added: list[Any]) -> list[Any]:
    made = [dict(entry) for entry in own]
    for entry in added:
        at = next((i for i, old in enumerate(made) if old.get("name") == entry.get("name")), None)
        if at is None:
            made.append(dict(entry))
        else:
            name = entry.get("newName") or made[at].get("newName")
            made[at] = {**entry, **({"newName": name} if name else {})}
    return made


def is_manifest(text: str) -> bool:
    """Whether a text says of itself that it is a Kubernetes object."""
    return _OBJECT.search(text) is not None
