"""Charts that something else than a HelmRelease installs: Argo CD, helmfile, kustomize.

Each is a release with its values in layers, in the order of the tool (E1, E4, E5).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from imageshift.charts.existing import to_images_item
from imageshift.charts.layers import Layer, scalars
from imageshift.charts.model import ChartError, ChartSource, Release, SourceKind, ValuePath
from imageshift.charts.plain import to_plain
from imageshift.charts.releases import Place, ReleaseText, Tool
from imageshift.charts.values import merge, set_target_path
from imageshift.errors import SourceError, ToolError, unexpected
from imageshift.inventory import Index
from imageshift.inventory.filling import Computed, Leaf, as_computed, whole_documents
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import inflated_charts, inflation_files, read_documents
from imageshift.links.argocd import ArgoSource, argo_sources
from imageshift.links.behind_charts import held_images, helmfile_build
from imageshift.links.builds import Builds
from imageshift.links.model import EntrySource
from imageshift.sites.helmfile import ReleaseValues, is_plain, release_values
from imageshift.sites.model import below
from imageshift.sites.parameters import parameter_tree
from imageshift.source import Document, Node, Scalar, parse_embedded, walk
from imageshift.source import Mapping as MapNode

__all__ = ["read_other_releases"]

_DEPENDENCIES = "helmfile adds further charts to it (`dependencies`), which aren't rendered here"
_EMPTY = MapNode(0, None, flow=False)
_NOWHERE = ChartSource(kind=SourceKind.LOCAL, name="")


def read_other_releases(index: Index, builds: Builds) -> list[ReleaseText]:
    """The releases of every Argo CD Application, helmfile and kustomization with helmCharts.

    What a template decides (`{{`) isn't read.
    """
    reader = _Reader(index, builds)
    return [*reader.applications(), *reader.helmfiles(), *reader.inflations()]


class _Made(Struct, kw_only=True):
    """What a release is made of, before its chart is looked for."""

    file: str
    document: Document
    root: MapNode
    tool: Tool
    name: str
    namespace: str
    own: Layer
    new: Place
    below: tuple[Layer, ...] = ()
    above: tuple[Layer, ...] = ()
    values: dict[str, Any]
    source: ChartSource = _NOWHERE
    kube_version: str | None = None
    api_versions: tuple[str, ...] = ()
    schemas: bool = True
    post_renderers: tuple[Mapping[str, Any], ...] = ()
    remakes_jobs: bool = False
    error: ToolError | None = None

    def text(self) -> ReleaseText:
        """The release."""
        return ReleaseText(
            file=self.file,
            document=self.document,
            root=self.root,
            release=Release(
                name=self.name,
                namespace=self.namespace or "default",
                source=self.source,
                values=self.values,
                schemas=self.schemas,
                post_renderers=self.post_renderers,
                kube_version=self.kube_version,
                api_versions=self.api_versions,
                file=self.file,
                line=self.document.place(self.root.start).line,
            ),
            own=self.own,
            below=self.below,
            above=self.above,
            new=self.new,
            tool=self.tool,
            own_values={},
            spec={},
            remakes_jobs=self.remakes_jobs,
            error=self.error,
        )


class _Reader:
    def __init__(self, index: Index, builds: Builds) -> None:
        self._index = index
        self._builds = builds

    def applications(self) -> Iterator[ReleaseText]:
        """The sources of Applications that are charts."""
        for source in argo_sources(self._index):
            if self._is_chart(source):
                anchor = source.file, source.document, source.root
                is_set = source.resource.kind == "ApplicationSet"
                read = self._element if is_set else self._application
                yield _guarded(anchor, Tool.ARGO, partial(read, source))

    def _is_chart(self, source: ArgoSource) -> bool:
        root = source.source
        plain = (root.text(key) or "" for key in ("chart", "path", "repoURL", "targetRevision"))
        if any("{{" in text for text in plain):
            return False
        here = source.folder is not None and source.folder in self._index.charts
        return root.text("chart") is not None or here

    def _application(self, source: ArgoSource) -> _Made:
        helm = source.source.mapping("helm") or _EMPTY
        own, place = _argo_own(source, helm)
        layers, error = self._argo_files(source, helm)
        parameters = parameter_tree(helm.items("parameters"))
        above = Layer(source.file, source.document, parameters)
        values = _plain(layer.values for layer in (*layers, own))
        for item in helm.items("parameters"):
            values = _set(values, item, forced=_is_forced(item))
        destination = below(source.root, "spec", "destination")
        chart, in_tree = self._argo_chart(source)
        return _Made(
            file=source.file,
            document=source.document,
            root=source.root,
            tool=Tool.ARGO,
            name=helm.text("releaseName") or source.resource.name,
            namespace=helm.text("namespace") or destination.text("namespace") or "",
            own=own,
            new=place,
            below=(*self._own_values(chart, in_tree=in_tree), *layers),
            above=(above,) if parameters.own else (),
            values=values,
            source=chart,
            kube_version=helm.text("kubeVersion"),
            api_versions=tuple(texts(helm, "apiVersions")),
            schemas=helm.text("skipSchemaValidation") != "true",
            remakes_jobs=source.remakes_jobs,
            error=error,
        )

    def _element(self, source: ArgoSource) -> _Made:
        """What one element of an ApplicationSet makes of a source; it has no place for new values.

        The template's own texts are layers that all elements share, an element's are its own.

        Raises:
            ChartError: a template builds an image from several texts, or a patch says something.
        """
        made = self._application(source)
        helm = source.source.mapping("helm") or _EMPTY
        texts = {
            p.text for i in self._index.element_images.values() for e in i for p in e.site.parts
        }
        if len(source.owners) > 1:
            raise ChartError("a templatePatch or an overrides file sets values of its chart")
        if any(not each.leaf and any(t in each.value for t in texts) for each in _computed(helm)):
            raise ChartError("a template builds an image from several texts")
        own = tuple(_apart(made.own))
        above = tuple(layer for each in made.above for layer in reversed(list(_apart(each))))
        nothing = Layer(source.file, source.document, None)
        keys = ("spec", "template", "spec", "destination")
        space = helm.text("namespace") or below(source.root, *keys).text("namespace")
        name = helm.text("releaseName") or source.name
        return replace(
            made,
            own=nothing,
            new=Place(None),
            below=(*made.below, *own),
            above=above,
            name=name,
            namespace=space or "",
        )

    def _argo_chart(self, source: ArgoSource) -> tuple[ChartSource, bool]:
        root = source.source
        name, url = root.text("chart"), (root.text("repoURL") or "").rstrip("/")
        if name is None:
            return self._local(source.folder or ""), True
        version = root.text("targetRevision")
        if "://" in url and not url.startswith("oci://"):
            return self._remote(SourceKind.HELM_HTTP, name, url, version), False
        url = f"oci://{url.removeprefix('oci://')}/{name}"
        return self._remote(SourceKind.HELM_OCI, name.rpartition("/")[2], url, version), False

    def _local(self, folder: str) -> ChartSource:
        tree = self._index.workspace
        path = tree.absolute(folder)
        return ChartSource(kind=SourceKind.LOCAL, name=path.name, path=path, root=tree.root)

    @staticmethod
    def _remote(kind: SourceKind, name: str, url: str, version: str | None) -> ChartSource:
        return ChartSource(kind=kind, name=name, url=url, version=version or None)

    def _argo_files(
        self, source: ArgoSource, helm: MapNode
    ) -> tuple[tuple[Layer, ...], ChartError | None]:
        """The layers of `valueFiles`, lowest first (E4), and what prevents them."""
        found: list[Layer] = []
        for text in texts(helm, "valueFiles"):
            plain = text.partition("/")[2] if text.startswith("$") else text
            rooted = plain != text or text.startswith("/")
            if "{{" in text or (not rooted and source.folder is None) or "://" in text:
                return (), ChartError(f"the values file {text} isn't in this repository")
            name = join("" if rooted else source.folder or "", plain.lstrip("/"))
            layers = [] if name is None else list(self._file(name))
            if not layers and helm.text("ignoreMissingValueFiles") != "true":
                return (), ChartError(f"the values file {text} isn't in this repository")
            found += layers
        return tuple(found), None

    def _own_values(self, chart: ChartSource, *, in_tree: bool) -> tuple[Layer, ...]:
        """The values of a chart in the tree, the lowest layer."""
        if not in_tree or chart.path is None:
            return ()
        folder = self._index.workspace.relative(chart.path)
        return tuple(self._file(f"{folder}/values.yaml".lstrip("/"), in_chart=True))

    def _file(self, name: str, *, in_chart: bool = False) -> Iterator[Layer]:
        for document in read_documents(self._index.workspace, name):
            if isinstance(document.root, MapNode):
                yield Layer(name, document, document.root, in_chart=in_chart)

    def helmfiles(self) -> Iterator[ReleaseText]:
        """The releases of every helmfile, as far as no template decides over them."""
        for file, facts in self._index.helmfiles.items():
            for document in read_documents(self._index.workspace, file):
                repositories = _repositories(document.mapping)
                for found in release_values(document.mapping, facts.texts):
                    release = found.release
                    named = release.text("name") and release.text("chart")
                    if named and is_plain(document, release):
                        anchor = file, document, release
                        make = partial(self._helmfile, file, document, found, repositories)
                        yield _guarded(anchor, Tool.HELMFILE, make)

    def _helmfile(
        self,
        file: str,
        document: Document,
        found: ReleaseValues,
        repositories: Mapping[str, MapNode],
    ) -> _Made:
        release = found.release
        name, chart = release.text("name") or "", release.text("chart") or ""
        layers: list[Layer] = []
        error: ChartError | None = None
        folder = file.rpartition("/")[0]
        for item in found.values:
            if isinstance(item, MapNode):
                layers.append(Layer(file, document, item))
                continue
            read = list(self._file(join(folder, item[0]) or "")) if len(item) == 1 else []
            layers += read
            if not read:
                error = ChartError("one of its values files isn't in this repository")
        inline = [layer for layer in layers if layer.file == file]
        own = inline[-1] if inline and inline[-1] is layers[-1] else None
        values = _plain(layer.values for layer in layers)
        for items, forced in ((found.sets, False), (found.texts, True)):
            for each in items:
                values = _set(values, each, forced=forced)
        source, in_tree = self._helmfile_chart(folder, chart, release, repositories)
        if release.items("dependencies"):
            error = ChartError(_DEPENDENCIES)
        above = found.parameters
        below = tuple(layers if own is None else layers[:-1])
        return _Made(
            file=file,
            document=document,
            root=release,
            tool=Tool.HELMFILE,
            name=name,
            namespace=release.text("namespace") or "",
            own=own or Layer(file, document, None),
            new=Place(release, ("values",), (*found.path, "values"), listed=True),
            below=(*self._own_values(source, in_tree=in_tree), *below),
            above=(Layer(file, document, above),) if above.own else (),
            values=values,
            source=source,
            post_renderers=self._behind(file, document, found),
            error=error,
        )

    def _behind(
        self, file: str, document: Document, found: ReleaseValues
    ) -> tuple[Mapping[str, Any], ...]:
        """What helmfile does to images behind the chart, as entries of a post-renderer.

        The graph decides over them (solve/). What only has to find an image as it is (a test, or
        a transformer that nobody knows) is an entry that changes nothing.
        """
        entries: list[EntrySource] = []
        build = helmfile_build(self._index, file, document, found, entries)
        effects = [] if build is None else build.effects
        items = [
            to_images_item(entry)
            for effect in effects
            for entry in held_images(self._index, effect, entries)
        ]
        return ({"kustomize": {"images": items}},) if items else ()

    def _helmfile_chart(
        self, folder: str, chart: str, release: MapNode, repositories: Mapping[str, MapNode]
    ) -> tuple[ChartSource, bool]:
        version = release.text("version")
        local = join(folder, chart)
        if local is not None and local in self._index.charts:
            return self._local(local), True
        if chart.startswith("oci://"):
            name = chart.rpartition("/")[2]
            return self._remote(SourceKind.HELM_OCI, name, chart, version), False
        alias, _, name = chart.partition("/")
        repository = repositories.get(alias, _EMPTY)
        url = (repository.text("url") or "").rstrip("/")
        if repository.text("oci") == "true":
            url = f"oci://{url.removeprefix('oci://')}/{name}"
            return self._remote(SourceKind.HELM_OCI, name, url, version), False
        return self._remote(SourceKind.HELM_HTTP, name, url, version), False

    def inflations(self) -> Iterator[ReleaseText]:
        """The `helmCharts` of every kustomization (E1)."""
        for found in self._index.kustomizations.values() if self._index.has_inflations else ():
            for number, chart, local in inflated_charts(found):
                if chart.text("name"):
                    at = (found.file, found.document, found.folder)
                    make = partial(self._inflation, at, chart, number, local)
                    anchor = found.file, found.document, chart
                    yield _guarded(anchor, Tool.KUSTOMIZE, make)

    def _inflation(
        self, at: tuple[str, Document, str], chart: MapNode, number: int, local: str | None
    ) -> _Made:
        file, document, folder = at
        name = chart.text("name") or ""
        files = [layer for each in inflation_files(folder, chart) for layer in self._file(each)]
        inline = chart.mapping("valuesInline")
        own = Layer(file, document, inline)
        merged = chart.text("valuesMerge") or "override"
        order = [own, *files] if merged == "merge" else [*files, own]
        order = [own] if merged == "replace" and inline is not None else order
        at_own = next(n for n, layer in enumerate(order) if layer is own)
        source, in_tree = self._inflated(name, chart, local)
        return _Made(
            file=file,
            document=document,
            root=chart,
            tool=Tool.KUSTOMIZE,
            name=chart.text("releaseName") or name,
            namespace=chart.text("namespace") or "",
            own=own,
            new=Place(chart, ("valuesInline",), ("helmCharts", number, "valuesInline")),
            below=(*self._own_values(source, in_tree=in_tree), *order[:at_own]),
            above=tuple(reversed(order[at_own + 1 :])),
            values=_plain(layer.values for layer in order),
            source=source,
            kube_version=chart.text("kubeVersion"),
            api_versions=tuple(texts(chart, "apiVersions")),
            post_renderers=self._entries_over(folder),
        )

    def _entries_over(self, folder: str) -> tuple[Mapping[str, Any], ...]:
        """The entries that come behind a kustomization's charts, as a post-renderer has them."""
        images = [to_images_item(entry) for entry in self._builds.entries_over(folder)]
        return ({"kustomize": {"images": images}},) if images else ()

    def _inflated(self, name: str, chart: MapNode, local: str | None) -> tuple[ChartSource, bool]:
        if local is not None and local in self._index.charts:
            return self._local(local), True
        url, version = (chart.text("repo") or "").rstrip("/"), chart.text("version")
        if url.startswith("oci://"):
            return self._remote(SourceKind.HELM_OCI, name, f"{url}/{name}", version), False
        return self._remote(SourceKind.HELM_HTTP, name, url, version), False


