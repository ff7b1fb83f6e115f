"""Fills ApplicationSets' Go templates by rendering a small chart that holds the texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from imageshift.charts.files import ChartFiles
from imageshift.charts.model import ChartError, RenderOptions
from imageshift.charts.plain import load_plain
from imageshift.charts.render import Renderer, find_renderer
from imageshift.errors import ToolError

__all__ = ["fill"]

_CHART = b"apiVersion: v2\nname: texts\nversion: 1.0.0\n"
_TEMPLATE = b"""\
kind: Texts
filled:
{{- range $one := .Values.elements }}
{{- $context := merge (deepCopy $one) (dict "Template" $.Template) }}
- [{{ range $n, $text := $.Values.texts }}{{ if $n }}, {{ end }}{{ tpl $text $context | toJson }}\
{{ end }}]
{{- end }}
"""
_FILES = ChartFiles({"Chart.yaml": _CHART, "templates/texts.yaml": _TEMPLATE}, "texts")
# How many renderings may be spent on finding out which of the texts and elements are refused.
_MOST_TRIES = 40


def fill(texts: Sequence[str], elements: Sequence[Mapping[str, Any]]) -> list[list[str | None]]:
    """Some texts filled with each of some parameters; None for what can't be filled.

    That is what Helm refuses, and everything where Helm isn't installed.
    """
    try:
        renderer = find_renderer()
    except ToolError:
        return [[None] * len(texts) for _ in elements]
    return _Filling(renderer).fill(list(texts), list(elements))


class _Filling:
    """One call: all together, and in halves where Helm refuses."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._tries = 0

    def fill(self, texts: list[str], elements: list[Mapping[str, Any]]) -> list[list[str | None]]:
        if not texts or not elements:
            return [[] for _ in elements]
        made = self._rendered(texts, elements)
        if made is not None:
            return made
        if len(elements) > 1:
            half = len(elements) // 2
            return [*self.fill(texts, elements[:half]), *self.fill(texts, elements[half:])]
        if len(texts) == 1:
            return [[None]]
        half = len(texts) // 2
        first, rest = self.fill(texts[:half], elements), self.fill(texts[half:], elements)
        return [[*first[0], *rest[0]]]

    def _rendered(
        self, texts: list[str], elements: list[Mapping[str, Any]]
    ) -> list[list[str | None]] | None:
        self._tries += 1
        if self._tries > _MOST_TRIES:
            return None
        values = {"texts": texts, "elements": elements}
        try:
            made = self._renderer.render(_FILES, values, RenderOptions(name="texts"))
            filled: list[list[str | None]] = load_plain("\n".join(made.values()), "texts")["filled"]
        except (ChartError, ToolError):
            return None
        return filled
