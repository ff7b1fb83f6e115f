"""Flux objects: HelmRelease values and post-renderers, Kustomization images and patches."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from imageshift.data.prefix_free_charts import is_prefix_free
from imageshift.sites.context import FinderContext
from imageshift.sites.entries import find_entry_images
from imageshift.sites.kustomization import find_inline_patches
from imageshift.sites.model import Confidence, ImageSite, Resource, Role, SiteKind, scalar_part
from imageshift.sites.patches import Finder
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Document, Mapping, Scalar

__all__ = [
    "ChartReference",
    "find_chart_source",
    "find_flux_kustomization_images",
    "find_release_images",
]

_REPOSITORIES = frozenset({"HelmRepository", "OCIRepository"})


class ChartReference(Struct, frozen=True):
    """What a HelmRelease's own text says about its chart.

    `chart` is a name or a path in the source, None for a `chartRef`; `source_kind`,
    `source_namespace` and `source_name` name the Flux object that has it.
    """

    chart: str | None
    version: str | None
    source_kind: str
    source_namespace: str
    source_name: str

    @classmethod
    def read(cls, spec: Mapping, namespace: str) -> "ChartReference":
        """The reference in a release's spec; the release's namespace is the default."""
        chart = spec.mapping("chart")
        inner = None if chart is None else chart.mapping("spec")
        source = spec.mapping("chartRef") if inner is None else inner.mapping("sourceRef")
        source = source or Mapping(0, None, flow=False)
        return cls(
            None if inner is None else inner.text("chart"),
            None if inner is None else inner.text("version"),
            source.text("kind") or "",
            source.text("namespace") or namespace,
            source.text("name") or "",
        )

    @property
    def is_remote(self) -> bool:
        """Whether the text says that the chart comes from a chart repository, never a tree."""
        return self.source_kind in _REPOSITORIES

    def is_prefix_free(self, source_url: Callable[[str, str, str], str | None]) -> bool:
        """Whether the chart is proven to put no registry before a repository."""
        url = source_url(self.source_kind, self.source_namespace, self.source_name)
        name = self.chart or url or self.source_name
        return is_prefix_free(name.rstrip("/").rpartition("/")[2], url)


def find_release_images(
    document: Document, root: Mapping, resource: Resource, find: Finder, context: FinderContext
) -> Iterator[ImageSite]:
    """The images of a HelmRelease (v2, v2beta1, v2beta2): its values and its post-renderers."""
    spec = root.mapping("spec")
    if spec is None:
        return
    values = spec.mapping("values")
    if values is not None:
        chart = ChartReference.read(spec, resource.namespace)
        prefix_free = chart.is_prefix_free(context.source_url)
        yield from find_values_images(
            ValuesContext(document, resource, prefix_free), values, ("spec", "values")
        )
    for index, renderer in enumerate(spec.items("postRenderers")):
        kustomize = renderer.mapping("kustomize") if isinstance(renderer, Mapping) else None
        if kustomize is not None:
            path = ("spec", "postRenderers", index, "kustomize")
            yield from find_entry_images(document, kustomize, resource, path)
            yield from find_inline_patches(document, kustomize, resource, find, path)


def find_flux_kustomization_images(
    document: Document, root: Mapping, resource: Resource, find: Finder
) -> Iterator[ImageSite]:
    """The images of a Flux Kustomization: `spec.images` and `spec.patches`."""
    spec = root.mapping("spec")
    if spec is not None:
        yield from find_entry_images(document, spec, resource, ("spec",))
        yield from find_inline_patches(document, spec, resource, find, ("spec",))


def find_chart_source(document: Document, root: Mapping, resource: Resource) -> Iterator[ImageSite]:
    """The `oci://` address of a chart source, which the cache can serve as it serves images."""
    spec = root.mapping("spec")
    url = None if spec is None else spec.get("url")
    if not isinstance(url, Scalar) or not url.value.startswith("oci://"):
        return
    part = scalar_part(Role.REPOSITORY, url, ("spec", "url"))
    if part is not None:
        yield ImageSite(
            kind=SiteKind.CHART,
            document=document,
            path=part.path,
            parts=(type(part)(part.role, part.scalar, part.path, lead=len("oci://")),),
            resource=resource,
            confidence=Confidence.EXACT,
        )
