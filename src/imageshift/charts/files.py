"""A chart's files, from a folder or an archive, and the small archive that is rendered.

Two archives are made: one without values schemas, for finding out, and one with those that
need no network (H8e), for what is shown to the user.
"""

import gzip
import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from imageshift.charts.model import ChartError, ChartUnavailableError, Release, Values
from imageshift.charts.plain import load_plain
from imageshift.charts.values import lookup, merge

__all__ = ["ChartFiles", "load_archive", "load_chart"]

_LARGEST = 128 * 1024 * 1024
_UNREAD = {"README.md", "CHANGELOG.md", "LICENSE", "README.md.gotmpl", "values.schema.json"}
# Istio's charts keep their defaults under this key and merge the user's values over them.
_ISTIO = "_internal_defaults_do_not_set"
# A schema that names another file sends Helm to the network, or to a file beside none (H8e).
_OUTSIDE = re.compile(
    rb'"\$(?:ref|dynamicRef|recursiveRef)"\s*:\s*"[^#"]'
    rb'|"\$schema"\s*:\s*"(?!https?://json-schema\.org/)'
)
_CAPABILITIES = re.compile(rb"\.Capabilities\b")


@dataclass(frozen=True)
class ChartFiles:
    """The files of one chart by their path in it; archives in charts/ are unpacked."""

    files: Mapping[str, bytes]
    origin: str
    _memo: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """Chart.yaml, with the dependencies of an old requirements.yaml."""
        loaded = load_plain(self.files["Chart.yaml"], f"{self.origin}: Chart.yaml")
        if not isinstance(loaded, dict) or not loaded.get("name"):
            raise ChartError(f"{self.origin}: Chart.yaml names no chart")
        old = self.files.get("requirements.yaml")
        if old is not None and "dependencies" not in loaded:
            loaded["dependencies"] = (load_plain(old, "requirements.yaml") or {}).get(
                "dependencies"
            )
        return loaded

    @property
    def name(self) -> str:
        """The chart's name."""
        return str(self.metadata["name"])

    @property
    def version(self) -> str:
        """The chart's version."""
        return str(self.metadata.get("version", ""))

    @cached_property
    def digest(self) -> str:
        """A hash over all that can change a rendering."""
        digest = hashlib.sha256()
        for path in sorted(self.files):
            digest.update(f"{path}\0{len(self.files[path])}\0".encode())
            digest.update(self.files[path])
        return digest.hexdigest()

    @cached_property
    def uses_capabilities(self) -> bool:
        """Whether a template asks for the cluster's versions, or Chart.yaml for a kubeVersion."""
        if self.metadata.get("kubeVersion"):
            return True
        return any(
            "templates/" in path and _CAPABILITIES.search(text) is not None
            for path, text in self.files.items()
        )

    @cached_property
    def has_schema(self) -> bool:
        """Whether a values schema is left that can be checked offline."""
        return any(
            _is_schema(path) and not _OUTSIDE.search(self.files[path]) for path in self.files
        )

    @cached_property
    def subcharts(self) -> "tuple[ChartFiles, ...]":
        """The charts in charts/."""
        folders: dict[str, dict[str, bytes]] = {}
        for path, data in self.files.items():
            if path.startswith("charts/") and path.count("/") > 1:
                _, folder, inside = path.split("/", 2)
                folders.setdefault(folder, {})[inside] = data
        return tuple(
            ChartFiles(inside, f"{self.origin}/charts/{folder}")
            for folder, inside in folders.items()
            if "Chart.yaml" in inside
        )

    @cached_property
    def own_values(self) -> dict[str, Any]:
        """values.yaml alone."""
        found = load_plain(self.files.get("values.yaml", b""), f"{self.origin}: values.yaml")
        return found if isinstance(found, dict) else {}

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """values.yaml over those of the subcharts, each under its alias as Helm puts them."""
        own = self.own_values
        hidden = own.get(_ISTIO)
        if isinstance(hidden, Mapping):
            own = merge(hidden, {key: value for key, value in own.items() if key != _ISTIO})
        return merge(self._subchart_defaults(), own)

    def _subchart_defaults(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        declared = self.metadata.get("dependencies") or []
        for chart in self.subcharts:
            names = [d.get("alias") or d["name"] for d in declared if d.get("name") == chart.name]
            for name in names or [chart.name]:
                found[name] = chart.defaults
        return found

    @cached_property
    def missing_dependencies(self) -> list[dict[str, Any]]:
        """Declared dependencies that charts/ lacks."""
        present = {chart.name for chart in self.subcharts}
        declared = self.metadata.get("dependencies") or []
        return [item for item in declared if item.get("name") not in present]

    def check_dependencies(self, values: Values) -> None:
        """Accept missing dependencies that these values switch off.

        Raises:
            ChartUnavailableError: an enabled one is missing.
        """
        if not self.missing_dependencies:
            return
        merged = merge(self.defaults, values)
        gone = [d["name"] for d in self.missing_dependencies if _is_enabled(d, merged)]
        if gone:
            raise ChartUnavailableError(
                f"{self.name} {self.version} lacks its dependencies: {', '.join(gone)}",
                hint="run `helm dependency build` in the chart's folder",
            )

    def with_values_files(self, names: tuple[str, ...]) -> "ChartFiles":
        """The chart whose values.yaml is the merge of these of its files, as Flux does.

        Raises:
            ChartError: it has no such file.
        """
        for name in names:
            if name not in self.files:
                raise ChartError(f"{self.name} {self.version} has no file {name} (valuesFiles)")
        return self.with_values_texts({f"{self.origin}: {n}": self.files[n] for n in names})

    def with_values_texts(self, texts: Mapping[str, bytes]) -> "ChartFiles":
        """The chart whose values.yaml is the merge of texts, by their names; itself without any.

        Raises:
            ChartError: one is no YAML.
        """
        if not texts:
            return self
        merged: dict[str, Any] = {}
        for what, text in texts.items():
            merged = merge(merged, load_plain(text, what) or {})
        return ChartFiles({**self.files, "values.yaml": json.dumps(merged).encode()}, self.origin)

    def for_release(self, release: Release) -> "ChartFiles":
        """The chart as a release takes it, with the values files that it names.

        Raises:
            ChartError: it has no such file, or one is no YAML.
        """
        chart = self.with_values_files(release.values_files)
        chart = chart.with_values_texts(release.values_texts)
        return chart if release.schemas else chart.without_schemas()

    def without_schemas(self) -> "ChartFiles":
        """The chart without what Helm checks values by."""
        kept = {path: data for path, data in self.files.items() if not _is_schema(path)}
        return ChartFiles(kept, self.origin)

    def archive(self, *, schemas: bool = False) -> bytes:
        """A .tgz for Helm: no README, no missing dependencies, schemas only when asked for."""
        schemas = schemas and self.has_schema
        key = f"archive-{schemas}"
        if key not in self._memo:
            self._memo[key] = _pack(self.name, self._slim(schemas=schemas))
        made: bytes = self._memo[key]
        return made

    def _slim(self, *, schemas: bool) -> dict[str, bytes]:
        kept = {path: data for path, data in self.files.items() if self._is_kept(path, schemas)}
        if self.missing_dependencies:
            kept.pop("requirements.yaml", None)
            kept["Chart.yaml"] = json.dumps(self._present_metadata(), default=str).encode()
        return kept

    def _is_kept(self, path: str, schemas: bool) -> bool:  # noqa: FBT001
        if _is_schema(path):
            return schemas and not _OUTSIDE.search(self.files[path])
        pure = PurePosixPath(path)
        if pure.name in _UNREAD or pure.suffix == ".prov":
            return False
        if "templates" in pure.parts or self._reads_files:
            return True
        # A chart may be called crds itself, as kyverno's subchart is.
        pairs = pairwise(("", *pure.parts))
        return not any(part == "crds" and above != "charts" for above, part in pairs)

    @cached_property
    def _reads_files(self) -> bool:
        return any(
            b".Files." in text and b"crd" in text
            for path, text in self.files.items()
            if "templates/" in path
        )

    def _present_metadata(self) -> dict[str, Any]:
        missing = {item.get("name") for item in self.missing_dependencies}
        declared = self.metadata.get("dependencies") or []
        kept = [item for item in declared if item.get("name") not in missing]
        return {**self.metadata, "apiVersion": "v2", "dependencies": kept}


def _is_schema(path: str) -> bool:
    return path.rpartition("/")[2] == "values.schema.json"


def _is_enabled(dependency: Mapping[str, Any], values: Values) -> bool:
    """By its condition, else by its tags, else on: Helm's order."""
    for condition in str(dependency.get("condition") or "").split(","):
        found = lookup(values, tuple(condition.strip().split(".")))
        if condition.strip() and isinstance(found, bool):
            return found
    tags = [lookup(values, ("tags", tag)) for tag in dependency.get("tags") or ()]
    decided = [tag for tag in tags if isinstance(tag, bool)]
    return any(decided) if decided else True


def _pack(name: str, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for path, data in files.items():
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def load_chart(path: Path) -> ChartFiles:
    """The chart in a folder or a .tgz.

    Raises:
        ChartUnavailableError: there is none.
        ChartError: it can't be read, or is too large.
    """
    try:
        files = _read_folder(path) if path.is_dir() else _read_archive(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise ChartUnavailableError(f"{path}: no such chart") from None
    except OSError as error:
        raise ChartUnavailableError(f"{path}: {error.strerror}") from None
    return _checked(files, str(path))


def load_archive(data: bytes, origin: str) -> ChartFiles:
    """The chart in the bytes of a .tgz; `origin` names it in messages.

    Raises:
        ChartUnavailableError: no chart in it.
        ChartError: it can't be read, or is too large.
    """
    return _checked(_read_archive(data, origin), origin)


def _checked(files: dict[str, bytes], origin: str) -> ChartFiles:
    if "Chart.yaml" not in files:
        raise ChartUnavailableError(f"{origin}: no Chart.yaml in it")
    return ChartFiles(_unpack_subcharts(files), origin)


def _unpack_subcharts(files: dict[str, bytes]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path, data in files.items():
        parts = path.split("/")
        if len(parts) == 2 and parts[0] == "charts" and path.endswith(".tgz"):  # noqa: PLR2004
            inner = _unpack_subcharts(_read_archive(data, path))
            folder = parts[1].removesuffix(".tgz")
            found.update({f"charts/{folder}/{p}": d for p, d in inner.items()})
        elif len(parts) > 3 and "charts" in parts[1:-1] and path.endswith(".tgz"):  # noqa: PLR2004
            inner = _unpack_subcharts(_read_archive(data, path))
            found.update({f"{path.removesuffix('.tgz')}/{p}": d for p, d in inner.items()})
        else:
            found[path] = data
    return found


def _read_archive(data: bytes, what: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for entry in archive:
                total += entry.size
                if total > _LARGEST:
                    raise ChartError(f"{what}: unpacks to more than {_LARGEST >> 20} MiB")
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is not None:
                    found[entry.name.partition("/")[2]] = content.read()
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, OSError) as error:
        raise ChartError(f"{what}: not a chart archive: {error}") from None
    return found


def _read_folder(root: Path) -> dict[str, bytes]:
    ignored = _helmignore(root)
    found: dict[str, bytes] = {}
    total = 0
    for folder, folders, names in os.walk(root, followlinks=True):
        here = Path(folder).resolve()
        folders[:] = sorted(name for name in folders if name != ".git" and _below(here, name))
        for name in sorted(names):
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if ignored(relative) or not path.is_file():
                continue
            found[relative] = path.read_bytes()
            total += len(found[relative])
            if total > _LARGEST:
                raise ChartError(f"{root}: more than {_LARGEST >> 20} MiB")
    return found


def _below(folder: Path, name: str) -> bool:
    """Whether a folder lies below the one that names it: a link to a folder above has no end."""
    path = folder / name
    return not path.is_symlink() or not folder.is_relative_to(path.resolve())


def _helmignore(root: Path) -> Any:
    path = root / ".helmignore"
    if not path.is_file():
        return lambda _: False
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 only folders with such a file need it

    spec = GitIgnoreSpec.from_lines(path.read_text(errors="replace").splitlines())
    return lambda relative: relative != "Chart.yaml" and spec.match_file(relative)
