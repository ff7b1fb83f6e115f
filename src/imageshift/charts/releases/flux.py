"""The HelmReleases of a tree, ready to be rendered, with the places where they are written."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from imageshift.charts.model import (
    ChartError,
    ChartSource,
    Release,
    SourceKind,
)
from imageshift.charts.releases.in_tree import chart_layers, values_texts
from imageshift.charts.releases.layers import Layer, LayerReader
from imageshift.charts.releases.sources import ChartPick, ChartSources
from imageshift.charts.releases.spec import to_filled
from imageshift.charts.values import merge, merge_release
from imageshift.errors import SourceError, ToolError, unexpected
from imageshift.inventory import Index
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import patch_files, read_documents
from imageshift.lazy import lazy_re
from imageshift.links.reach import Reach
from imageshift.links.renderer_patches import renderer_patches
from imageshift.sites import Resource, resource_of
from imageshift.source import Document, Scalar
from imageshift.source import Mapping as MapNode
from imageshift.source import Place as TextPlace
from imageshift.source import Sequence as ListNode

__all__ = ["GRAPHED", "Place", "ReleaseText", "Tool", "read_releases"]

_LONGEST_NAME = 53
_VARIABLE = lazy_re(r"\$\{(\w+)[^{}]*\}")
_NOWHERE = ChartSource(kind=SourceKind.LOCAL, name="")


class Tool(StrEnum):
    """What installs a chart, and so what it does with what the chart renders."""

    FLUX = "flux"
    """Flux: post-renderers, and Jobs that the next upgrade may leave alone (E3)."""
    ARGO = "argo"
    """Argo CD: renders anew at every sync; nothing comes behind the chart (E4)."""
    HELMFILE = "helmfile"
    """helmfile: `helm upgrade`, or a kustomization over the chart (E5)."""
    KUSTOMIZE = "kustomize"
    """kustomize's helmCharts: the kustomization's own patches and images come behind (E1)."""


GRAPHED = frozenset({Tool.KUSTOMIZE, Tool.HELMFILE})
"""Tools whose effects behind a chart the graph of builds decides over."""


class Place(Struct, frozen=True):
    """Where new values of a release go: under a key of a mapping, as a map or as a list of one.

    `path` leads to them in the document.
    """

    holder: MapNode | None
    keys: tuple[str, ...] = ("values",)
    path: tuple[str | int, ...] = ("spec", "values")
    listed: bool = False


class ReleaseText(Struct, frozen=True, kw_only=True):
    """A release of a chart with its texts: a HelmRelease, or what else installs one.

    `own` is spec.values where it is written, `below` the valuesFrom that can be edited and the
    values files of a chart in the tree, lowest first; `above` lie over `own`, topmost first.
    `own_values` are spec.values alone. `late` says that edits of the chart arrive later than
    those of the release (E3.2), `remakes_jobs` that changed Jobs are recreated. A kustomize patch
    of a release has that as its `base`, and `release` is what the two make together. `error` says
    why its chart is unknown.
    """

    file: str
    document: Document
    root: MapNode
    release: Release
    own: Layer
    below: tuple[Layer, ...]
    new: Place
    above: tuple[Layer, ...] = ()
    tool: Tool = Tool.FLUX
    own_values: Mapping[str, Any]
    spec: Mapping[str, Any]
    remakes_jobs: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    late: bool = False
    base: "ReleaseText | None" = None
    error: ToolError | None = None

    @property
    def resource(self) -> Resource:
        """The object."""
        return resource_of(self.root)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All its layers, topmost first."""
        return (*self.above, self.own, *reversed(self.below))

    @property
    def place(self) -> TextPlace:
        """Where it begins."""
        return self.document.place(self.anchor.start)

    @property
    def offset(self) -> int:
        """Where in its file its reports stand."""
        return self.document.offset(self.anchor.start)

    @property
    def anchor(self) -> Scalar:
        """The scalar that stands for it in reports: its name, where it is written."""
        name = (self.root.mapping("metadata") or MapNode(0, None, flow=False)).scalar("name")
        return name or Scalar(self.root.start, self.root.start, None, "", "", None)

    @property
    def spec_node(self) -> MapNode | None:
        """Its spec as it is written."""
        return self.root.mapping("spec")


