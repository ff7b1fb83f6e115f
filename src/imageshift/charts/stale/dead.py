"""Overrides that do nothing: values that a chart doesn't read, entries and patches with no match.

A value is only called dead when nothing else explains why it changes nothing: the chart neither has
it among its defaults nor mentions it, or reads the image beside it and not this.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import RenderError, ValuePath
from imageshift.charts.post_renderers.existing import PostRenderers
from imageshift.charts.releases.layers import Layer
from imageshift.charts.releases.writing import entry_node
from imageshift.charts.rendering.compare import compare
from imageshift.charts.rendering.render import Manifests
from imageshift.charts.stale.dead_patches import Rendered, unfit_patches
from imageshift.charts.stale.prune import DeadNode
from imageshift.charts.stale.rot import Look, Override, without, written_values
from imageshift.charts.values import leaves, lookup
from imageshift.lazy import lazy_re
from imageshift.rot import PRUNE, Rot, RotCode
from imageshift.source import Mapping as MapNode
from imageshift.source import Node

__all__ = ["find_dead"]

_MOST_SINGLE = 40
# How templates take a map named {0}: whole, as the dot of a `with`, or key by key. A literal
# behind it is a key that `index` and the like take from it; {1} stands for one of the keys.
_KEY_OF = r"\.{0}(?:\.{1}(?![\w-])|(?:\s+[\"`][^\"`]{{0,99}}[\"`]){{0,9}}\s+[\"`]{1}[\"`])"
_NAME = r"\.{0}(?![\w.-])"
_WHOLE = _NAME + r"(?!\s+[\"`])"
_WITH = r"\{{\{{-?\s*(?:with|if)\s+[\w$.]*?" + _WHOLE
_HANDED_ON = (
    r"(?<!\{{)(?<!with)(?<!if)[\s(][\w$.]*?" + _WHOLE + r"|"
    r"(?<!index)(?<!get)(?<!pick)(?<!hasKey)[\s(][\w$.]*?" + _NAME + r"\s+[\"`]"
)
_THROUGH = r"to(?:Yaml|\w{{0,9}}Json)"
_GOES_THROUGH = (
    r"(?:range|" + _THROUGH + r")\b[^}}]{{0,300}}" + _WHOLE + "|"
    r"\.{0}\s{{0,9}}\|[^}}]{{0,300}}" + _THROUGH
)
_WITH_BLOCK = r"\{{\{{-?\s{{0,9}}with\b[^}}]{{0,300}}" + _WHOLE
_GOES_THROUGH_DOT = lazy_re(
    rb"(?:range|to(?:Yaml|\w{0,9}Json))\b[^}]{0,100}[ (]\.[ )|}-]|"
    rb"[ {-]\.\s{0,9}\|[^}]{0,100}to(?:Yaml|\w{0,9}Json)"
)
_BLOCK_MARK = lazy_re(rb"\{\{-?\s*(end|if|with|range|define|block)\b")
_MOST_BLOCKS, _LONGEST_BLOCK = 200, 1000


def find_dead(look: Look) -> Iterator[tuple[Rot, DeadNode]]:
    """What names an image on the target registry for a release and does nothing, with its text."""
    host = f"{look.rules.registry.host}/"
    suspects = {
        path: place
        for path, place in written_values(look.text).items()
        if host in place[1].value and not place[0].sets_one
    }
    if not suspects and not look.text.release.post_renderers:
        return
    try:
        manifests = look.render(look.text.release.values)
    except RenderError:
        return
    for path, (layer, scalar) in _unread(look, suspects, manifests).items():
        if not look.is_kept(layer, scalar):
            message = f"nothing reads {'.'.join(map(str, path))}: {look.title} has no such value"
            place = layer.document.place(scalar.start)
            root = look.text.spec_node if layer is look.text.own else None
            node = DeadNode(layer.file, layer.document, root or _root(layer), scalar)
            yield Rot(RotCode.DEAD, layer.file, place, message, PRUNE), node
    yield from _behind(look, manifests)


def _unread(
    look: Look, suspects: Mapping[ValuePath, Override], manifests: Manifests
) -> dict[ValuePath, Override]:
    """The values without which the chart renders alike, and that it doesn't know."""
    used = frozenset(segment.leaf for image in look.images for segment in image.segments)
    reading = _Reading(look.chart, look.text.release.values, used)
    found = {
        path: place
        for path, place in suspects.items()
        if path not in used and not reading.knows(path)
    }
    if not found or _is_same(look, found, manifests):
        return found
    single = list(found.items())[:_MOST_SINGLE]
    return {path: place for path, place in single if _is_same(look, [path], manifests)}


def _is_same(look: Look, paths: Iterable[ValuePath], manifests: Manifests) -> bool:
    values = look.text.release.values
    try:
        found = compare(manifests, look.render(without(values, paths)))
        noise = compare(manifests, look.render(values)) if found else []
    except RenderError:
        return False
    steady = {(item.template, item.line) for item in noise}
    return all({(item.template, item.line), (item.template, 0)} & steady for item in found)


