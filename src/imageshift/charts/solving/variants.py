"""What else the builds make of a release: one base, several overlays with values of their own.

An edit of the base holds for all of them, so it must be right in each.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from imageshift.charts.model import RenderedImage, RenderError, ValuePath, Values
from imageshift.charts.post_renderers.existing import PostRenderers
from imageshift.charts.releases.edits import ValueEdit, apply_edits
from imageshift.charts.releases.layers import FileSpan, Layer, LayerReader, ValuesPart, span_of
from imageshift.charts.releases.spec import to_filled
from imageshift.charts.releases.spec_patches import operated, patched
from imageshift.charts.rendering.manifests import find_images
from imageshift.charts.solving.evaluate import Judge
from imageshift.charts.values import ValuesFrom, merge, merge_release, place, set_target_path
from imageshift.errors import SourceError
from imageshift.inventory import Index
from imageshift.links.model import Patch
from imageshift.links.patches import patch_documents, targets
from imageshift.links.reach import Reach
from imageshift.source import Document
from imageshift.source import Mapping as MapNode
from imageshift.source import Sequence as ListNode

__all__ = ["PlacedEdit", "RenderedVariants", "Variant", "VariantImage", "Variants"]

_MARK = "\0"

_Spec = Mapping[str, Any]


class PlacedEdit(Struct, frozen=True):
    """An edit of the values of a release, and the layer that it is made in."""

    edit: ValueEdit
    layer: Layer


class Variant(Struct, frozen=True):
    """A release as one build makes it: its base's spec, other valuesFrom, and patches over both.

    `spans` are where its own values are written; `decided` says that one of its patches is a
    document of its own, which is decided after its base.
    """

    spec: _Spec
    parts: tuple[ValuesPart, ...]
    patches: tuple[Callable[[_Spec], _Spec], ...] = ()
    spans: frozenset[FileSpan] = frozenset()
    decided: bool = False

    @property
    def files(self) -> frozenset[str]:
        """The files that its own values are written in."""
        return frozenset(span.file for span in self.spans)

    def values(self, edits: Sequence[PlacedEdit] = ()) -> dict[str, Any]:
        """The values of the build, with edits of the layers below and of the base's own."""
        brought = {part.layer.key for part in self.parts if part.layer is not None}
        own = [e.edit for e in edits if not e.layer.in_chart and e.layer.key not in brought]
        parts = [_edited(part, edits) for part in self.parts]
        values = merge_release(parts, _map(self.made(own).get("values")))
        in_chart = {e.edit.path: e.edit.value for e in edits if e.layer.in_chart}
        return merge(place(values, in_chart), values) if in_chart else values

    @property
    def entries(self) -> PostRenderers:
        """The entries behind the chart."""
        renderers = self.made().get("postRenderers")
        return PostRenderers.read(renderers if isinstance(renderers, list) else ())

    @property
    def product(self) -> tuple[list[dict[str, Any]], PostRenderers, list[dict[str, Any]]]:
        """What decides over the images of the build, and which values that edits change arrive."""
        spec = {**self.spec, "values": _marked(self.spec.get("values"))}
        marked = replace(self, spec=spec, parts=tuple(map(_marked_part, self.parts)))
        return self.all_values(), self.entries, marked.all_values()

    def all_values(self, edits: Sequence[PlacedEdit] = ()) -> list[dict[str, Any]]:
        """The values of the build; those with targetPaths over spec.values too, if any (E3.3)."""
        values = over = self.values(edits)
        single = [_edited(p, edits) for p in self.parts if p.values.target_path is not None]
        for each in single:
            over = set_target_path(over, each.target_path or "", each.text)
        return [values, over] if single else [values]

    def made(self, edits: Iterable[ValueEdit] = ()) -> _Spec:
        """The spec that the build makes, with edits of the base's own values."""
        own = _map(self.spec.get("values"))
        spec: _Spec = {**self.spec, "values": apply_edits(own, edits)}
        for patch in self.patches:
            spec = patch(spec)
        return spec


class Variants:
    """Finds the variants of releases."""

    def __init__(self, index: Index, reach: Reach) -> None:
        self._index = index
        self._reach = reach
        self._layers = LayerReader(index, reach)

    def of(self, name: str, file: str, spec: _Spec) -> list[Variant]:
        """The builds of a release whose values aren't those that its own files alone give."""
        own = Variant(spec, tuple(self._layers.parts(spec, file)))
        plain = own.product
        # Where a targetPath may win over spec.values, a release alone has two sets of values.
        found: list[Variant] = [own] if len(own.all_values()) > 1 else []
        products: list[Any] = [plain] if found else []
        for made in self.by_build(name, file, spec).values():
            # A patch that says what its base says keeps an edit of the base from arriving.
            product = made.product
            if product not in products and (made.patches or product != plain):
                found.append(made)
                products.append(product)
        return found

    def by_build(self, name: str, file: str, spec: _Spec) -> dict[str, Variant]:
        """What each build makes of a release, by the file and place of what is built."""
        variables = self._reach.substitutes(file)
        found: dict[str, Variant] = {}
        for build in self._reach.builds_of(file):
            parts = tuple(self._layers.parts(spec, file, build.files))
            over = list(self._patches(build.patches, name))
            layers = (part.layer.span for part in parts if part.layer is not None)
            spans = {*filter(None, layers), *(_span(source) for source, _ in over)}
            found[build.key] = Variant(
                spec,
                parts,
                tuple(_patch(document, variables) for _, document in over),
                frozenset(spans),
                any(_is_decided(source, document) for source, document in over),
            )
        return found

    def _patches(self, sources: Iterable[Patch], name: str) -> Iterator[tuple[Patch, Document]]:
        for source in sources:
            try:
                documents = list(patch_documents(self._index, source, "spec"))
            except SourceError:
                continue
            for document in documents:
                if _is_for(document, source, name):
                    yield source, document


