"""ApplicationSets, element by element: what Argo CD makes of their templates over the tree (E4).

A filled template is a tree in which each text that no parameter is in stays the written one.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from imageshift.errors import SourceError
from imageshift.inventory.filling import (
    Filler,
    Leaf,
    as_computed,
    filled_tree,
    is_template,
    overlaid,
    templates,
    uses_argo,
    whole_documents,
    whole_leaves,
)
from imageshift.inventory.generators import Element, Generators, Tree, Written
from imageshift.inventory.objects import Application
from imageshift.sites.argocd import application_sources
from imageshift.sites.model import below
from imageshift.source import Document, Node, Place, Scalar, parse_embedded, walk
from imageshift.source import Mapping as MapNode

__all__ = ["ApplicationSet", "Hidden", "Made"]

_FIRST = ("spec", "template")
_MOST_NODES = 3_000_000
_TOO_MANY = "the repository's ApplicationSets make too many elements together"


class Made(Struct, frozen=True):
    """What one element makes, and the template that it fills.

    In the `application` entries of kustomize's images whose name is written out stay as they are
    written: the name is all that counts, and they can be edited so. In `whole` they don't.
    """

    application: Application
    whole: Application
    element: Element
    template: MapNode


class Hidden(Struct, frozen=True):
    """A text of an ApplicationSet that leads to files, and why nobody can tell to which."""

    file: str
    document: Document
    scalar: Scalar
    why: str

    @property
    def place(self) -> Place:
        """Where the text stands."""
        return self.document.place(self.document.value_start(self.scalar))


class ApplicationSet(Struct, frozen=True):
    """One ApplicationSet as it is written."""

    written: Application
    filler: Filler
    tree: Tree

    @property
    def root(self) -> MapNode:
        """The object."""
        return self.written.root

    def elements(self) -> list[tuple[Element, MapNode]]:
        """The elements, each with the template that it fills."""
        generators = Generators(self.tree, self.filler)
        at = Written(self.written.file, self.written.document, ("spec", "generators"))
        template = below(self.root, *_FIRST)
        found: list[tuple[Element, MapNode]] = []
        for number, generator in enumerate(below(self.root, "spec").items("generators")):
            if isinstance(generator, MapNode):
                own = _own_template(generator)
                used = template if own is None else overlaid(template, own)
                made = generators.elements(generator, at.at(number))
                found += [(element, used) for element in made]
        return found

    def made(self, most: int) -> list[Made]:
        """What the elements make, in their order; as if one unknown one if there are too many."""
        found = self.elements()
        size = sum(1 for _ in walk(self.root))
        if len(found) > min(most, _MOST_NODES // size):
            found = [(Element(unknown=_TOO_MANY), below(self.root, *_FIRST))]
        texts = self._filled([element for element, _ in found])
        kept = set(_entries(self.root))
        made = []
        for (element, template), filled in zip(found, texts, strict=True):
            leaves = whole_leaves(filled, element.leaves)
            whole = self._application(template, filled, leaves)
            rest = {old: new for old, new in filled.items() if old not in kept}
            own = whole
            if len(rest) < len(filled):
                own = self._application(template, rest, leaves)
            made.append(Made(own, whole, element, template))
        return made

    def refilled(self, made: list[Made], elements: list[Element]) -> list[Application]:
        """What they would make with other elements in the place of their own."""
        texts = self._filled(elements)
        pairs = zip(made, texts, strict=True)
        return [self._application(one.template, filled) for one, filled in pairs]

    def hidden(self, made: Iterable[Made]) -> list[Hidden]:
        """The texts that lead to files and that nobody but Argo CD can fill."""
        found: dict[tuple[int, str], Hidden] = {}
        for one in made:
            for source, _ in application_sources(one.application.merged):
                for scalar in _leading(source):
                    if is_template(scalar.value):
                        why = one.element.unknown or self._why(scalar.value)
                        at = self.written.file, self.written.document
                        key = scalar.start, scalar.value
                        found.setdefault(key, Hidden(*at, scalar, why))
        return list(found.values())

    def _why(self, text: str) -> str:
        if not self.filler.is_go:
            return "no parameter has this name"
        if uses_argo(text):
            return "only Argo CD has the functions normalize and slugify"
        return "Helm, which fills such templates, isn't installed or rejects this one"

    def _filled(self, elements: list[Element]) -> list[dict[str, str]]:
        spec = below(self.root, "spec")
        wanted = templates(spec.mapping("template"))
        wanted += [t for g in spec.items("generators") for t in templates(_own_template(g))]
        patch = spec.text("templatePatch")
        wanted += [patch] if patch is not None else []
        return self.filler.filled(wanted, [(one.data, not one.unknown) for one in elements])

    def _application(
        self, template: MapNode, texts: Mapping[str, str], leaves: Mapping[str, Leaf] | None = None
    ) -> Application:
        filled = filled_tree(template, texts, leaves)
        assert isinstance(filled, MapNode)  # noqa: S101 as the template is
        spec = below(self.root, "spec")
        pairs = [(k, filled if k.value == "template" else v) for k, v in spec.pairs()]
        inner = MapNode(spec.start, None, flow=spec.flow)
        inner.own, inner.end = list(pairs), spec.end
        outer = MapNode(self.root.start, None, flow=self.root.flow)
        outer.own = [(k, inner if k.value == "spec" else v) for k, v in self.root.pairs()]
        outer.end = self.root.end
        return Application(
            file=self.written.file,
            document=self.written.document,
            root=outer,
            patch=self._patch(texts),
        )

    def _patch(self, texts: Mapping[str, str]) -> Document | None:
        """What templatePatch comes to; in its file where no parameter is in it."""
        scalar = below(self.root, "spec").scalar("templatePatch")
        if scalar is None or scalar.is_empty:
            return None
        try:
            if not is_template(scalar.value):
                return parse_embedded(self.written.document, scalar)[0]
            made = next(whole_documents(texts.get(scalar.value, "")), None)
            root = None if made is None else as_computed(made.mapping, scalar)
            return None if root is None else self.written.document.below(root)
        except (SourceError, IndexError):
            return None


def _entries(root: MapNode) -> Iterator[str]:
    """The entries of kustomize's images whose name is written out."""
    for source, _ in application_sources(root):
        for item in below(source, "kustomize").items("images"):
            text = item.value if isinstance(item, Scalar) else ""
            if not is_template(text.partition("=")[0].partition(":")[0]):
                yield text


def _leading(source: MapNode) -> Iterator[Scalar]:
    """The texts of a source that name a folder, a chart or files of values."""
    keys = (source.scalar("path"), source.scalar("chart"))
    files = below(source, "helm").items("valueFiles")
    yield from (each for each in (*keys, *files) if isinstance(each, Scalar))


def _own_template(generator: Node) -> MapNode | None:
    """The template that a generator itself has, which wins over the set's."""
    found = (value for _, value in generator.pairs()) if isinstance(generator, MapNode) else ()
    maps = (value.mapping("template") for value in found if isinstance(value, MapNode))
    return next((each for each in maps if each is not None), None)
