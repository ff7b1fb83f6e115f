"""helmfile: values and patches in its releases, and the files that hold the others.

A path may name the release, the environment and its values (helmfile's docs, "Templating"): those
are known, so the files are too. Any other template is known only when helmfile renders it.
"""

from collections.abc import Iterator
from collections.abc import Mapping as MappingType

from msgspec import Struct

from imageshift.data.prefix_free_charts import is_prefix_free
from imageshift.lazy import lazy_re
from imageshift.sites.model import ImageSite, Path, Resource
from imageshift.sites.parameters import find_parameter_images, parameter_tree
from imageshift.sites.patches import Finder, find_patch_images
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Document, Mapping, Node, Scalar

__all__ = [
    "BehindChart",
    "ReleaseValues",
    "ValuesFile",
    "find_helmfile_images",
    "is_helmfile",
    "is_plain",
    "patch_paths",
    "release_values",
    "values_files",
]

Facts = MappingType[str, tuple[str, ...]]
"""What may stand in the place of a template, by its name."""

_KEYS = ("values", "valuesTemplate")
_SETS = ("set", "setTemplate")
_TEXTS = ("setString",)
_BEHIND = ("jsonPatches", "strategicMergePatches", "transformers")
_ESCAPED = lazy_re(r"\{\{\s*`(.*?)`\s*\}\}")
_NAME = lazy_re(
    r"\{\{-?\s*\.(?:State|Environment\.(?=Values))?"
    r"(Release\.Name|Release\.Namespace|Environment\.Name|Values(?:\.\w+)+)\s*-?\}\}"
)
_NO_FACTS: Facts = {"Environment.Name": ("default",)}


class ValuesFile(Struct, frozen=True):
    """One entry that names a file of values: what it can mean, empty where only helmfile knows."""

    scalar: Scalar
    paths: tuple[str, ...]
    prefix_free: bool


def is_helmfile(root: Mapping) -> bool:
    """Whether a document without a kind is a helmfile: its releases name charts."""
    return any(isinstance(item, Mapping) and item.get("chart") for item in root.items("releases"))


def find_helmfile_images(
    document: Document, root: Mapping, resource: Resource, find: Finder
) -> Iterator[ImageSite]:
    """The images in the values and patches that a helmfile's releases hold themselves."""
    for release, chart, at in (*_holders(root), *_templates(root)):
        context = ValuesContext(document, resource, is_prefix_free(chart, None))
        for key in _KEYS:
            for number, values in enumerate(release.items(key)):
                if isinstance(values, Mapping):
                    yield from find_values_images(context, values, (*at, key, number))
        lists = [((*at, key), release.items(key)) for key in (*_SETS, *_TEXTS)]
        yield from find_parameter_images(context, lists)
        for item in _behind(release):
            yield from _behind_images(document, item, find, at)


def _behind_images(
    document: Document, item: "BehindChart", find: Finder, path: Path
) -> Iterator[ImageSite]:
    """The images in one patch or transformer that stands in the helmfile."""
    at, node = (*path, item.key, item.number), item.node
    if item.key == "jsonPatches" and isinstance(node, Mapping):
        patch, target, at = node.get("patch"), node.mapping("target"), (*at, "patch")
        yield from find_patch_images(document, patch, Resource(), find, at, target)
    elif isinstance(node, Mapping):
        yield from find_patch_images(document, node, Resource(), find, at)


def values_files(root: Mapping, known: Facts = _NO_FACTS) -> Iterator[ValuesFile]:
    """The files of values that a helmfile's releases name; `known` may stand for templates."""
    for release, chart, _ in _holders(root):
        facts = _facts(release, known)
        for owner in (release, *_inherited(root, release)):
            for item in (item for key in _KEYS for item in owner.items(key)):
                if isinstance(item, Scalar) and not item.is_empty:
                    yield ValuesFile(item, _paths(item.value, facts), is_prefix_free(chart, None))


def is_plain(document: Document, release: Mapping) -> bool:
    """Whether no template decides over a release."""
    return "{{" not in document.source.text[release.start : release.end]