class VariantImage(Struct, frozen=True):
    """An image that a variant renders, its target, and whether the base's edits bring it there."""

    variant: Variant
    image: RenderedImage
    target: str | None
    moved: bool


class RenderedVariants(Struct, frozen=True):
    """The variants of one release, and who judges what they render."""

    variants: Sequence[Variant]
    judge: Judge

    def spoiling(self, edits: Sequence[PlacedEdit]) -> frozenset[ValuePath]:
        """The paths of the edits with which a variant renders what isn't the mapped image."""
        guilty: set[ValuePath] = set()
        for variant in self.variants if edits else ():
            for number, plain in enumerate(variant.all_values()):
                # What doesn't render as it is can't be spoilt.
                with suppress(RenderError):
                    guilty |= self._spoilt(variant, number, plain, edits)
        return frozenset(guilty)

    def _spoilt(
        self, variant: Variant, number: int, plain: Values, edits: Sequence[PlacedEdit]
    ) -> set[ValuePath]:
        """The paths of the edits that spoil one of the values that a variant may have."""
        judge = replace(self.judge, entries=variant.entries)
        before = judge.render(plain)

        def spoil(some: Sequence[PlacedEdit]) -> bool:
            return judge.differs(before, plain, variant.all_values(some)[number])

        if not spoil(edits):
            return set()
        alone = {each.edit.path for each in edits if spoil([each])}
        return alone or {each.edit.path for each in edits}

    def images(self, edits: Sequence[PlacedEdit]) -> Iterator[VariantImage]:
        """The images of all variants that aren't decided by themselves."""
        for variant in self.variants:
            both = zip(variant.all_values(), variant.all_values(edits), strict=True)
            for plain, edited in () if variant.decided else both:
                with suppress(RenderError):
                    before, after = (
                        find_images(self.judge.render(some), (), {}).images
                        for some in (plain, edited)
                    )
                    moved = {image.text for image in after}
                    for image in before:
                        goal = self.judge.target(image.text)
                        yield VariantImage(variant, image, goal, goal in moved)


def _span(source: Patch) -> FileSpan:
    if source.document is None or source.node is None:
        return FileSpan(source.file)
    return span_of(source.file, source.document, source.node)


def _is_decided(source: Patch, document: Document) -> bool:
    """Whether a patch is a release of its own for the rendering: one in a file, or of renderers."""
    root = document.root
    if not isinstance(root, MapNode):
        return False
    spec = root.mapping("spec") or MapNode(0, None, flow=False)
    return not source.is_inline or spec.get("postRenderers") is not None


def _is_for(document: Document, source: Patch, name: str) -> bool:
    """Whether a patch may be for a release of a name."""
    root = document.root
    if isinstance(root, ListNode):
        return targets(source, "HelmRelease", name)
    if not isinstance(root, MapNode) or root.text("kind") != "HelmRelease":
        return False
    metadata = root.mapping("metadata")
    own = None if metadata is None else metadata.text("name")
    return targets(source, "HelmRelease", name) if source.targeted else own == name


def _patch(document: Document, variables: Mapping[str, str]) -> Callable[[_Spec], _Spec]:
    data = to_filled(document.root, variables)
    if isinstance(data, list):
        return lambda spec: operated(spec, data)
    return lambda spec: patched(spec, _map(data.get("spec")))


def _edited(part: ValuesPart, edits: Sequence[PlacedEdit]) -> ValuesFrom:
    """What an item of `valuesFrom` brings, with the edits of its layer."""
    found = part.values
    mine = [e.edit for e in edits if part.layer is not None and e.layer.key == part.layer.key]
    for edit in mine:
        if found.target_path is not None:
            found = replace(found, text=str(edit.value))
        else:
            found = replace(found, values=apply_edits(found.values or {}, [edit]))
    return found


def _marked(value: Any) -> Any:
    """Values in which each that is no map is a mark."""
    if isinstance(value, Mapping):
        return {key: _marked(below) for key, below in value.items()}
    return _MARK


def _marked_part(part: ValuesPart) -> ValuesPart:
    """An item of `valuesFrom` whose values are marks."""
    found = part.values
    values = None if found.values is None else _marked(found.values)
    return replace(part, values=replace(found, values=values, text=_MARK))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
