"""Real kustomize: folders built as they are, or with what a Flux Kustomization adds to them."""

import json
import re
import shutil
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.charts.model import Values
from imageshift.charts.plain import load_plain
from imageshift.errors import ToolError
from imageshift.kustomize.fence import NAMES
from imageshift.kustomize.program import BuildError, Program
from imageshift.lazy import lazy_re
from imageshift.repo.read import read_file
from imageshift.verify.model import Plain

__all__ = ["BuildError", "Kustomize", "additions"]

_ADDED = ("components", "patches", "patchesStrategicMerge", "patchesJson6902")
_RENAMED = {"targetNamespace": "namespace", "namePrefix": "namePrefix", "nameSuffix": "nameSuffix"}
_OBJECT = lazy_re(r"^[\"']?kind[\"']?[ \t]*:", re.MULTILINE)
_numbers = count(1)


class Kustomize(Struct, frozen=True):
    """The program, which may read what is below `root` alone, or anything where that is None.

    Files below the root may be read wherever they are, as Flux allows inside its artifact. With
    `fetch`, remote bases are fetched.
    """

    program: Program
    root: Path | None = None
    fetch: bool = False

    @classmethod
    def find(cls, root: Path | None = None, *, fetch: bool = False) -> "Kustomize":
        """`kustomize`, else `kubectl kustomize`.

        Raises:
            ToolError: there is neither.
        """
        program = Program.find()
        if program is None:
            raise ToolError(
                "neither kustomize nor kubectl is on PATH",
                hint="install one of them: verify builds kustomizations with the real program",
            )
        return cls(program, root, fetch)

    def build(self, folder: Path) -> str:
        """What a folder builds to.

        Raises:
            BuildError: kustomize refuses, or may not build it.
        """
        return self.program.build(folder, self.root or Path(folder.anchor), fetch=self.fetch)

    def build_with(
        self, folder: Path, spec: Plain, files: Iterable[str], *, argo: bool = False
    ) -> str:
        """What Flux builds of a folder with a Kustomization's spec, or Argo CD with a source's.

        `files` are the manifests below a folder that has no kustomization, relative to it.
        Flux writes what it adds into the folder's kustomization; here it goes into one beside
        it, where the same relative paths hold.

        Raises:
            BuildError: kustomize refuses.
        """
        found = next((folder / name for name in NAMES if (folder / name).is_file()), None)
        added = additions(spec)
        if found is not None and not added:
            return self.build(folder)
        own = {"resources": sorted(files)} if found is None else load_plain(read_file(found), "")
        beside = _beside(folder)
        try:
            text = json.dumps(merged(own or {}, added, argo=argo))
            (beside / "kustomization.yaml").write_text(text, "utf-8")
            return self.build(beside)
        finally:
            shutil.rmtree(beside)


def _beside(folder: Path) -> Path:
    """A folder at the same depth with the same entries, but for the kustomization."""
    made = folder.parent / f".imageshift-{next(_numbers)}"
    made.mkdir()
    for entry in folder.iterdir():
        if entry.name not in NAMES:
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


def merged(own: Values, added: Values, *, argo: bool = False) -> dict[str, Any]:
    """A kustomization with a spec's additions, merged as Flux (K6) or Argo CD (E4) does it."""
    made = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **own}
    for key, value in added.items():
        if key == "images":
            merge = _edited_images if argo else _merged_images
            made[key] = merge(own.get(key) or [], value)
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


def _edited_images(own: list[Any], added: list[Any]) -> list[Any]:
    """As `kustomize edit set image`: whole entries by name, the list sorted."""
    found: dict[str, Any] = {}
    for entry in own:
        found.setdefault(str(entry.get("name")), entry)
    found |= {str(entry.get("name")): entry for entry in added}
    return [found[name] for name in sorted(found)]


def is_manifest(text: str) -> bool:
    """Whether a text says about itself that it is a Kubernetes object."""
    return _OBJECT.search(text) is not None
