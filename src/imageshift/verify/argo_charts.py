"""Argo CD sources that are charts, with their values as Argo CD merges them (E4)."""

import fnmatch
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ChartError, ChartSource, Release, SourceKind
from imageshift.charts.plain import load_plain
from imageshift.charts.values import merge, set_target_path
from imageshift.errors import ImageshiftError
from imageshift.inventory.index import join
from imageshift.sites.model import below
from imageshift.verify.argocd import Owner, Source, folder_of, sources
from imageshift.verify.model import Plain, UnitKey, VerdictKind
from imageshift.verify.releases import FoundRelease
from imageshift.verify.tree import Tree

__all__ = ["ChartBuild", "chart_builds"]


class ChartBuild(Struct, frozen=True, kw_only=True):
    """A source that is a chart: the object that has it, and what the source says."""

    tree: Tree
    file: str
    owner: Owner
    name: str
    namespace: str
    source: Plain
    charts: Mapping[str, Path]
    overrides: tuple[str, ...]
    is_forced: bool

    @property
    def data(self) -> Plain:
        """What stands for it in a verdict."""
        return {"kind": "Application", "metadata": {"name": self.name}, "spec": self.source}

    @property
    def place(self) -> str:
        """Where it is written."""
        return self.file

    @property
    def files(self) -> tuple[str, ...]:
        """What it is made of, as far as the tree has it."""
        helm = _map(self.source.get("helm"))
        named = [name for text in _list(helm.get("valueFiles")) for name in self._files(str(text))]
        folder = None if self.source.get("chart") else self._folder
        charts = () if folder is None else (join(folder, "values.yaml") or "",)
        return (self.file, *self.overrides, *charts, *named)

    def said(self, error: ImageshiftError) -> str:
        """What an error says, with paths as the tree has them."""
        return str(error).replace(f"{self.tree.root}/", "")

    def read(self) -> FoundRelease:
        """The release that Argo CD renders.

        Raises:
            ChartError: a file of values can't be found or read.
        """
        helm = _map(self.source.get("helm"))
        release = Release(
            name=str(helm.get("releaseName") or self.name),
            namespace=str(helm.get("namespace") or self.namespace or "default"),
            source=self._chart(),
            values=_with_parameters(self._values(helm), helm),
            kube_version=_text(helm.get("kubeVersion")),
            api_versions=tuple(map(str, _list(helm.get("apiVersions")))),
            file=self.file,
        )
        return FoundRelease(
            data=self.data,
            release=release,
            schemas=helm.get("skipSchemaValidation") is not True,
            strategy="combined",
            is_forced=self.is_forced,
            upgrades=False,
        )

    def _chart(self) -> ChartSource:
        name, url = _text(self.source.get("chart")), str(self.source.get("repoURL") or "")
        if name is None:
            path = self.tree.root / (self._folder or "")
            return ChartSource(
                kind=SourceKind.LOCAL, name=path.name, path=path, root=self.tree.root
            )
        base = name.rpartition("/")[2]
        if base in self.charts:
            return ChartSource(kind=SourceKind.LOCAL, name=base, path=self.charts[base])
        version, url = _text(self.source.get("targetRevision")), url.rstrip("/")
        if "://" in url and not url.startswith("oci://"):
            return ChartSource(kind=SourceKind.HELM_HTTP, name=name, url=url, version=version)
        url = f"oci://{url.removeprefix('oci://')}/{name}"
        return ChartSource(kind=SourceKind.HELM_OCI, name=base, url=url, version=version)

    @property
    def _folder(self) -> str | None:
        return folder_of(self.source)

    def _values(self, helm: Plain) -> dict[str, Any]:
        """The files in order, then `valuesObject`, or `values` where there is none."""
        found: dict[str, Any] = {}
        for text in map(str, _list(helm.get("valueFiles"))):
            names = list(self._files(text))
            if not names and helm.get("ignoreMissingValueFiles") is not True:
                raise ChartError(f"the values file {text} isn't in this repository")
            for name in names:
                found = merge(found, _loaded(self.tree.read(name) or b"", name))
        own = helm.get("valuesObject")
        return merge(found, _map(own) if own else _loaded(str(helm.get("values") or ""), self.file))

    def _files(self, text: str) -> Iterator[str]:
        rooted = text.startswith(("$", "/"))
        path = text.partition("/")[2] if text.startswith("$") else text.lstrip("/")
        name = join("" if rooted else self._folder or "", path)
        if name is not None and any(letter in name for letter in "*?["):
            yield from sorted(fnmatch.filter(self.tree.index.files, name))
        elif name is not None and self.tree.read(name) is not None:
            yield name


def chart_builds(tree: Tree, charts: Mapping[str, Path]) -> dict[UnitKey, ChartBuild]:
    """The sources of Applications that are charts."""
    found: dict[UnitKey, ChartBuild] = {}
    for source in sources(tree):
        made = _build(tree, source, charts)
        if made is not None:
            place = made.file if made.source.get("chart") else str(made.source.get("path"))
            make = partial(UnitKey, VerdictKind.APPLICATION, made.owner[1], made.name, place)
            number = next(n for n in range(len(found) + 1) if make(n) not in found)
            found[make(number)] = made
    return found


def _build(tree: Tree, source: Source, charts: Mapping[str, Path]) -> ChartBuild | None:
    """A source that is a chart; None where it isn't, or only Argo CD can fill it."""
    application, data = source.application, source.data
    name = application.name
    is_chart = "chart" in data or ("path" in data and folder_of(data) in tree.index.charts)
    namespace = below(application.spec, "destination").text("namespace") or ""
    # Templates in the values of a plain Application are Helm's.
    own = "helm" if source.owner("helm")[0] == "Application" else ""
    told = {key: value for key, value in data.items() if key != own}
    if not is_chart or "{{" in repr((name, namespace, told)):
        return None
    return ChartBuild(
        tree=tree,
        file=application.file,
        owner=source.owner("helm"),
        name=name,
        namespace=namespace,
        source=data,
        charts=charts,
        overrides=source.files,
        is_forced=source.is_forced,
    )


def _with_parameters(values: dict[str, Any], helm: Plain) -> dict[str, Any]:
    """Values with the parameters set in them; those that are texts by force come last."""
    items = [_map(item) for item in _list(helm.get("parameters"))]
    for forced in (False, True):
        for item in items:
            if (item.get("forceString") is True) == forced and item.get("name"):
                value = _spelled(item.get("value"))
                text = f"'{value}'" if forced else value
                values = set_target_path(values, str(item["name"]), text)
    return values


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _loaded(text: str | bytes, what: str) -> dict[str, Any]:
    return dict(_map(load_plain(text, what)))


def _map(found: Any) -> Plain:
    return found if isinstance(found, Mapping) else {}


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _text(found: Any) -> str | None:
    return None if found is None else str(found)