def _guarded(
    anchor: tuple[str, Document, MapNode], tool: Tool, make: Callable[[], _Made]
) -> ReleaseText:
    """A release, or one with an error: what is odd in one doesn't take the others with it."""
    file, document, root = anchor
    try:
        return make().text()
    except ChartError as error:
        found: ToolError = error
    except Exception as error:  # noqa: BLE001 as the docstring says
        found = unexpected(error)
    own = Layer(file, document, None)
    nothing = _Made(
        file=file,
        document=document,
        root=root,
        tool=tool,
        name="",
        namespace="",
        own=own,
        new=Place(None),
        values={},
        error=found,
    )
    return nothing.text()


def _argo_own(source: ArgoSource, helm: MapNode) -> tuple[Layer, Place]:
    """The source's own values, and where new ones go: `valuesObject` wins over `values` (E4)."""
    path = (*source.path, "helm", "valuesObject")
    nested, written = helm.mapping("valuesObject"), helm.scalar("values")
    has_helm = source.source.mapping("helm") is not None
    place = (
        Place(helm, ("valuesObject",), path)
        if has_helm
        else Place(source.source, ("helm", "valuesObject"), path)
    )
    if nested is not None:
        return Layer(source.file, source.document, nested), place
    if isinstance(written, Computed):
        made = next(iter(_made_documents(written)), None)
        return Layer(source.file, source.document, made), Place(None)
    if written is not None and not written.is_empty:
        try:
            inner = parse_embedded(source.document, written)
        except SourceError:
            inner = []
        if inner and isinstance(inner[0].root, MapNode):
            layer = Layer(source.file, inner[0], inner[0].root)
            return layer, Place(None, (), (*source.path, "helm", "values"))
        return Layer(source.file, source.document, None), Place(None)
    return Layer(source.file, source.document, None), place


