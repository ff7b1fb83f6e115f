"""Where the chart of a release comes from, through the Flux object that it names (fact X2)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ChartSource, ChartUnavailableError, SourceKind
from imageshift.charts.releases.spec import plain_objects
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.links.reach import Reach
from imageshift.links.sources import is_own_source

__all__ = ["ChartPick", "ChartSources"]

_HINT = "name its folder or .tgz under `charts: {sources: …}` in .imageshift.yaml"


class ChartPick(Struct, frozen=True):
    """What a release says about its chart: where it is, and which values files it takes (E3.1).

    `in_tree` says that the chart and its values files lie in this repository, the files named from
    its root; `late` that Flux goes on using the chart that it has built until the chart's version
    changes (E3.2).
    """

    source: ChartSource
    values_files: tuple[str, ...] = ()
    in_tree: bool = False
    late: bool = False
    ignores_missing: bool = False


class ChartSources:
    """Reads chart sources; each Flux object is read once.

    `known` are the folders and archives of the configuration, by `namespace/name` of a release,
    or by the name or URL of a chart (those are left to `Locator`).
    """

    def __init__(self, index: Index, reach: Reach, known: Mapping[str, Path]) -> None:
        self._index = index
        self._reach = reach
        self._known = known
        self._specs: dict[tuple[str, str, str], Mapping[str, Any] | None] = {}

    def pick(self, spec: Mapping[str, Any], namespace: str, name: str) -> ChartPick:
        """The chart of a release's spec; `namespace` is where the release's object is.

        Raises:
            ChartUnavailableError: the tree doesn't say where the chart is.
        """
        given = self._known.get(f"{namespace}/{name}") or self._known.get(name)
        inner = _map(_map(spec.get("chart")).get("spec"))
        if given is not None:
            chart = str(inner.get("chart") or name).rstrip("/").rpartition("/")[2]
            kind = str(_map(inner.get("sourceRef")).get("kind"))
            asked = inner.get("version") if kind == "HelmRepository" else None
            version = None if asked is None else str(asked)
            source = ChartSource(kind=SourceKind.LOCAL, name=chart, path=given, version=version)
            return ChartPick(source)
        if inner:
            return self._from_template(inner, namespace)
        reference = _map(spec.get("chartRef"))
        if reference.get("kind") == "HelmChart":
            space = str(reference.get("namespace") or namespace)
            found = self._object("HelmChart", space, str(reference.get("name")))
            return self._from_template(found, space)
        return ChartPick(self._from_oci(reference, namespace))

    def _from_template(self, inner: Mapping[str, Any], namespace: str) -> ChartPick:
        """The chart that a HelmChart's spec, or a release's template of one, asks for."""
        source = self._template_source(inner, namespace)
        old, files = inner.get("valuesFile"), inner.get("valuesFiles") or ()
        names = [name for name in (old, *files) if isinstance(name, str) and name]
        kind = str(_map(inner.get("sourceRef")).get("kind"))
        in_tree = source.path is not None and kind in {"GitRepository", "Bucket"}
        return ChartPick(
            source,
            tuple(dict.fromkeys(names)),
            in_tree=in_tree,
            late=in_tree and inner.get("reconcileStrategy") != "Revision",
            ignores_missing=inner.get("ignoreMissingValuesFiles") is True,
        )

    def _template_source(self, inner: Mapping[str, Any], namespace: str) -> ChartSource:
        chart = str(inner.get("chart") or "")
        version = None if inner.get("version") is None else str(inner["version"])
        reference = _map(inner.get("sourceRef"))
        kind = str(reference.get("kind") or "source without a kind")
        name = str(reference.get("name"))
        space = str(reference.get("namespace") or namespace)
        if kind == "HelmRepository":
            return self._from_repository(self._repository(space, name, chart), chart, version)
        if kind == "GitRepository":
            return self._from_git(space, name, chart)
        base = chart.rstrip("/").rpartition("/")[2]
        if base in self._known:
            return ChartSource(kind=SourceKind.LOCAL, name=base, path=self._known[base])
        raise ChartUnavailableError(f"a chart from a {kind} can't be read", hint=_HINT)

    def _repository(self, namespace: str, name: str, chart: str) -> Mapping[str, Any]:
        if chart in self._known:
            return {}
        return self._object("HelmRepository", namespace, name)

    def _from_repository(
        self, repository: Mapping[str, Any], chart: str, version: str | None
    ) -> ChartSource:
        url = str(repository.get("url") or "").rstrip("/")
        if url.startswith("oci://") or repository.get("type") == "oci":
            kind, url = SourceKind.HELM_OCI, f"{url}/{chart}"
        else:
            kind = SourceKind.HELM_HTTP
        return ChartSource(kind=kind, name=chart, url=url, version=version)

    def _from_git(self, namespace: str, name: str, path: str) -> ChartSource:
        chart = path.rstrip("/").rpartition("/")[2]
        if chart in self._known:
            return ChartSource(kind=SourceKind.LOCAL, name=chart, path=self._known[chart])
        own = is_own_source(self._index, "GitRepository", namespace, name)
        folder = join("", path.lstrip("/") or ".")
        if not own or folder is None:
            url = self._index.source_url("GitRepository", namespace, name) or ""
            raise ChartUnavailableError(f"{path} lies in another repository, {url}", hint=_HINT)
        tree = self._index.workspace
        return ChartSource(
            kind=SourceKind.LOCAL, name=chart, path=tree.absolute(folder), root=tree.root
        )

    def _from_oci(self, reference: Mapping[str, Any], namespace: str) -> ChartSource:
        kind, name = str(reference.get("kind") or ""), str(reference.get("name") or "")
        if kind != "OCIRepository":
            raise ChartUnavailableError("it names no chart that can be read", hint=_HINT)
        space = str(reference.get("namespace") or namespace)
        if name in self._known:
            return ChartSource(kind=SourceKind.LOCAL, name=name, path=self._known[name])
        spec = self._object(kind, space, name)
        url = str(spec.get("url") or "").rstrip("/")
        ref = _map(spec.get("ref"))
        version = ref.get("digest") or ref.get("semver") or ref.get("tag")
        return ChartSource(
            kind=SourceKind.HELM_OCI,
            name=url.rpartition("/")[2],
            url=url,
            version=None if version is None else str(version),
        )

    def _object(self, kind: str, namespace: str, name: str) -> Mapping[str, Any]:
        """The spec of a Flux object.

        Raises:
            ChartUnavailableError: the tree doesn't have it.
        """
        key = (kind, namespace, name)
        if key not in self._specs:
            self._specs[key] = self._read(kind, namespace, name)
        found = self._specs[key]
        if found is None:
            raise ChartUnavailableError(
                f"the {kind} {namespace}/{name} of its chart isn't in the tree".replace(" /", " "),
                hint=_HINT,
            )
        return found

    def _read(self, kind: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        source = self._index.source(kind, namespace, name)
        if source is None:
            return None
        variables = self._reach.substitutes(source.file)
        for item in plain_objects(self._index.workspace, source.file, variables):
            same = _map(item.get("metadata")).get("name") == name
            if item.get("kind") == kind and same:
                return _map(item.get("spec"))
        return None


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