def read_releases(
    index: Index, reach: Reach, sources: ChartSources, files: Collection[str] | None = None
) -> list[ReleaseText]:
    """The releases of some files, by default of all of the tree, patches of releases behind them.

    Documents that are templates, and patches whose base isn't found, are left out.
    """
    return _Reader(index, reach, sources).releases(files)


class _Found(Struct, frozen=True):
    """A HelmRelease document with its data."""

    file: str
    document: Document
    root: MapNode
    plain: Mapping[str, Any]
    variables: Mapping[str, str]

    @property
    def name(self) -> str:
        return str(_map(self.plain.get("metadata")).get("name") or "")

    @property
    def namespace(self) -> str:
        return str(_map(self.plain.get("metadata")).get("namespace") or "")

    @property
    def spec(self) -> Mapping[str, Any]:
        return _map(self.plain.get("spec"))

    @property
    def is_whole(self) -> bool:
        chart = _map(_map(self.spec.get("chart")).get("spec"))
        return bool(chart.get("chart") or _map(self.spec.get("chartRef")).get("name"))


class _Reader:
    def __init__(self, index: Index, reach: Reach, sources: ChartSources) -> None:
        self._index = index
        self._reach = reach
        self._sources = sources
        self._layers = LayerReader(index, reach)

    def releases(self, files: Collection[str] | None) -> list[ReleaseText]:
        found = list(self._documents(files))
        whole = [item for item in found if item.is_whole and not self._is_patch(item)]
        made = [(item, self._text(item)) for item in whole]
        patches: list[ReleaseText] = []
        for item in found:
            if item not in whole:
                base = self._base(item, made)
                if base is not None:
                    patches.append(self._patch(item, *base))
        return [text for _, text in made] + patches + list(self._inline(made))

    def _inline(self, made: list[tuple[_Found, ReleaseText]]) -> Iterator[ReleaseText]:
        """The patches inside other objects that give a release other post-renderers."""
        for found in renderer_patches(self._index, self._reach):
            # A file with objects is read as one.
            inner = found.patch.is_inline or isinstance(found.document.root, ListNode)
            for base, text in made if inner else ():
                if found.reaches(base.file, base.name):
                    plain = to_filled(found.root, base.variables)
                    item = _Found(
                        found.patch.file,
                        found.document,
                        found.root,
                        {**plain, "metadata": base.plain.get("metadata")},
                        base.variables,
                    )
                    yield self._patch(item, base, text)

    def _documents(self, files: Collection[str] | None) -> Iterator[_Found]:
        every = {release.file for release in self._index.all_releases}
        for file in sorted(every if files is None else every.intersection(files)):
            variables = self._reach.substitutes(file)
            for document in read_documents(self._index.workspace, file):
                if document.has_template(plain=False):
                    continue
                for root in objects(document.root):
                    if root.text("kind") == "HelmRelease":
                        plain = to_filled(root, variables)
                        yield _Found(file, document, root, plain, variables)

    def _is_patch(self, item: _Found) -> bool:
        return item.file in self._index.patch_files

    def _base(
        self, item: _Found, made: list[tuple[_Found, ReleaseText]]
    ) -> tuple[_Found, ReleaseText] | None:
        """The release that a patch is for: one of its name that is built with it."""
        same = [(found, text) for found, text in made if found.name == item.name]
        for folder, kustomization in self._index.kustomizations.items():
            if item.file in set(patch_files(kustomization)):
                closure = self._reach.closure(folder)
                near = [pair for pair in same if pair[0].file in closure]
                if near:
                    return near[0]
        return None

    def _text(self, item: _Found) -> ReleaseText:
        return self._made(item, item.spec, None)

    def _patch(self, item: _Found, base: _Found, text: ReleaseText) -> ReleaseText:
        return self._made(item, merge(base.spec, item.spec), text)

    def _made(self, item: _Found, spec: Mapping[str, Any], base: ReleaseText | None) -> ReleaseText:
        try:
            return self._read(item, spec, base)
        except Exception as error:  # noqa: BLE001 no other release is lost by this one
            return ReleaseText(
                file=item.file,
                document=item.document,
                root=item.root,
                release=Release(name=item.name, namespace=item.namespace, source=_NOWHERE),
                own=Layer(item.file, item.document, None),
                below=(),
                new=Place(None),
                own_values={},
                spec=spec,
                base=base,
                error=unexpected(error),
            )

    def _read(self, item: _Found, spec: Mapping[str, Any], base: ReleaseText | None) -> ReleaseText:
        error: ChartError | None = None
        pick, values = ChartPick(_NOWHERE), dict[str, Any]()
        texts: dict[str, bytes] = {}
        parts = self._layers.parts(spec, item.file if base is None else base.file)
        space = self._object_namespace(item, base)
        try:
            pick = self._sources.pick(spec, space, item.name)
            values = merge_release([part.values for part in parts], _map(spec.get("values")))
            texts = values_texts(self._index, pick)
        except ChartError as found:
            error = found
        except SourceError as found:
            error = ChartError(f"a values file of the chart {found}")
        written = item.root.mapping("spec")
        own = None if written is None else written.mapping("values")
        below = tuple(part.layer for part in parts if part.layer is not None)
        below = (*chart_layers(self._index, pick), *below)
        return ReleaseText(
            file=item.file,
            document=item.document,
            root=item.root,
            release=self._release(item, spec, space, pick, values, texts),
            own=Layer(item.file, item.document, own),
            below=() if base is not None else below,
            new=Place(written),
            own_values=_map(item.spec.get("values")),
            spec=spec,
            remakes_jobs=_map(spec.get("upgrade")).get("force") is True,
            variables=item.variables,
            late=pick.late,
            base=base,
            error=error,
        )

    def _release(
        self,
        item: _Found,
        spec: Mapping[str, Any],
        space: str,
        pick: ChartPick,
        values: Mapping[str, Any],
        texts: Mapping[str, bytes],
    ) -> Release:
        target = _named(str(spec.get("targetNamespace") or ""))
        renderers = _list(spec.get("postRenderers"))
        return Release(
            name=_release_name(
                _named(str(spec.get("releaseName") or "")), target, _named(item.name)
            ),
            namespace=target or _named(space),
            source=pick.source,
            values=values,
            values_files=() if pick.in_tree else pick.values_files,
            values_texts=texts,
            schemas=not _skips_schemas(spec),
            post_renderers=tuple(_map(each) for each in renderers),
            file=item.file,
            line=item.document.place(item.root.start).line,
        )

    def _object_namespace(self, item: _Found, base: ReleaseText | None) -> str:
        """The namespace of the object: what builds it decides before the object itself."""
        file = item.file if base is None else base.file
        given = {flux.spec.text("targetNamespace") for flux in self._reach.builders(file)}
        given |= {
            kustomization.root.text("namespace")
            for folder, kustomization in self._index.kustomizations.items()
            if kustomization.root.text("namespace") and file in self._reach.closure(folder)
        }
        given.discard(None)
        if len(given) == 1:
            return given.pop() or "default"
        own = item.namespace or ("" if base is None else base.resource.namespace)
        return own or next(iter(sorted(filter(None, given))), "default")


def _skips_schemas(spec: Mapping[str, Any]) -> bool:
    """Whether neither installing nor upgrading checks the values."""
    steps = (_map(spec.get(step)) for step in ("install", "upgrade"))
    return all(step.get("disableSchemaValidation") is True for step in steps)


def _named(text: str) -> str:
    """A name in which a variable whose value isn't known stands for itself (`${APP}` is app)."""
    return _VARIABLE.sub(lambda found: found[1].lower().replace("_", "-"), text)


def _release_name(given: str, target: str, name: str) -> str:
    """The name that Flux gives a release; long ones end with a hash of the whole."""
    full = given or (f"{target}-{name}" if target else name)
    if len(full) <= _LONGEST_NAME:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:12]
    return f"{full[:40]}-{digest}"


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