def _apart(layer: Layer) -> Iterator[Layer]:
    """What is written in a template, then the parameters in it, those of each text together."""
    yield replace(layer, values=_written(layer.values))
    found: dict[int, tuple[Leaf, list[tuple[ValuePath, Scalar]]]] = {}
    for path, scalar in scalars(layer.values):
        leaf = scalar.leaf if isinstance(scalar, Computed) else None
        if leaf is not None and all(isinstance(step, str) for step in path):
            found.setdefault(id(leaf.inner), (leaf, []))[1].append((path, leaf.scalar))
    for leaf, pairs in found.values():
        yield Layer(leaf.file, leaf.inner, _tree(pairs))


def _tree(pairs: list[tuple[ValuePath, Scalar]]) -> MapNode:
    """The map that has scalars at their paths."""
    nodes: dict[ValuePath, MapNode] = {(): MapNode(pairs[0][1].start, None, flow=False)}
    for path, scalar in pairs:
        for depth in range(1, len(path)):
            at = path[:depth]
            if at not in nodes:
                nodes[at] = MapNode(scalar.start, None, flow=False)
                nodes[at[:-1]].own.append((_key(at[-1]), nodes[at]))
        nodes[path[:-1]].own.append((_key(path[-1]), scalar))
    return nodes[()]


