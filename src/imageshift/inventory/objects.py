"""The objects that decide over other files, as far as imageshift needs to know them."""

from collections.abc import Iterator

from msgspec import Struct

from imageshift.inventory.filling import overlaid
from imageshift.inventory.parsed import ParsedFile
from imageshift.sites import Resource
from imageshift.sites.flux import ChartReference
from imageshift.sites.model import below
from imageshift.source import Document, Mapping, Node, Scalar

__all__ = [
    "Application",
    "FluxKustomization",
    "KustomizationFile",
    "Release",
    "SourceObject",
    "ValuesSource",
    "objects",
    "read_release",
    "texts",
]


class KustomizationFile(Struct, frozen=True, kw_only=True):
    """A kustomization.yaml: its folder ("" is the root), its file and its document.

    `held` keeps the file's nodes for its other readers.
    """

    folder: str
    file: str
    document: Document
    held: ParsedFile

    @property
    def root(self) -> Mapping:
        """The kustomization itself."""
        return self.document.mapping


class FluxKustomization(Struct, frozen=True, kw_only=True):
    """A Flux Kustomization with the place where it is written."""

    file: str
    document: Document
    root: Mapping
    resource: Resource

    @property
    def spec(self) -> Mapping:
        """Its spec."""
        return self.root.mapping("spec") or Mapping(0, None, flow=False)


class Application(Struct, frozen=True, kw_only=True):
    """An Argo CD Application, or what one element of an ApplicationSet makes of its template.

    An element's `root` is the set with its template filled, so that paths lead to the same places;
    `patch` is what its templatePatch comes to. `name` is the Application's own, where it is known.
    """

    file: str
    document: Document
    root: Mapping
    patch: Document | None = None

    @property
    def is_set(self) -> bool:
        """Whether an ApplicationSet makes it."""
        return self.root.text("kind") == "ApplicationSet"

    @property
    def merged(self) -> Mapping:
        """The object with the patch laid over its template."""
        if self.patch is None:
            return self.root
        over = self.patch.mapping
        for key in ("template", "spec"):
            outer = Mapping(over.start, None, flow=False)
            outer.own = [(Scalar(over.start, over.start, None, key, "", None), over)]
            over = outer
        return overlaid(self.root, over)

    @property
    def name(self) -> str:
        """The Application's name; as the template has it where nobody can tell."""
        keys = ("spec", "template", "metadata") if self.is_set else ("metadata",)
        return below(self.root, *keys).text("name") or ""

    @property
    def spec(self) -> Mapping:
        """The Application's spec, in a set the one that its template and patch come to."""
        keys = ("spec", "template", "spec") if self.is_set else ("spec",)
        return below(self.merged, *keys)


class SourceObject(Struct, frozen=True):
    """A Flux source: where charts or manifests come from."""

    resource: Resource
    url: str | None
    file: str


class ValuesSource(Struct, frozen=True):
    """One entry of a release's `valuesFrom`."""

    kind: str
    name: str
    key: str
    target_path: str | None
    optional: bool = False


class Release(Struct, frozen=True, kw_only=True):
    """A HelmRelease, with the place where it is written and what it says about its chart."""

    file: str
    index: int
    resource: Resource
    chart: ChartReference
    values_from: tuple[ValuesSource, ...] = ()


def objects(root: Node | None) -> Iterator[Mapping]:
    """The objects of a document: itself, or the items of a List."""
    if not isinstance(root, Mapping):
        return
    if (root.text("kind") or "").endswith("List"):
        for item in root.items("items"):
            yield from objects(item)
    else:
        yield root


def texts(mapping: Mapping, key: str) -> list[str]:
    """The non-empty texts of a key's sequence."""
    items = mapping.items(key)
    return [item.value for item in items if isinstance(item, Scalar) and not item.is_empty]


def read_release(file: str, document: Document, root: Mapping, resource: Resource) -> Release:
    """What a HelmRelease says about its chart and where its values come from."""
    spec = root.mapping("spec") or Mapping(0, None, flow=False)
    return Release(
        file=file,
        index=document.index,
        resource=resource,
        chart=ChartReference.read(spec, resource.namespace),
        values_from=tuple(
            _values_source(item) for item in spec.items("valuesFrom") if isinstance(item, Mapping)
        ),
    )


def _values_source(item: Mapping) -> ValuesSource:
    return ValuesSource(
        item.text("kind") or "",
        item.text("name") or "",
        item.text("valuesKey") or "values.yaml",
        item.text("targetPath"),
        item.text("optional") == "true",
    )
