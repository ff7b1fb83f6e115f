"""HelmReleases in built objects: their charts, and their values merged as Flux merges them."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.charts.model import (
    ChartError,
    ChartSource,
    ChartUnavailableError,
    Release,
    SourceKind,
)
from imageshift.charts.plain import load_plain
from imageshift.charts.values import ValuesFrom, merge_release
from imageshift.inventory.index import join
from imageshift.links.sources import is_own_repository
from imageshift.verify.catalog import Lookup, data_of
from imageshift.verify.model import Plain, object_name

__all__ = ["FoundRelease", "is_release", "read_release", "values_maps"]

_LONGEST_NAME = 53
_KEPT, _HASHED = 40, 12
_OWN = "flux-system"
_HINT = "name the chart's folder under `charts: sources:` in .imageshift.yaml"


class FoundRelease(Struct, frozen=True):
    """A HelmRelease as it is built, or an Argo CD source as it is read.

    `is_forced` when a change recreates Jobs; `upgrades` when it is an upgrade, as in Flux: under
    Argo CD it is an installation like the first.
    """

    data: Plain
    release: Release
    schemas: bool
    strategy: str
    is_forced: bool
    upgrades: bool = True


def is_release(data: Plain) -> bool:
    """Whether an object is a HelmRelease of Flux (any version)."""
    group = str(data.get("apiVersion") or "").partition("/")[0]
    return data.get("kind") == "HelmRelease" and group == "helm.toolkit.fluxcd.io"


def read_release(
    data: Plain, catalog: Lookup, known: Mapping[str, Path], place: str
) -> FoundRelease:
    """The release that an object describes; `place` is its file with the line.

    `known` are the charts of the config, by `namespace/name` of the release.

    Raises:
        ChartError: its values can't be found, or its chart's source isn't in the tree.
    """
    spec, name = _part(data, "spec"), object_name(data)
    file, _, line = place.rpartition(":")
    chart, source = _chart_spec(spec, catalog, name.namespace), _source(data, catalog, known)
    files, texts = _values_files(chart), {}
    if _part(chart, "sourceRef").get("kind") in {"GitRepository", "Bucket"}:
        lenient = chart.get("ignoreMissingValuesFiles") is True
        files, texts = (), _values_texts(files, catalog, lenient=lenient)
    release = Release(
        name=_release_name(spec, name.name),
        namespace=str(spec.get("targetNamespace") or name.namespace or "default"),
        source=source,
        values=_values(data, catalog),
        values_files=files,
        values_texts=texts,
        post_renderers=tuple(_maps(spec.get("postRenderers"))),
        file=file or place,
        line=int(line) if line.isdigit() else 1,
    )
    upgrade, install = _part(spec, "upgrade"), _part(spec, "install")
    return FoundRelease(
        data=data,
        release=release,
        schemas=install.get("disableSchemaValidation") is not True,
        strategy=str(spec.get("postRenderStrategy") or "combined"),
        is_forced=upgrade.get("force") is True,
    )


def _values_files(chart: Plain) -> tuple[str, ...]:
    """The files that replace the chart's values.yaml; `valuesFile`, the old way, comes first."""
    first, files = chart.get("valuesFile"), chart.get("valuesFiles")
    named = [str(name) for name in files] if isinstance(files, list) else []
    return (*((str(first),) if first else ()), *named)


def _values_texts(names: tuple[str, ...], catalog: Lookup, *, lenient: bool) -> dict[str, bytes]:
    """Files of values beside a chart from Git, by name: paths begin at the source's root (E3.1).

    With `lenient` those that aren't there don't count.

    Raises:
        ChartError: the file doesn't exist.
    """
    found: dict[str, bytes] = {}
    for name in names:
        file = join("", name.lstrip("/"))
        text = None if file is None else catalog.tree.read(file)
        if file is not None and text is not None:
            found[file] = text
        elif not lenient:
            raise ChartError(f"the values file {name} isn't in this repository")
    return found


def values_maps(data: Plain) -> set[tuple[str, str, str]]:
    """Kind, name and key of what a release takes values from."""
    return {
        (str(item.get("kind")), str(item.get("name")), _key(item)) for item in _values_from(data)
    }


def _key(item: Plain) -> str:
    return str(item.get("valuesKey") or "values.yaml")


def _values_from(data: Plain) -> list[Plain]:
    return _maps(_part(data, "spec").get("valuesFrom"))


def _maps(found: Any) -> list[Plain]:
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def _part(data: Plain, key: str) -> Plain:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def _release_name(spec: Plain, name: str) -> str:
    """As helm-controller names it, shortened with a hash where Helm's limit asks for it."""
    if spec.get("releaseName"):
        return str(spec["releaseName"])
    made = f"{spec['targetNamespace']}-{name}" if spec.get("targetNamespace") else name
    if len(made) <= _LONGEST_NAME:
        return made
    digest = hashlib.sha256(made.encode()).hexdigest()
    return f"{made[:_KEPT]}-{digest[:_HASHED]}"


