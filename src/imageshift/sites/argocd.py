"""Argo CD Applications and ApplicationSets."""

from collections.abc import Iterator

from imageshift.data.prefix_free_charts import is_prefix_free
from imageshift.sites.custom import FILLED
from imageshift.sites.kustomization import find_inline_patches
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
    below,
)
from imageshift.sites.parameters import find_parameter_images
from imageshift.sites.patches import Finder
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Document, Mapping, Node, Scalar, parse_template

__all__ = [
    "application_sources",
    "find_application_images",
    "find_override_images",
    "is_override_file",
]


def is_override_file(name: str) -> bool:
    """Whether a file of this name holds overrides of an Argo CD source beside it (E4)."""
    last = name.rpartition("/")[2]
    return last.startswith(".argocd-source") and last.endswith(".yaml")


def find_override_images(document: Document, root: Mapping, find: Finder) -> Iterator[ImageSite]:
    """The images of a file of overrides, which says the same as a source does.

    Raises:
        SourceError: a text inside it can't be followed.
    """
    yield from _source_images(document, root, Resource(), (), find)


def find_application_images(
    document: Document, root: Mapping, resource: Resource, find: Finder
) -> Iterator[ImageSite]:
    """The images of an Application, or of an ApplicationSet's template and templatePatch.

    Raises:
        SourceError: a text inside it can't be followed.
    """
    for source, path in application_sources(root):
        yield from _source_images(document, source, resource, path, find)
    patch = below(root, "spec").scalar("templatePatch") if _is_set(root) else None
    for inner in () if patch is None or patch.is_empty else parse_template(document, patch):
        for source, path in application_sources(inner.mapping):
            at = ("spec", "templatePatch", *path)
            yield from _listed(inner, _source_images(inner, source, resource, at, find))


def _is_set(root: Mapping) -> bool:
    return root.text("kind") == "ApplicationSet"


def application_sources(root: Mapping) -> Iterator[tuple[Mapping, Path]]:
    """The sources of an Application, or of what an ApplicationSet makes, with their paths."""
    keys = ("spec", "template", "spec") if _is_set(root) else ("spec",)
    spec = below(root, *keys)
    found: list[tuple[Node | None, Path]] = [(spec.get("source"), (*keys, "source"))]
    found += [(item, (*keys, "sources", i)) for i, item in enumerate(spec.items("sources"))]
    yield from ((source, path) for source, path in found if isinstance(source, Mapping))


def _source_images(
    document: Document, source: Mapping, resource: Resource, path: Path, find: Finder
) -> Iterator[ImageSite]:
    helm = source.mapping("helm")
    prefix_free = is_prefix_free(source.text("chart") or "", source.text("repoURL"))
    if helm is not None:
        at = (*path, "helm")
        values = helm.get("values")
        if isinstance(values, Scalar) and not values.is_empty:
            for inner in parse_template(document, values):
                context = ValuesContext(inner, resource, prefix_free)
                found = find_values_images(context, inner.mapping, (*at, "values"))
                yield from _listed(inner, found)
        values_object = helm.mapping("valuesObject")
        if values_object is not None:
            context = ValuesContext(document, resource, prefix_free)
            yield from find_values_images(context, values_object, (*at, "valuesObject"))
        context = ValuesContext(document, resource, prefix_free)
        yield from find_parameter_images(context, [((*at, "parameters"), helm.items("parameters"))])
    kustomize = source.mapping("kustomize")
    if kustomize is not None:
        at = (*path, "kustomize")
        for index, item in enumerate(kustomize.items("images")):
            yield from _kustomize_image(document, item, resource, (*at, "images", index))
        yield from find_inline_patches(document, kustomize, resource, find, at)


def _listed(document: Document, sites: Iterator[ImageSite]) -> Iterator[ImageSite]:
    """The sites of a document; those of a template may become anything, so they are doubtful."""
    yield from (site.doubtful(FILLED) for site in sites) if document.masked else sites


def _kustomize_image(
    document: Document, item: Node, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The new name of `old=new:tag`; without `=` the name is matched, not made."""
    if not isinstance(item, Scalar) or "=" not in item.value:
        return
    lead = item.value.index("=") + 1
    yield ImageSite(
        kind=SiteKind.KUSTOMIZE,
        document=document,
        path=path,
        parts=(Part(Role.REFERENCE, item, path, lead=lead),),
        resource=resource,
        confidence=Confidence.EXACT,
    )
