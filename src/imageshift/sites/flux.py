"""Flux objects: HelmRelease values and post-renderers, Kustomization images and patches."""

from collections.abc import Iterator

from imageshift.data.prefix_free_charts import is_prefix_free
from imageshift.sites.context import FinderContext
from imageshift.sites.kustomization import find_entry_images, find_inline_patches
from imageshift.sites.model import Confidence, ImageSite, Resource, Role, SiteKind, scalar_part
from imageshift.sites.patches import Finder
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Document, Mapping, Scalar

__all__ = [
    "chart_name",
    "find_chart_source",
    "find_flux_kustomization_images",
    "find_release_images",
]


def chart_name(spec: Mapping) -> str | None:
    """The chart that a HelmRelease's spec names, as far as its own text tells."""
    chart = spec.mapping("chart")
    chart_spec = chart.mapping("spec") if chart is not None else None
    if chart_spec is not None:
        name = chart_spec.text("chart")
        return None if name is None else name.rstrip("/").rpartition("/")[2]
    reference = spec.mapping("chartRef")
    return None if reference is None else reference.text("name")


def find_release_images(
    document: Document, root: Mapping, resource: Resource, find: Finder, context: FinderContext
) -> Iterator[ImageSite]:
    """The images of a HelmRelease (v2, v2beta1, v2beta2): its values and its post-renderers."""
    spec = root.mapping("spec")
    if spec is None:
        return
    values = spec.mapping("values")
    if values is not None:
        prefix_free = _is_prefix_free(spec, resource, context)
        yield from find_values_images(
            ValuesContext(document, resource, prefix_free), values, ("spec", "values")
        )
    for index, renderer in enumerate(spec.items("postRenderers")):
        kustomize = renderer.mapping("kustomize") if isinstance(renderer, Mapping) else None
        if kustomize is not None:
            path = ("spec", "postRenderers", index, "kustomize")
            yield from find_entry_images(document, kustomize, resource, path)
            yield from find_inline_patches(document, kustomize, resource, find)


def _is_prefix_free(spec: Mapping, resource: Resource, context: FinderContext) -> bool:
    if resource in context.known_releases:
        return resource in context.prefix_free_releases
    name = chart_name(spec)
    return name is not None and is_prefix_free(name, None)


def find_flux_kustomization_images(
    document: Document, root: Mapping, resource: Resource, find: Finder
) -> Iterator[ImageSite]:
    """The images of a Flux Kustomization: `spec.images` and `spec.patches`."""
    spec = root.mapping("spec")
    if spec is not None:
        yield from find_entry_images(document, spec, resource, ("spec",))
        yield from find_inline_patches(document, spec, resource, find)


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