def _key(step: str | int) -> Scalar:
    return Scalar(0, 0, None, str(step), "", None)


def _written(node: Node | None) -> MapNode | None:
    """A map without what is computed in it."""
    if not isinstance(node, MapNode):
        return None
    made = MapNode(node.start, node.anchor, flow=node.flow)
    made.end = node.end
    for key, value in node.pairs():
        if not isinstance(value, Computed):
            made.own.append((key, (_written(value) or value)))
    return made


def _made_documents(text: Computed) -> Iterator[MapNode]:
    """The maps in a text that was made; nothing in them has a place."""
    try:
        roots = [document.root for document in whole_documents(text.value)]
    except SourceError:
        return
    for root in roots:
        if isinstance(root, MapNode):
            yield as_computed(root, text)


def _computed(node: Node) -> Iterator[Computed]:
    return (each for each in walk(node) if isinstance(each, Computed))


def _plain(layers: Iterable[MapNode | None]) -> dict[str, Any]:
    """The values of layers, lowest first, merged as Helm does."""
    merged: dict[str, Any] = {}
    for values in layers:
        plain = {} if values is None else to_plain(values)
        merged = merge(merged, plain if isinstance(plain, dict) else {})
    return merged


def _set(values: dict[str, Any], item: Node, *, forced: bool) -> dict[str, Any]:
    """Values with one set as `helm --set` does, or as a text with `forced`."""
    name = item.text("name") if isinstance(item, MapNode) else None
    value = item.get("value") if isinstance(item, MapNode) else None
    if name is None or not isinstance(value, Scalar):
        return values
    text = f"'{value.value}'" if forced else value.value
    return set_target_path(values, name, text)


def _is_forced(item: Node) -> bool:
    return isinstance(item, MapNode) and item.text("forceString") == "true"


def _repositories(root: MapNode) -> dict[str, MapNode]:
    """The `repositories:` of a helmfile, by name."""
    found = (item for item in root.items("repositories") if isinstance(item, MapNode))
    return {item.text("name") or "": item for item in found}
