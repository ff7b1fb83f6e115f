"""Fills ApplicationSets' Go templates by rendering a small chart that holds the texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from imageshift.charts.fetch.files import ChartFiles
from imageshift.charts.model import ChartError, RenderLimitError, RenderOptions
from imageshift.charts.plain import load_plain
from imageshift.charts.rendering.render import Renderer, find_renderer
from imageshift.errors import ToolError

__all__ = ["GoTemplates"]

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
# How many may take too long or too much before nothing more is filled.
_MOST_LIMITS = 3
_TIMEOUT = 10.0


class GoTemplates:
    """Fills the texts of one run; it gives up for good on what takes too much."""

    def __init__(self, renderer: Renderer | None = None) -> None:
        self._renderer = renderer
        self._limits = 0

    def fill(
        self, texts: Sequence[str], elements: Sequence[Mapping[str, Any]]
    ) -> list[list[str | None]]:
        """Some texts filled with each of some parameters; None for what can't be filled.

        That is what Helm refuses, and everything where Helm isn't installed.
        """
        try:
            self._renderer = self._renderer or find_renderer(timeout=_TIMEOUT)
        except ToolError:
            return [[None] * len(texts) for _ in elements]
        return self._filled(list(texts), list(elements), [_MOST_TRIES])

    def _filled(
        self, texts: list[str], elements: list[Mapping[str, Any]], left: list[int]
    ) -> list[list[str | None]]:
        """All together, and in halves where Helm refuses; `left` are the tries."""
        if not texts or not elements:
            return [[] for _ in elements]
        made = self._rendered(texts, elements, left)
        if made is not None:
            return made
        if left[0] < 1:
            return [[None] * len(texts) for _ in elements]
        if len(elements) > 1:
            half = len(elements) // 2
            first = self._filled(texts, elements[:half], left)
            return [*first, *self._filled(texts, elements[half:], left)]
        if len(texts) == 1:
            return [[None]]
        half = len(texts) // 2
        parts = (self._filled(some, elements, left) for some in (texts[:half], texts[half:]))
        return [[text for part in parts for text in part[0]]]

    def _rendered(
        self, texts: list[str], elements: list[Mapping[str, Any]], left: list[int]
    ) -> list[list[str | None]] | None:
        left[0] -= 1
        if self._renderer is None or left[0] < 0 or self._limits >= _MOST_LIMITS:
            left[0] = 0
            return None
        values = {"texts": texts, "elements": elements}
        try:
            made = self._renderer.render(_FILES, values, RenderOptions(name="texts"))
            filled: list[list[str | None]] = load_plain("\n".join(made.values()), "texts")["filled"]
        except RenderLimitError:
            self._limits += 1
            left[0] = 0
            return None
        except (ChartError, ToolError):
            return None
        return filled
