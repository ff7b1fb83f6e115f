"""A chart's files, from a folder or an archive, and the small archive that is rendered.

Two archives are made: one without values schemas, for finding out, and one with those that
need no network (H8e), for what is shown to the user.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from imageshift.charts.fetch.archive import Budget, read_archive
from imageshift.charts.fetch.folder import read_folder
from imageshift.charts.fetch.schemas import is_self_contained
from imageshift.charts.model import ChartError, ChartUnavailableError, Release, Values
from imageshift.charts.plain import load_plain
from imageshift.charts.values import lookup, merge
from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.repo.read import read_file

__all__ = ["ChartFiles", "load_archive", "load_chart"]

_LARGEST = 128 * 1024 * 1024
_DEEPEST = 8
_NAME = lazy_re(r"(?!\.+\Z)[^/\\\x00-\x1f\x7f]{1,250}")
_UNREAD = {"README.md", "CHANGELOG.md", "LICENSE", "README.md.gotmpl", "values.schema.json"}
# Istio's charts keep their defaults under this key and merge the user's values over them.
_ISTIO = "_internal_defaults_do_not_set"
_JOB = lazy_re(rb"\bJob\b")
_UPGRADE = lazy_re(rb"IsUpgrade|IsInstall|Revision")
_REVISION = lazy_re(rb"\$?\.Release\.Revision\b")
_CAPABILITIES = lazy_re(rb"\.Capabilities\b")


@dataclass(frozen=True)
class ChartFiles:
    """The files of one chart by their path in it; archives in charts/ are unpacked."""

    files: Mapping[str, bytes]
    origin: str
    _memo: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """Chart.yaml, with the dependencies of an old requirements.yaml.

        Raises:
            ChartError: it isn't of the form that Helm reads.
        """
        loaded = load_plain(self.files["Chart.yaml"], f"{self.origin}: Chart.yaml")
        name = loaded.get("name") if isinstance(loaded, dict) else None
        if not isinstance(name, str) or _NAME.fullmatch(name) is None:
            raise ChartError(f"{self.origin}: Chart.yaml names no chart")
        if "requirements.yaml" in self.files and "dependencies" not in loaded:
            loaded["dependencies"] = self._load("requirements.yaml").get("dependencies")
        return {**loaded, "dependencies": self._dependencies(loaded.get("dependencies"))}

    def _load(self, name: str) -> dict[str, Any]:
        return _load_map(self.files.get(name, b""), f"{self.origin}: {name}")

    def _dependencies(self, found: Any) -> list[dict[str, Any]]:
        if found is None:
            return []
        if isinstance(found, list) and all(map(_is_dependency, found)):
            return found
        raise ChartError(f"{self.origin}: the dependencies aren't a list of named charts")

    @property
    def name(self) -> str:
        """The chart's name."""
        return str(self.metadata["name"])

    @property
    def version(self) -> str:
        """The chart's version."""
        return str(self.metadata.get("version", ""))

    @property
    def title(self) -> str:
        """The chart's name and version."""
        return f"{self.name} {self.version}".rstrip()

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
    def knows_upgrades(self) -> bool:
        """Whether its templates may render an upgrade's Jobs otherwise than an installation's."""
        texts = [text for path, text in self.files.items() if "templates/" in path]
        return any(map(_JOB.search, texts)) and any(map(_UPGRADE.search, texts))

    def at_revision(self, revision: int) -> "ChartFiles":
        """The chart with a release's revision in its templates, for a Helm that takes none."""
        number = str(revision).encode()
        made = {
            path: _REVISION.sub(number, text) if "templates/" in path else text
            for path, text in self.files.items()
        }
        return ChartFiles(made, self.origin)

    @cached_property
    def has_schema(self) -> bool:
        """Whether a values schema is left that can be checked offline."""
        return any(
            _is_schema(path) and is_self_contained(data) for path, data in self.files.items()
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
        return self._load("values.yaml")

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
        for chart in self.subcharts:
            found |= dict.fromkeys(self.names_of(chart), chart.defaults)
        return found

    def names_of(self, subchart: "ChartFiles") -> list[str]:
        """The keys under which the values hold those of one of the subcharts."""
        declared, name = self.metadata["dependencies"], subchart.name
        return [d.get("alias") or name for d in declared if d.get("name") == name] or [name]

    @cached_property
    def missing_dependencies(self) -> list[dict[str, Any]]:
        """Declared dependencies that charts/ lacks."""
        present = {chart.name for chart in self.subcharts}
        declared = self.metadata["dependencies"]
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
                f"{self.title} is missing its dependencies: {', '.join(gone)}",
                hint="run `helm dependency build` in the chart's folder",
            )

    def with_values_files(self, names: tuple[str, ...]) -> "ChartFiles":
        """The chart whose values.yaml is the merge of these of its files, as Flux does.

        Raises:
            ChartError: it has no such file.
        """
        for name in names:
            if name not in self.files:
                raise ChartError(f"{self.title} has no file {name} (valuesFiles)")
        return self._with_values(map(self._load, names)) if names else self

    def with_values_texts(self, texts: Mapping[str, bytes]) -> "ChartFiles":
        """The chart whose values.yaml is the merge of texts, by their names; itself without any.

        Raises:
            ChartError: one is no YAML.
        """
        found = (_load_map(text, what) for what, text in texts.items())
        return self._with_values(found) if texts else self

    def _with_values(self, values: Iterable[Any]) -> "ChartFiles":
        merged: dict[str, Any] = {}
        for each in values:
            merged = merge(merged, each)
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
            return schemas and is_self_contained(self.files[path])
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
        declared = self.metadata["dependencies"]
        kept = [item for item in declared if item.get("name") not in missing]
        return {**self.metadata, "apiVersion": "v2", "dependencies": kept}