class _Reading:
    """What a chart knows of values: by its defaults, and by the words of its templates."""

    def __init__(
        self, chart: ChartFiles, values: Mapping[str, Any], used: frozenset[ValuePath]
    ) -> None:
        self._defaults = chart.defaults
        self._values = values
        self._used = used
        self._texts = {path: _templates(each) for path, each in _charts(chart, ())}
        self._all = b"\n".join(self._texts.values())
        self._libraries = b"\n".join(map(_templates, filter(_is_library, _inner(chart))))

    def knows(self, path: ValuePath) -> bool:
        """Whether the chart may read a value, perhaps only when something is switched on."""
        at = next((n for n in range(len(path)) if not self._has(path[: n + 1])), len(path))
        if at == len(path) or isinstance(path[at], int) or self._takes_all(path[:at]):
            return True
        if path[0] == "global" and len(path) > 1:
            at = max(at, 1)  # Helm gives every chart this map, whether or not it has defaults.
        key = re.escape(str(path[at]))
        if self._finds(path[:at], _KEY_OF, key):
            return True
        read = self._reading(path[:at])
        if read is None or re.search(read.format(key).encode(), self._all) is None:
            return False
        return not (at == len(path) - 1 and self._reads_beside(path))

    def _reading(self, path: ValuePath) -> str | None:
        """How templates read from a map that they take as a whole; None where they don't.

        Handed on, it has another name; as the dot of a `with` it has none.
        """
        quoted = r"|[\"'`]{0}[\"'`]" if path else ""
        if self._finds(path, _HANDED_ON + quoted):
            return r"(?<!\.Values)\.{0}(?![\w-])|[\"'`]{0}[\"'`]"
        return r"(?:(?<![\w)])|\$\w+)\.{0}(?![\w-])" if self._finds(path, _WITH) else None

    def _finds(self, path: ValuePath, pattern: str, key: str = "") -> bool:
        """Whether templates hold a pattern with a name that they have for a map."""
        return next(self._matches(path, pattern, key), None) is not None

    def _matches(self, path: ValuePath, pattern: str, key: str = "") -> Iterator[re.Match[bytes]]:
        """Where templates hold a pattern with a name that they have for a map, and with a key.

        The values of a chart are `Values` in its own templates, and in those of libraries.
        """
        own = self._texts.get(path)
        names = [] if own is None else [("Values", own), ("Values", self._libraries)]
        names += [(str(path[-1]), self._all)] if path else []
        for name, text in names:
            yield from re.finditer(pattern.format(re.escape(name), key).encode(), text)

    def _has(self, path: ValuePath) -> bool:
        holder: Any = lookup(self._defaults, path[:-1])
        part = path[-1]
        if isinstance(holder, list):
            return True
        return isinstance(holder, Mapping) and part in holder

    def _takes_all(self, path: ValuePath) -> bool:
        """Whether any key may stand in a map: an empty one, or one that templates go through."""
        found = lookup(self._defaults, path) if path else self._defaults
        if path and not (isinstance(found, Mapping) and found):
            return True
        return self._finds(path, _GOES_THROUGH) or self._goes_through_dot(path)

    def _goes_through_dot(self, path: ValuePath) -> bool:
        """Whether a map is the dot of a `with` that goes through it; in doubt it is."""
        for number, found in enumerate(self._matches(path, _WITH_BLOCK)):
            if number == _MOST_BLOCKS or _GOES_THROUGH_DOT.search(_block(found)) is not None:
                return True
        return False

    def _reads_beside(self, path: ValuePath) -> bool:
        """Whether the chart makes an image from the values beside one, and not from it."""
        if any(value and "registry" in str(p[-1]).lower() for p, value in self._globals()):
            return False
        return any(leaf[:-1] == path[:-1] for leaf in self._used)

    def _globals(self) -> Iterator[tuple[ValuePath, Any]]:
        for values in (self._defaults, self._values):
            yield from leaves(values.get("global") or {}, ("global",))


def _block(opened: re.Match[bytes]) -> bytes:
    """What stands between an opened block and its end, blocks inside it included."""
    text, depth = opened.string[opened.end() : opened.end() + _LONGEST_BLOCK], 1
    for mark in _BLOCK_MARK.finditer(text):
        depth += -1 if mark[1] == b"end" else 1
        if depth == 0:
            return text[: mark.start()]
    return text


def _charts(chart: ChartFiles, path: ValuePath) -> Iterator[tuple[ValuePath, ChartFiles]]:
    """A chart and those in it, each by the path of its values."""
    yield path, chart
    for each in chart.subcharts:
        for name in chart.names_of(each):
            yield from _charts(each, (*path, name))


def _inner(chart: ChartFiles) -> Iterator[ChartFiles]:
    return (each for path, each in _charts(chart, ()) if path)


def _templates(chart: ChartFiles) -> bytes:
    """A chart's own templates, without those of the charts in it."""
    own = (text for path, text in chart.files.items() if path.startswith("templates/"))
    return b"\n".join(own)


def _is_library(chart: ChartFiles) -> bool:
    """Whether a chart only has named templates, which others call with their own values."""
    names = (path.rpartition("/")[2] for path in chart.files if path.startswith("templates/"))
    return all(name.startswith("_") or name == "NOTES.txt" for name in names)


def _behind(look: Look, manifests: Manifests) -> Iterator[tuple[Rot, DeadNode]]:
    """The entries and patches of the post-renderers that match nothing."""
    text, spec = look.text, look.text.spec_node
    if spec is None or spec.get("postRenderers") is None:
        return
    for path, entry in PostRenderers.read(text.release.post_renderers).unmatched(look.images):
        node = entry_node(spec, path)
        if node is not None:
            yield from _found(look, node, f"no image of {look.title} is named {entry.name}")
    rendered = Rendered(look.title, manifests, look.images, look.rules)
    for node, message in unfit_patches(text.document, spec, rendered):
        yield from _found(look, node, message)


def _found(look: Look, node: Node, message: str) -> Iterator[tuple[Rot, DeadNode]]:
    text = look.text
    place = text.document.place(node.start)
    if text.spec_node is not None and not look.kept(text.file, place):
        rot = Rot(RotCode.DEAD, text.file, place, message, PRUNE)
        yield rot, DeadNode(text.file, text.document, text.spec_node, node)


def _root(layer: Layer) -> MapNode:
    return layer.values or MapNode(0, None, flow=False)
