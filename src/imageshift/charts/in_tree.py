"""Charts in the repository itself: their values files are layers below a release's values."""

from collections.abc import Iterator

from imageshift.charts.layers import Layer
from imageshift.charts.sources import ChartPick
from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.readers import read_documents
from imageshift.source import Mapping, Scalar

__all__ = ["chart_layers", "values_texts"]

_VALUES = ("values.yaml", "values.yml")


def chart_layers(index: Index, pick: ChartPick) -> tuple[Layer, ...]:
    """The values files of a release's chart, where they lie in the tree, lowest first (E3.1).

    Named values files take the place of the chart's own; subcharts have theirs below all.
    """
    if not pick.in_tree or pick.source.path is None:
        return ()
    folder = index.workspace.relative(pick.source.path)
    own = pick.values_files or tuple(f"{folder}/{name}".lstrip("/") for name in _VALUES)
    return (*_subcharts(index, folder), *(each for name in own for each in _file(index, name)))


def values_texts(index: Index, pick: ChartPick) -> dict[str, bytes]:
    """The texts of the values files that a chart in the tree is built with, by their names.

    Raises:
        SourceError: one can't be read.
    """
    found: dict[str, bytes] = {}
    for name in pick.values_files if pick.in_tree else ():
        try:
            found[name] = index.workspace.read(join("", name.lstrip("/")) or "")
        except SourceError:
            if not pick.ignores_missing:
                raise
    return found


def _file(index: Index, name: str) -> Iterator[Layer]:
    local = join("", name.lstrip("/"))
    for document in read_documents(index.workspace, local) if local else ():
        if isinstance(document.root, Mapping):
            yield Layer(local or "", document, document.root, in_chart=True)


def _subcharts(index: Index, folder: str) -> Iterator[Layer]:
    """The values of the charts in charts/, under the names of their folders."""
    inside = index.folders.get(f"{folder}/charts".lstrip("/"))
    for name in [] if inside is None else sorted(inside.folders):
        key = name.rpartition("/")[2]
        for file in _VALUES:
            for layer in _file(index, f"{name}/{file}"):
                yield Layer(layer.file, layer.document, _under(key, layer.values), in_chart=True)


def _under(key: str, values: Mapping | None) -> Mapping | None:
    """Values below a key, as the parent chart sees those of a subchart."""
    if values is None:
        return None
    made = Mapping(values.start, None, flow=False)
    made.own, made.end = [(Scalar(0, 0, None, key, "", None), values)], values.end
    return made
