"""What a release that something else than Flux installs is made of, and what all of them share."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from imageshift.charts.model import ChartError, ChartSource, Release, SourceKind
from imageshift.charts.plain import to_plain
from imageshift.charts.releases.flux import Place, ReleaseText, Tool
from imageshift.charts.releases.layers import Layer
from imageshift.charts.values import merge, set_target_path
from imageshift.errors import ToolError, unexpected
from imageshift.inventory import Index
from imageshift.inventory.readers import read_documents
from imageshift.source import Document, Node, Scalar
from imageshift.source import Mapping as MapNode

__all__ = [
    "EMPTY",
    "Made",
    "file_layers",
    "guarded",
    "local_chart",
    "own_values",
    "plain_values",
    "remote_chart",
    "set_value",
]

EMPTY = MapNode(0, None, flow=False)
"""A map without keys, in the place of one that isn't there."""
_NOWHERE = ChartSource(kind=SourceKind.LOCAL, name="")


class Made(Struct, kw_only=True):
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


def guarded(
    anchor: tuple[str, Document, MapNode], tool: Tool, make: Callable[[], Made]
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
    nothing = Made(
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


def local_chart(index: Index, folder: str) -> ChartSource:
    """The chart in a folder of the tree."""
    tree = index.workspace
    path = tree.absolute(folder)
    return ChartSource(kind=SourceKind.LOCAL, name=path.name, path=path, root=tree.root)


def remote_chart(kind: SourceKind, name: str, url: str, version: str | None) -> ChartSource:
    """A chart of a repository or registry."""
    return ChartSource(kind=kind, name=name, url=url, version=version or None)


def own_values(index: Index, chart: ChartSource, *, in_tree: bool) -> tuple[Layer, ...]:
    """The values of a chart in the tree, the lowest layer."""
    if not in_tree or chart.path is None:
        return ()
    folder = index.workspace.relative(chart.path)
    return tuple(file_layers(index, f"{folder}/values.yaml".lstrip("/"), in_chart=True))


def file_layers(index: Index, name: str, *, in_chart: bool = False) -> Iterator[Layer]:
    """The documents of a file as layers."""
    for document in read_documents(index.workspace, name):
        if isinstance(document.root, MapNode):
            yield Layer(name, document, document.root, in_chart=in_chart)


def plain_values(layers: Iterable[MapNode | None]) -> dict[str, Any]:
    """The values of layers, lowest first, merged as Helm does."""
    merged: dict[str, Any] = {}
    for values in layers:
        plain = {} if values is None else to_plain(values)
        merged = merge(merged, plain if isinstance(plain, dict) else {})
    return merged


def set_value(values: dict[str, Any], item: Node, *, forced: bool) -> dict[str, Any]:
    """Values with one set as `helm --set` does, or as a text with `forced`."""
    name = item.text("name") if isinstance(item, MapNode) else None
    value = item.get("value") if isinstance(item, MapNode) else None
    if name is None or not isinstance(value, Scalar):
        return values
    text = f"'{value.value}'" if forced else value.value
    return set_target_path(values, name, text)