def _is_dependency(found: Any) -> bool:
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        return False
    texts = (found.get("alias"), found.get("condition"))
    tags = found.get("tags")
    return all(text is None or isinstance(text, str) for text in texts) and (
        tags is None or (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags))
    )


def _load_map(text: bytes, what: str) -> dict[str, Any]:
    loaded = load_plain(text, what)
    if loaded is not None and not isinstance(loaded, dict):
        raise ChartError(f"{what}: it must be a mapping")
    return loaded or {}


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


def load_chart(path: Path, *, root: Path | None = None) -> ChartFiles:
    """The chart in a folder or a .tgz.

    Links are followed as far as they stay below `root`, the root of the repository that the
    chart belongs to; without one they must stay in the chart's own folder.

    Raises:
        ChartUnavailableError: there is none.
        ChartError: it can't be read, is too large, or leads out of the root.
    """
    try:
        real = path.resolve(strict=True)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        why = "no such chart" if missing else error.strerror
        raise ChartUnavailableError(f"{path}: {why}") from None
    except (RuntimeError, ValueError):  # links in a circle; a name with a zero byte
        raise ChartUnavailableError(f"{path}: no such chart") from None
    boundary = real if root is None else root.resolve()
    if not real.is_relative_to(boundary):
        raise ChartError(f"{path}: it leads out of the root")
    budget = Budget(_LARGEST)
    if real.is_dir():
        return _checked(read_folder(real, boundary, budget), str(path), budget)
    try:
        data = read_file(real)
    except SourceError as error:
        raise ChartUnavailableError(f"{path}: {error}") from None
    return load_archive(data, str(path))


def load_archive(data: bytes, origin: str) -> ChartFiles:
    """The chart in the bytes of a .tgz; `origin` names it in messages.

    Raises:
        ChartUnavailableError: no chart in it.
        ChartError: it can't be read, or is too large.
    """
    budget = Budget(_LARGEST)
    return _checked(read_archive(data, origin, budget), origin, budget)


def _checked(files: dict[str, bytes], origin: str, budget: Budget) -> ChartFiles:
    if "Chart.yaml" not in files:
        raise ChartUnavailableError(f"{origin}: no Chart.yaml in it")
    return ChartFiles(_unpack_subcharts(files, origin, budget), origin)


def _unpack_subcharts(
    files: dict[str, bytes], origin: str, budget: Budget, depth: int = 0
) -> dict[str, bytes]:
    """The files with those of the archives in charts/, and of the archives in those."""
    if depth > _DEEPEST:
        raise ChartError(f"{origin}: archives in archives, deeper than {_DEEPEST} levels")
    found: dict[str, bytes] = {}
    for path, data in files.items():
        parts = path.split("/")
        if path.endswith(".tgz") and set(parts[::2]) == {"charts"} and len(parts) % 2 == 0:
            what, folder = f"{origin}: {path}", path.removesuffix(".tgz")
            inner = _unpack_subcharts(read_archive(data, what, budget), what, budget, depth + 1)
            found.update({f"{folder}/{below}": content for below, content in inner.items()})
        else:
            found[path] = data
    return found
