"""Argo Workflows: parameters whose values become the images of a workflow's templates."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from msgspec import Struct, field

from imageshift.lazy import lazy_re
from imageshift.sites.arguments import MIXED, is_reference, named_texts, value_sites
from imageshift.sites.model import ImageSite, Path, Resource, below
from imageshift.source import Document, Mapping, Scalar, walk

__all__ = ["find_workflow_values"]

_WHOLE = lazy_re(r"\{\{\s*(inputs|workflow)\.parameters\.([\w-]+)\s*\}\}")
_ITEM = lazy_re(r"\{\{\s*item(?:\.([\w-]+))?\s*\}\}")
_NAMED = lazy_re(r"\b(inputs|workflow)\.parameters\.([\w-]+)")

_Name = tuple[str, str]
"""A parameter: the template that it belongs to, empty for the workflow, and its name."""


def find_workflow_values(
    document: Document, root: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The values of parameters that are all of an image's text, as far as the object has them.

    A parameter that is used otherwise too may say where an image is pushed, so it is listed.
    """
    keys = ("spec", "workflowSpec") if resource.kind == "CronWorkflow" else ("spec",)
    spec = below(root, *keys)
    found = _Parameters()
    found.read(spec)
    notes = (
        (value, "" if sure else MIXED)
        for name, sure in found.images().items()
        for value in filter(is_reference, found.values[name])
    )
    yield from value_sites(document, resource, spec, (*path, *keys), notes)


class _Parameters(Struct):
    """The parameters of a workflow: their values, what each is handed on to, and their uses."""

    values: dict[_Name, list[Scalar]] = field(default_factory=lambda: defaultdict(list))
    handed: list[tuple[_Name, _Name]] = field(default_factory=list)
    shown: Counter[_Name] = field(default_factory=Counter)
    uses: Counter[_Name] = field(default_factory=Counter)

    def read(self, spec: Mapping) -> None:
        """Reads the arguments of a workflow and its templates."""
        for name, value in _parameters(below(spec, "arguments")):
            self.values["", name].append(value)
        for template in spec.items("templates"):
            if isinstance(template, Mapping):
                self._read_template(template, template.text("name") or "")

    def images(self) -> dict[_Name, bool]:
        """The parameters that become images, with whether they become nothing else."""
        found = self._handing_on(set(self.shown))
        whole = self.shown + Counter(source for source, target in self.handed if target in found)
        mixed = self._handing_on({name for name in found if self.uses[name] != whole[name]})
        return {name: name not in mixed for name in sorted(found)}

    def _handing_on(self, names: set[_Name]) -> set[_Name]:
        """Some parameters with all that are handed on to them, be it over others."""
        found = names
        while more := {source for source, target in self.handed if target in found} - found:
            found = found | more
        return found

    def _read_template(self, template: Mapping, owner: str) -> None:
        for name, value in _parameters(below(template, "inputs")):
            self.values[owner, name].append(value)
        for node in walk(template):
            if isinstance(node, Mapping):
                self.shown.update(_named(_WHOLE.fullmatch(node.text("image") or ""), owner))
                self._read_call(node, owner)
            elif isinstance(node, Scalar):
                for match in _NAMED.finditer(node.value):
                    self.uses.update(_named(match, owner))

    def _read_call(self, call: Mapping, owner: str) -> None:
        """Notes what a step or task gives to the parameters of the template that it calls."""
        target = call.text("template") or ""
        for name, value in _parameters(below(call, "arguments")) if target else ():
            whole, item = _WHOLE.fullmatch(value.value), _ITEM.fullmatch(value.value)
            self.handed += [(source, (target, name)) for source in _named(whole, owner)]
            given = [value] if item is None else _items(call, item[1])
            self.values[target, name] += given


def _items(call: Mapping, key: str | None) -> list[Scalar]:
    """What stands for `{{item}}`, or for `{{item.KEY}}`."""
    found = call.items("withItems")
    if key is not None:
        found = [each for item in found if isinstance(item, Mapping) and (each := item.get(key))]
    return [each for each in found if isinstance(each, Scalar)]


def _named(found: re.Match[str] | None, owner: str) -> list[_Name]:
    if found is None:
        return []
    return [("" if found[1] == "workflow" else owner, found[2])]


def _parameters(owner: Mapping) -> Iterator[tuple[str, Scalar]]:
    return named_texts(owner, "parameters", "value", "default")
