"""Values as the tools read them: YAML, JSON, `helm --set`, Argo CD, helmfile."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from imageshift.charts.model import SourceKind, ValuePath
from imageshift.errors import without_users
from imageshift.lazy import lazy_re
from imageshift.reports.words import visible
from imageshift.source import spell_scalar
from imageshift.values.find import ChartValues, Left

__all__ = ["ValuesFormat", "remarks", "spell"]

# What Helm's reader of --set takes for its own in names, and in texts.
_KEY = lazy_re(r"([\\,.=\[\]])")
_TEXT = lazy_re(r"([\\,{}])")
# Texts of several lines that a block scalar holds as they are.
_BLOCK = lazy_re(r"(?=.*\n)[!-~][ -~]*(?:\n[ -~]*[!-~])*", re.DOTALL)
_ESCAPED = r"\\\1"
_STEP = "  "
_NO_VALUES = "No value has to change."
_FROZEN = (
    "These now pin what used to come from {}: update them together with the chart (tag-frozen):"
)


class ValuesFormat(StrEnum):
    """How values are printed."""

    YAML = "yaml"
    JSON = "json"
    HELM_SET = "helm-set"
    ARGOCD = "argocd"
    HELMFILE = "helmfile"

    @property
    def has_comments(self) -> bool:
        """Whether what reads it passes over comments."""
        return self not in (ValuesFormat.JSON, ValuesFormat.HELM_SET)

    @property
    def has_renderers(self) -> bool:
        """Whether it can hold post-renderers, which only Flux has."""
        return self in (ValuesFormat.YAML, ValuesFormat.JSON)


def spell(found: ChartValues, form: ValuesFormat, *, renderers: bool = False) -> str:
    """The values in a format, with comments where it has any.

    With `renderers` the post-renderers follow: in YAML as a second document, in JSON beside the
    values.
    """
    text = _SPELLERS[form](found)
    if renderers and found.renderers and form is ValuesFormat.YAML:
        behind = _lines({"postRenderers": list(found.renderers)}, {}, ())
        text += (
            "---\n# For the spec of its HelmRelease: post-renderers for the images that no value "
            "moves.\n"
        )
        text += "".join(f"{line}\n" for line in (*behind, *map(_comment, _frozen_behind(found))))
    if renderers and form is ValuesFormat.JSON:
        text = _json({"values": found.values, "postRenderers": list(found.renderers)})
    return text


def remarks(found: ChartValues, *, renderers: bool = False) -> Iterator[str]:
    """What has to be said in addition to the values: what they pin, what they don't move, and why.

    With `renderers` also what the post-renderers pin.
    """
    if not (found.values or found.left):
        yield _NO_VALUES
    yield from _frozen(found, found.frozen)
    yield from _frozen_behind(found) if renderers else ()
    if found.left:
        yield "No value moves these:"
        yield from map(_line, found.left)
    if found.unmoved:
        yield "These stay where they are:"
        yield from map(_line, found.unmoved)


def _frozen_behind(found: ChartValues) -> Iterator[str]:
    return _frozen(found, found.frozen_behind)


def _frozen(found: ChartValues, names: Iterable[str]) -> Iterator[str]:
    lines = [f"  {name}" for name in dict.fromkeys(names)]
    yield from (_FROZEN.format(found.title), *lines) if lines else ()


def _line(left: Left) -> str:
    return f"  {left.image} ({left.objects}): {left.why}"


def _yaml(found: ChartValues) -> str:
    return _document(found, found.values, (), "values that take its images from the cache")


def _argocd(found: ChartValues) -> str:
    path = ("spec", "source", "helm", "valuesObject")
    return _document(found, _under(path, found.values), path, "for its Argo CD Application")


def _helmfile(found: ChartValues) -> str:
    source, release = found.release.source, found.release
    made: dict[str, Any] = {"name": release.name, "namespace": release.namespace}
    top: dict[str, Any] = {}
    if source.kind is SourceKind.HELM_HTTP:
        url = without_users(source.url)
        top["repositories"] = [{"name": source.name, "url": url}]
        made["chart"] = f"{source.name}/{source.name}"
    elif source.kind is SourceKind.HELM_OCI:
        made["chart"] = without_users(source.url)
    else:
        made["chart"] = str(source.path)
    if source.kind is not SourceKind.LOCAL:
        made["version"] = found.chart.version
    made["values"] = [found.values]
    top["releases"] = [made]
    return _document(found, top, ("releases", 0, "values", 0), "for its release in helmfile.yaml")


def _json_values(found: ChartValues) -> str:
    return _json(found.values)


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _helm_set(found: ChartValues) -> str:
    return "".join(f"{shlex.quote(argument)}\n" for argument in _arguments(found.values, ""))


def _arguments(values: Mapping[str, Any], head: str) -> Iterator[str]:
    """An argument for each value; what is no text is given as JSON, so that its type is sure."""
    for key, value in values.items():
        name = head + _KEY.sub(_ESCAPED, str(key))
        if isinstance(value, Mapping):
            yield from _arguments(value, f"{name}.")
        elif isinstance(value, str):
            yield f"--set-string={name}={_TEXT.sub(_ESCAPED, value)}"
        else:
            yield f"--set-json={name}={json.dumps(value, separators=(',', ':'))}"


_SPELLERS: dict[ValuesFormat, Callable[[ChartValues], str]] = {
    ValuesFormat.YAML: _yaml,
    ValuesFormat.JSON: _json_values,
    ValuesFormat.HELM_SET: _helm_set,
    ValuesFormat.ARGOCD: _argocd,
    ValuesFormat.HELMFILE: _helmfile,
}


def _under(path: tuple[str, ...], values: Any) -> dict[str, Any]:
    for key in reversed(path):
        values = {key: values}
    return dict(values)


def _document(found: ChartValues, data: Mapping[str, Any], path: ValuePath, what: str) -> str:
    """A YAML document with a comment above each value that moves images."""
    notes = {(*path, *key): texts for key, texts in found.notes.items()}
    lines = [_comment(f"{found.title}: {what}")]
    lines += _lines(data, notes, ()) if found.values else ["{}"]
    lines += map(_comment, remarks(found))
    return "".join(f"{line}\n" for line in lines)


def _comment(text: str) -> str:
    """A line that stays one: the names in it are the chart's."""
    return f"# {visible(text)}"