def patch_paths(root: Mapping) -> Iterator[str]:
    """The files of patches that a helmfile's releases name."""
    for owner, _, _ in (*_holders(root), *_templates(root)):
        for item in _behind(owner):
            if item.key != "transformers" and isinstance(item.node, Scalar):
                yield item.node.value


class BehindChart(Struct, frozen=True):
    """A patch or transformer of a release, by its key and place there: an object, or a path."""

    key: str
    number: int
    node: Node


class ReleaseValues(Struct, frozen=True):
    """A release with its values, lowest first (E5): maps, or all files that a path can mean.

    `sets` are values set one by one over all of them, `texts` those that are texts whatever they
    look like. `behind` is what works on what the chart renders.
    """

    release: Mapping
    values: tuple[Mapping | tuple[str, ...], ...]
    sets: tuple[Node, ...]
    texts: tuple[Node, ...]
    path: Path
    behind: tuple["BehindChart", ...] = ()

    @property
    def parameters(self) -> Mapping:
        """What is set one by one, as values."""
        return parameter_tree((*self.sets, *self.texts))

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Everything in the helmfile that holds values of it, wherever that stands."""
        written = (each for each in self.values if isinstance(each, Mapping))
        return (*written, *self.sets, *self.texts)


def release_values(root: Mapping, known: Facts = _NO_FACTS) -> Iterator[ReleaseValues]:
    """The releases of a helmfile, each with the layers of values for it."""
    for release, _, path in _holders(root):
        facts, found = _facts(release, known), list[Mapping | tuple[str, ...]]()
        owners = (*_inherited(root, release), release)
        for owner in owners:
            for item in (item for key in _KEYS for item in owner.items(key)):
                if isinstance(item, Mapping):
                    found.append(item)
                elif isinstance(item, Scalar) and not item.is_empty:
                    found.append(_paths(item.value, facts))
        sets, forced = (
            tuple(item for key in keys for owner in owners for item in owner.items(key))
            for keys in (_SETS, _TEXTS)
        )
        behind = tuple(item for owner in owners for item in _behind(owner))
        yield ReleaseValues(release, tuple(found), sets, forced, path, behind)


def _behind(owner: Mapping) -> Iterator[BehindChart]:
    """What an owner says about the kustomization that helmfile builds over the chart (E5)."""
    for key in _BEHIND:
        for number, node in enumerate(owner.items(key)):
            yield BehindChart(key, number, node)


def _facts(release: Mapping, known: Facts) -> Facts:
    own = {"Release.Name": release.text("name"), "Release.Namespace": release.text("namespace")}
    return {**known, **{name: (text or "",) for name, text in own.items()}}


def _holders(root: Mapping) -> Iterator[tuple[Mapping, str, Path]]:
    """The releases with the last part of their chart's name and their path."""
    for index, release in enumerate(root.items("releases")):
        if isinstance(release, Mapping):
            chart = (release.text("chart") or "").rpartition("/")[2]
            yield release, chart, ("releases", index)


def _templates(root: Mapping) -> Iterator[tuple[Mapping, str, Path]]:
    """The templates that releases take, as the releases themselves."""
    templates = root.mapping("templates")
    for key, node in () if templates is None else templates.pairs():
        if isinstance(node, Mapping):
            chart = (node.text("chart") or "").rpartition("/")[2]
            yield node, chart, ("templates", key.value)


def _inherited(root: Mapping, release: Mapping) -> Iterator[Mapping]:
    templates = root.mapping("templates")
    for item in release.items("inherit"):
        name = item.text("template") if isinstance(item, Mapping) else None
        found: Node | None = templates.get(name) if templates is not None and name else None
        if isinstance(found, Mapping):
            yield found


def _paths(text: str, facts: Facts) -> tuple[str, ...]:
    found = {_ESCAPED.sub(r"\1", text)}
    for fact in dict.fromkeys(_NAME.findall(next(iter(found)))):
        found = {_filled(path, fact, value) for path in found for value in facts.get(fact, ())}
    return tuple(sorted(path for path in found if path and "{{" not in path))


def _filled(path: str, fact: str, value: str) -> str:
    return _NAME.sub(lambda name: value if name[1] == fact else name[0], path)
