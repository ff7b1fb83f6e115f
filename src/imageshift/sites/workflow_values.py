"""Argo Workflows: parameters whose values become the images of a workflow's templates.

A workflow may take templates from other objects, by `workflowTemplateRef` as a whole or by
`templateRef` step by step, so what those do with their parameters has to be known first.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingType

from msgspec import Struct, field

from imageshift.lazy import lazy_re
from imageshift.sites.arguments import MIXED, is_reference, named_texts, value_sites
from imageshift.sites.model import ImageSite, Path, Resource, below
from imageshift.source import Document, Mapping, Scalar, walk

__all__ = ["WORKFLOW_KINDS", "WorkflowImages", "find_workflow_values", "workflow_images"]

WORKFLOW_KINDS = {
    "Workflow": ("spec",),
    "WorkflowTemplate": ("spec",),
    "ClusterWorkflowTemplate": ("spec",),
    "CronWorkflow": ("spec", "workflowSpec"),
    "WorkflowEventBinding": ("spec", "submit"),
}
"""Where the kinds of Argo Workflows keep a workflow or its arguments."""

WorkflowImages = MappingType[str, MappingType[str, bool]]
"""By template of other objects (`KIND/NAME/TEMPLATE`), its parameters that become images.

True stands for those that become nothing else: others might say where an image is pushed.
"""

_WHOLE = lazy_re(r"\{\{\s*(inputs|workflow)\.parameters\.([\w-]+)\s*\}\}")
_ITEM = lazy_re(r"\{\{\s*item(?:\.([\w-]+))?\s*\}\}")
_NAMED = lazy_re(r"\b(inputs|workflow)\.parameters\.([\w-]+)")
_MOST_ROUNDS = 4

_Name = tuple[str, str]
"""A parameter: the template that it belongs to, empty for the workflow, and its name."""


def find_workflow_values(
    document: Document, root: Mapping, resource: Resource, path: Path, known: WorkflowImages
) -> Iterator[ImageSite]:
    """The values of parameters that are all of an image's text, as far as the object has them.

    A parameter that is used otherwise too may say where an image is pushed, so it is listed.
    """
    keys = WORKFLOW_KINDS[resource.kind]
    spec = below(root, *keys)
    found = _Parameters(known)
    found.read(spec)
    notes = (
        (value, "" if sure else MIXED)
        for name, sure in found.images().items()
        for value in filter(is_reference, found.values[name])
    )
    yield from value_sites(document, resource, spec, (*path, *keys), notes)


def workflow_images(roots: Iterable[Mapping]) -> WorkflowImages:
    """What the templates of a tree do with their parameters.

    Of several with one name, all that have a parameter have to put it into an image.
    """
    specs: dict[str, list[Mapping]] = {}
    for root in roots:
        kind, name = root.text("kind") or "", below(root, "metadata").text("name") or ""
        if kind.endswith("WorkflowTemplate") and kind in WORKFLOW_KINDS:
            specs.setdefault(f"{kind}/{name}/", []).append(below(root, "spec"))
    known: dict[str, dict[str, bool]] = {}
    for _ in range(_MOST_ROUNDS):
        made: dict[str, dict[str, bool]] = {}
        for at, some in specs.items():
            for (template, name), sure in _agreed(some, known):
                made.setdefault(at + template, {})[name] = sure
        if made == known:
            break
        known = made
    return known


def _agreed(specs: list[Mapping], known: WorkflowImages) -> Iterator[tuple[_Name, bool]]:
    """The parameters that every one of some workflows which has them puts into an image."""
    read = [_Parameters(known) for _ in specs]
    for each, spec in zip(read, specs, strict=True):
        each.read(spec)
    images = [each.images() for each in read]
    for name in sorted({name for own in images for name in own}):
        if all(name in own or not each.has(name) for own, each in zip(images, read, strict=True)):
            yield name, all(own.get(name, True) for own in images)


class _Parameters(Struct):
    """The parameters of a workflow: their values, what each is handed on to, and their uses.

    `passed` are templates that get all the parameters of another by their names.
    """

    known: WorkflowImages
    values: dict[_Name, list[Scalar]] = field(default_factory=lambda: defaultdict(list))
    declared: set[_Name] = field(default_factory=set)
    handed: list[tuple[_Name, _Name]] = field(default_factory=list)
    passed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    shown: Counter[_Name] = field(default_factory=Counter)
    uses: Counter[_Name] = field(default_factory=Counter)

    def read(self, spec: Mapping) -> None:
        """Reads the arguments of a workflow and its templates."""
        for name, value in _parameters(below(spec, "arguments")):
            self.values["", name].append(value)
        called = _referred(spec, "workflowTemplateRef")
        if called is not None:
            self.passed[called].add("")
        self.passed[(called or "") + (spec.text("entrypoint") or "")].add("")
        for template in spec.items("templates"):
            if isinstance(template, Mapping):
                self._read_template(template, template.text("name") or "")
        self._read_template(below(spec, "hooks"), "")

    def has(self, name: _Name) -> bool:
        """Whether the workflow declares or uses a parameter."""
        return name in self.declared or name in self.uses

    def images(self) -> dict[_Name, bool]:
        """The parameters that become images, with whether they become nothing else."""
        others = {(at, name): sure for at, name, sure in self._others()}
        found = self._handing_on({*self.shown, *others})
        whole = self.shown + Counter(source for source, target in self.handed if target in found)
        mixed = {name for name, number in self.uses.items() if number != whole[name]}
        mixed = self._handing_on(mixed | {name for name, sure in others.items() if not sure})
        return {name: name not in mixed for name in sorted(found)}

    def _others(self) -> Iterator[tuple[str, str, bool]]:
        """The parameters of other objects' templates that become images, as far as called."""
        called = {target for _, (target, _) in self.handed} | self.passed.keys()
        called |= {target for target, _ in self.values}
        for at in sorted(called & self.known.keys()):
            yield from ((at, name, sure) for name, sure in self.known[at].items())

    def _handing_on(self, names: set[_Name]) -> set[_Name]:
        """Some parameters with all that are handed on to them, be it over others."""
        found: set[_Name] = set()
        more = names
        while more:
            found |= more
            given = {source for source, target in self.handed if target in more}
            given |= {(at, name) for to, name in more for at in self.passed.get(to, ())}
            more = given - found
        return found

    def _read_template(self, template: Mapping, owner: str) -> None:
        for item in below(template, "inputs").items("parameters"):
            if isinstance(item, Mapping):
                self.declared.add((owner, item.text("name") or ""))
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
        other = _referred(call, "templateRef")
        if other is not None:
            # In the templates of others `workflow.parameters` are those of this workflow.
            self.passed[other].add("")
            target = other + (below(call, "templateRef").text("template") or "")
        else:
            target = call.text("template") or ""
        for name, value in _parameters(below(call, "arguments")) if target else ():
            whole, item = _WHOLE.fullmatch(value.value), _ITEM.fullmatch(value.value)
            self.handed += [(source, (target, name)) for source in _named(whole, owner)]
            given = [value] if item is None else _items(call, item[1])
            self.values[target, name] += given


def _referred(owner: Mapping, key: str) -> str | None:
    """The object from which a workflow, a step or a task takes templates: `KIND/NAME/`."""
    called = owner.mapping(key)
    if called is None:
        return None
    kind = "WorkflowTemplate"
    if called.text("clusterScope") == "true":
        kind = f"Cluster{kind}"
    return f"{kind}/{called.text('name') or ''}/"


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