_Notes = Mapping[ValuePath, tuple[str, ...]]


def _lines(data: Mapping[str, Any], notes: _Notes, path: ValuePath) -> list[str]:
    made: list[str] = []
    for key, value in data.items():
        here = (*path, key)
        made += map(_comment, notes.get(here, ()))
        made += _pair(spell_scalar(str(key), ""), value, notes, here)
    return made


def _pair(key: str, value: Any, notes: _Notes, path: ValuePath) -> list[str]:
    if isinstance(value, Mapping) and value:
        return [f"{key}:", *(_STEP + line for line in _lines(value, notes, path))]
    if isinstance(value, list) and value:
        return [f"{key}:", *(_STEP + line for line in _items(value, notes, path))]
    if isinstance(value, str) and _BLOCK.fullmatch(value):
        return [f"{key}: |-", *(_STEP + line for line in value.split("\n"))]
    return [f"{key}: {_scalar(value)}"]


def _items(values: list[Any], notes: _Notes, path: ValuePath) -> list[str]:
    made: list[str] = []
    for index, value in enumerate(values):
        here = (*path, index)
        made += map(_comment, notes.get(here, ()))
        inner = _inner(value, notes, here)
        first = next(n for n, line in enumerate(inner) if not line.startswith("#"))
        made += [
            *inner[:first],
            f"- {inner[first]}",
            *(_STEP + each for each in inner[first + 1 :]),
        ]
    return made


def _inner(value: Any, notes: _Notes, path: ValuePath) -> list[str]:
    if isinstance(value, Mapping) and value:
        return _lines(value, notes, path)
    if isinstance(value, list) and value:
        return _items(value, notes, path)
    return [_scalar(value)]


def _scalar(value: Any) -> str:
    return spell_scalar(value, "") if isinstance(value, str) else json.dumps(value)
