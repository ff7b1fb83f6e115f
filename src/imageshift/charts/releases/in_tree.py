"""Charts in the repository itself: their values files are layers below a release's values."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from imageshift.charts.releases.layers import Layer
from imageshift.charts.releases.sources import ChartPick
from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.readers import read_documents
from imageshift.source import Mapping, Scalar

__all__ = ["OWN_VALUES", "chart_layers", "folder_layers", "values_texts"]

OWN_VALUES = ("values.yaml", "values.yml")


def chart_layers(index: Index, pick: ChartPick) -> tuple[Layer, ...]:
    """The values files of a release's chart that it alone takes, lowest first (E3.1).

    Named values files take the place of the chart's own; subcharts have theirs below all. One that
    a chart includes twice, under two names, is no layer: an edit would be one of both.
    """
    if not pick.in_tree or pick.source.path is None:
        return ()
    folder = index.workspace.relative(pick.source.path)
    found = folder_layers(index, folder, pick.values_files)
    uses = Counter(layer.key for layer in found)
    return tuple(layer for layer in found if uses[layer.key] == 1)


def folder_layers(
    index: Index, folder: str, files: Sequence[str] = (), inside: tuple[str, ...] = ()
) -> tuple[Layer, ...]:
    """The values of the chart in a folder, in place of which `files` may be named, lowest first.

    One that stands for two subcharts comes twice. `inside` are the folders of the charts that it
    is a part of.
    """
    own = files or [f"{folder}/{name}".lstrip("/") for name in OWN_VALUES]
    under = () if folder in inside else _subcharts(index, folder, (*inside, folder))
    return (*under, *(each for name in own for each in _file(index, name)))


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


def _subcharts(index: Index, folder: str, inside: tuple[str, ...]) -> Iterator[Layer]:
    """The values of the charts that a chart is made of, under the names that it gives them."""
    declared = list(_dependencies(index, folder))
    for name in _subfolders(index, folder, declared):
        chart = _name(index, name)
        mine = [d for d in declared if d.text("name") == chart]
        for key in dict.fromkeys(d.text("alias") or chart for d in mine) or [chart]:
            for layer in folder_layers(index, name, (), inside):
                yield Layer(layer.file, layer.document, _under(key, layer.values), in_chart=True)


def _subfolders(index: Index, folder: str, declared: Iterable[Mapping]) -> list[str]:
    """The folders of the tree with charts that a chart includes: in charts/, or named by path."""
    found = index.folders.get(f"{folder}/charts".lstrip("/"))
    named = (d.text("repository") or "" for d in declared)
    paths = (join(folder, text.removeprefix("file://")) for text in named if "file://" in text)
    names = {*([] if found is None else found.folders), *filter(None, paths)}
    return sorted(name for name in names if name in index.charts)


def _dependencies(index: Index, folder: str) -> Iterator[Mapping]:
    for name in ("Chart.yaml", "requirements.yaml"):
        for document in read_documents(index.workspace, f"{folder}/{name}".lstrip("/")):
            found = document.mapping.items("dependencies")
            yield from (item for item in found if isinstance(item, Mapping))


def _name(index: Index, folder: str) -> str:
    found = read_documents(index.workspace, f"{folder}/Chart.yaml")
    names = (document.mapping.text("name") for document in found)
    return next(filter(None, names), folder.rpartition("/")[2])


def _under(key: str, values: Mapping | None) -> Mapping | None:
    """Values below a key, as the parent chart sees those of a subchart."""
    if values is None:
        return None
    made = Mapping(values.start, None, flow=False)
    made.own, made.end = [(Scalar(0, 0, None, key, "", None), values)], values.end
    return made
