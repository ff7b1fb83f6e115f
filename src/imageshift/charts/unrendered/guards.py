"""Why values of a chart in the tree stay if it isn't rendered, judged by its text.

A Job that is applied can't have another image. A chart that compares a registry may refuse another
one, and so may its schema, also for what is switched off (X11b, X11c).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from imageshift.charts.unrendered.template_text import Steps, TemplateDocument, TemplateTexts
from imageshift.errors import ToolError
from imageshift.inventory import Index
from imageshift.lazy import lazy_re

if TYPE_CHECKING:
    from imageshift.charts.fetch.files import ChartFiles

__all__ = ["Guard", "Guards", "chart_guards"]

_JOB = lazy_re(r"^(?![ \t]*#).*\bkind:\s*[\"']?Job\b", re.MULTILINE)
_FREE = lazy_re(r"helm\.sh/hook|\bgenerateName:")
_NAME = lazy_re(r"\bname:[^\n]*\.Release\.Revision")
_REPLACED = lazy_re(r"sync-options[^\n]*(?:Force=true[^\n]*Replace|Replace=true[^\n]*Force)")
_RESTRICTS = {"enum", "const", "pattern", "maxLength"}
_APPLIED = "the Job in {} uses it, and the image of an applied Job can't change"
_COMPARED = "{} compares it, so the chart may reject a different name; only rendering can tell"


class Guard(Struct, frozen=True):
    """A value that stays, and why: with `is_prefix` also all below it and above it.

    `path` is None for every image of the chart.
    """

    path: Steps | None
    detail: str
    is_job: bool = False
    is_prefix: bool = False

    def holds(self, path: Steps) -> bool:
        """Whether it holds for a value by what they have in common."""
        own = self.path or ()
        length = min(len(path), len(own))
        return path[:length] == own[:length]

    def under(self, key: str) -> "Guard":
        """The same for the chart around a subchart that it calls `key`."""
        path = (key,) if self.path is None else (key, *self.path)
        return Guard(path, self.detail, self.is_job, self.is_prefix or self.path is None)


class Guards(Struct, frozen=True):
    """The guards of one chart, to be asked by path."""

    exact: Mapping[Steps | None, Guard]
    prefixes: tuple[Guard, ...]

    @classmethod
    def of(cls, found: Iterable[Guard]) -> "Guards":
        """The guards, of which the first for a path is told."""
        guards = list(found)
        exact = {guard.path: guard for guard in reversed(guards) if not guard.is_prefix}
        return cls(exact, tuple(guard for guard in guards if guard.is_prefix))

    def at(self, path: Steps) -> Guard | None:
        """What holds a value, if anything does."""
        found = self.exact.get(path) or self.exact.get(None)
        return found or next((guard for guard in self.prefixes if guard.holds(path)), None)


def chart_guards(index: Index, folder: str, *, upgrades: bool, jobs: bool) -> Guards:
    """The guards of the chart in a folder, with those of its subcharts.

    `upgrades` says that each change is an upgrade with a number of its own, as in Helm and Flux;
    without `jobs` they may change.
    """
    from imageshift.charts.fetch.files import load_chart  # noqa: PLC0415 archives are heavy

    tree = index.workspace
    try:
        chart = load_chart(tree.absolute(folder), root=tree.root)
        return Guards.of(dict.fromkeys(_guards(chart, folder, upgrades=upgrades, jobs=jobs)))
    except ToolError:
        return Guards.of(())


def _guards(chart: "ChartFiles", folder: str, *, upgrades: bool, jobs: bool) -> Iterator[Guard]:
    texts = _texts(chart)
    own = {name: text for name, text in texts.items() if name.startswith("templates/")}
    templates = TemplateTexts.read(own, texts.values())
    where = f"{folder}/".lstrip("/")
    for found in templates.compared():
        detail = _COMPARED.format(f"{where}{found.template}")
        yield Guard(found.path, detail, is_prefix=found.inside)
    yield from _schema_guards(chart, where)
    for document in templates.documents() if jobs else ():
        if _is_applied(document, upgrades=upgrades):
            for path in templates.used(document):
                yield Guard(
                    path, _APPLIED.format(f"{where}{document.name}"), is_job=True, is_prefix=True
                )
    for sub in chart.subcharts:
        inside = sub.origin.rpartition("/charts/")[2]
        below = list(_guards(sub, f"{where}charts/{inside}", upgrades=upgrades, jobs=jobs))
        for key in chart.names_of(sub):
            yield from (guard.under(key) for guard in below)


def _texts(chart: "ChartFiles") -> dict[str, str]:
    """The templates, with those of the charts inside."""
    return {
        name: text.decode("utf-8", "replace")
        for name, text in chart.files.items()
        if "templates/" in name
    }


def _is_applied(document: TemplateDocument, *, upgrades: bool) -> bool:
    """Whether a document is a Job that the next change applies again under its name."""
    found, text = _JOB.search(document.text), document.text
    if found is None or _FREE.search(text):
        return False
    if not upgrades:
        return not _REPLACED.search(text)
    installs = any(".Release.IsInstall" in each for each in document.conditions(found.start()))
    return not (installs or _NAME.search(text))


def _schema_guards(chart: "ChartFiles", where: str) -> Iterator[Guard]:
    try:
        schema = json.loads(chart.files.get("values.schema.json", b"{}"))
    except ValueError:
        return
    for path in _restricted(schema, ()):
        yield Guard(path, _COMPARED.format(f"{where}values.schema.json"))


def _restricted(schema: Any, path: Steps) -> Iterator[Steps]:
    """The paths of texts that a schema restricts."""
    if not isinstance(schema, Mapping) or len(path) > 20:  # noqa: PLR2004 deep enough
        return
    if _RESTRICTS & schema.keys():
        yield path
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        for key, inner in properties.items():
            yield from _restricted(inner, (*path, key))
    for key in ("allOf", "anyOf", "oneOf"):
        found = schema.get(key)
        for inner in found if isinstance(found, list) else ():
            yield from _restricted(inner, path)