def _values(data: Plain, catalog: Lookup) -> dict[str, Any]:
    namespace = object_name(data).namespace
    parts = [part for item in _values_from(data) for part in _values_part(item, catalog, namespace)]
    return merge_release(parts, _part(_part(data, "spec"), "values"))


def _values_part(item: Plain, catalog: Lookup, namespace: str) -> list[ValuesFrom]:
    kind, name = str(item.get("kind")), str(item.get("name"))
    key = _key(item)
    found = catalog.find(kind, namespace, name)
    data = None if found is None else data_of(found)
    if data is None or key not in data:
        # A Secret that the tree doesn't have in clear is absent on both sides alike.
        return []
    if item.get("targetPath"):
        return [ValuesFrom(target_path=str(item["targetPath"]), text=data[key])]
    values = load_plain(data[key], f"{kind}/{name}: {key}")
    if values is not None and not isinstance(values, Mapping):
        raise ChartError(f"{kind}/{name}: {key} contains no values")
    return [ValuesFrom(values=values or {})]


def _chart_spec(spec: Plain, catalog: Lookup, namespace: str) -> Plain:
    """`chart.spec`, or what the HelmChart says to which `chartRef` points."""
    reference = _part(spec, "chartRef")
    if reference.get("kind") == "HelmChart":
        chart = _find(reference, catalog, namespace)
        return {} if chart is None else _part(chart, "spec")
    return _part(_part(spec, "chart"), "spec")


def _find(reference: Plain, catalog: Lookup, namespace: str) -> Plain | None:
    where = str(reference.get("namespace") or namespace)
    return catalog.find(str(reference.get("kind")), where, str(reference.get("name")))


def _source(data: Plain, catalog: Lookup, known: Mapping[str, Path]) -> ChartSource:
    """Where the chart is; the configuration names it by the release, the chart or its source."""
    spec, name = _part(data, "spec"), object_name(data)
    chart = _chart_spec(spec, catalog, name.namespace)
    reference = _part(chart, "sourceRef") or _part(spec, "chartRef")
    kind, source_name = str(reference.get("kind")), str(reference.get("name"))
    base = str(chart.get("chart") or source_name).rstrip("/").rpartition("/")[2]
    for key in (f"{name.namespace}/{name.name}", name.name, base):
        if key in known:
            return ChartSource(kind=SourceKind.LOCAL, name=base, path=known[key])
    source = _find(reference, catalog, name.namespace)
    if kind == "GitRepository":
        return _local(str(chart.get("chart") or ""), source_name, source, catalog)
    if source is None or kind not in {"HelmRepository", "OCIRepository"}:
        raise ChartUnavailableError(
            f"the chart's source {kind} {source_name} isn't in the tree",
            hint=f"name the chart under `charts: sources:` as {name.namespace}/{name.name}",
        )
    inner = _part(source, "spec")
    return _from_registry(inner) if kind == "OCIRepository" else _from_repository(inner, chart)


def _local(path: str, name: str, source: Plain | None, catalog: Lookup) -> ChartSource:
    """A chart in a folder of this repository.

    Raises:
        ChartUnavailableError: the source is another repository, or has no chart there.
    """
    url = None if source is None else str(_part(source, "spec").get("url") or "")
    folder = join("", path.lstrip("/") or ".")
    own = url is None or name == _OWN or is_own_repository(catalog.tree.index, url)
    if not own or folder is None:
        raise ChartUnavailableError(
            f"{path} lies in another repository, {url}",
            hint=_HINT,
        )
    found = catalog.tree.root / folder
    if not (found / "Chart.yaml").is_file():
        raise ChartUnavailableError(
            f"there is no chart in {folder or 'the root'}",
            hint=_HINT,
        )
    chart = path.rstrip("/").rpartition("/")[2]
    root = catalog.tree.root
    return ChartSource(kind=SourceKind.LOCAL, name=chart, path=found, root=root)


def _from_registry(spec: Plain) -> ChartSource:
    url, reference = str(spec.get("url") or ""), _part(spec, "ref")
    version = reference.get("digest") or reference.get("semver") or reference.get("tag")
    return ChartSource(
        kind=SourceKind.HELM_OCI,
        name=url.rstrip("/").rpartition("/")[2],
        url=url,
        version=None if version is None else str(version),
    )


def _from_repository(spec: Plain, chart: Plain) -> ChartSource:
    url, name = str(spec.get("url") or ""), str(chart.get("chart") or "")
    version = chart.get("version")
    is_oci = spec.get("type") == "oci" or url.startswith("oci://")
    return ChartSource(
        kind=SourceKind.HELM_OCI if is_oci else SourceKind.HELM_HTTP,
        name=name,
        url=f"{url.rstrip('/')}/{name}" if is_oci else url,
        version=None if version is None else str(version),
    )
