"""Argo CD's sources that are charts: Applications, and the elements of ApplicationSets (E4)."""

from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from imageshift.charts.model import ChartError, ChartSource, SourceKind, ValuePath
from imageshift.charts.releases.flux import Place, ReleaseText, Tool
from imageshift.charts.releases.layers import Layer, scalars
from imageshift.charts.releases.made import (
    EMPTY,
    Made,
    file_layers,
    guarded,
    local_chart,
    own_values,
    plain_values,
    remote_chart,
    set_value,
)
from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.inventory.filling import Computed, Leaf, as_computed, whole_documents
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.links.argocd import ArgoSource, argo_sources
from imageshift.sites.model import below
from imageshift.sites.parameters import parameter_tree
from imageshift.source import Mapping as MapNode
from imageshift.source import Node, Scalar, parse_embedded, walk

__all__ = ["read_applications"]


def read_applications(index: Index) -> Iterator[ReleaseText]:
    """The sources of Applications that are charts; what a template decides (`{{`) isn't read."""
    return _Reader(index).applications()


class _Reader:
    def __init__(self, index: Index) -> None:
        self._index = index

    def applications(self) -> Iterator[ReleaseText]:
        """The sources of Applications that are charts."""
        for source in argo_sources(self._index):
            if self._is_chart(source):
                anchor = source.file, source.document, source.root
                is_set = source.resource.kind == "ApplicationSet"
                read = self._element if is_set else self._application
                yield guarded(anchor, Tool.ARGO, partial(read, source))

    def _is_chart(self, source: ArgoSource) -> bool:
        root = source.source
        plain = (root.text(key) or "" for key in ("chart", "path", "repoURL", "targetRevision"))
        if any("{{" in text for text in plain):
            return False
        here = source.folder is not None and source.folder in self._index.charts
        return root.text("chart") is not None or here

    def _application(self, source: ArgoSource) -> Made:
        helm = source.source.mapping("helm") or EMPTY
        own, place = _argo_own(source, helm)
        layers, error = self._argo_files(source, helm)
        parameters = parameter_tree(helm.items("parameters"))
        above = Layer(source.file, source.document, parameters)
        values = plain_values(layer.values for layer in (*layers, own))
        for item in helm.items("parameters"):
            values = set_value(values, item, forced=_is_forced(item))
        destination = below(source.root, "spec", "destination")
        chart, in_tree = self._argo_chart(source)
        return Made(
            file=source.file,
            document=source.document,
            root=source.root,
            tool=Tool.ARGO,
            name=helm.text("releaseName") or source.resource.name,
            namespace=helm.text("namespace") or destination.text("namespace") or "",
            own=own,
            new=place,
            below=(*own_values(self._index, chart, in_tree=in_tree), *layers),
            above=(above,) if parameters.own else (),
            values=values,
            source=chart,
            kube_version=helm.text("kubeVersion"),
            api_versions=tuple(texts(helm, "apiVersions")),
            schemas=helm.text("skipSchemaValidation") != "true",
            remakes_jobs=source.remakes_jobs,
            error=error,
        )

    def _element(self, source: ArgoSource) -> Made:
        """What one element of an ApplicationSet makes of a source; it has no place for new values.

        The template's own texts are layers that all elements share, an element's are its own.

        Raises:
            ChartError: a template builds an image from several texts, or a patch says something.
        """
        made = self._application(source)
        helm = source.source.mapping("helm") or EMPTY
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
            return local_chart(self._index, source.folder or ""), True
        version = root.text("targetRevision")
        if "://" in url and not url.startswith("oci://"):
            return remote_chart(SourceKind.HELM_HTTP, name, url, version), False
        url = f"oci://{url.removeprefix('oci://')}/{name}"
        return remote_chart(SourceKind.HELM_OCI, name.rpartition("/")[2], url, version), False

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
            layers = [] if name is None else list(file_layers(self._index, name))
            if not layers and helm.text("ignoreMissingValueFiles") != "true":
                return (), ChartError(f"the values file {text} isn't in this repository")
            found += layers
        return tuple(found), None


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


def _is_forced(item: Node) -> bool:
    return isinstance(item, MapNode) and item.text("forceString") == "true"
