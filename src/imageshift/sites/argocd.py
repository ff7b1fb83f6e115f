"""Argo CD Applications and ApplicationSets."""

from collections.abc import Iterator

from imageshift.data.prefix_free_charts import is_prefix_free
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
)
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Document, Mapping, Node, Scalar, parse_embedded

__all__ = ["find_application_images"]

_PARAMETER_ROLES = {
    "registry": Role.REGISTRY,
    "repository": Role.REPOSITORY,
    "tag": Role.TAG,
    "digest": Role.DIGEST,
}


def find_application_images(
    document: Document, root: Mapping, resource: Resource
) -> Iterator[ImageSite]:
    """The images of an Application, or of an ApplicationSet's template."""
    spec = root.mapping("spec")
    path: Path = ("spec",)
    if resource.kind == "ApplicationSet" and spec is not None:
        template = spec.mapping("template")
        spec = None if template is None else template.mapping("spec")
        path = ("spec", "template", "spec")
    if spec is None:
        return
    sources: list[tuple[Path, Node | None]] = [((*path, "source"), spec.get("source"))]
    sources += [((*path, "sources", i), item) for i, item in enumerate(spec.items("sources"))]
    for at, source in sources:
        if isinstance(source, Mapping):
            yield from _source_images(document, source, resource, at)


def _source_images(
    document: Document, source: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    helm = source.mapping("helm")
    prefix_free = is_prefix_free(source.text("chart") or "", source.text("repoURL"))
    if helm is not None:
        at = (*path, "helm")
        values = helm.get("values")
        if isinstance(values, Scalar) and not values.is_empty:
            for inner in parse_embedded(document, values):
                context = ValuesContext(inner, resource, prefix_free)
                yield from find_values_images(context, inner.mapping, (*at, "values"))
        values_object = helm.mapping("valuesObject")
        if values_object is not None:
            context = ValuesContext(document, resource, prefix_free)
            yield from find_values_images(context, values_object, (*at, "valuesObject"))
        yield from _parameters(ValuesContext(document, resource, prefix_free), helm, at)
    kustomize = source.mapping("kustomize")
    for index, item in enumerate([] if kustomize is None else kustomize.items("images")):
        at = (*path, "kustomize", "images", index)
        yield from _kustomize_image(document, item, resource, at)


def _parameters(context: ValuesContext, helm: Mapping, path: Path) -> Iterator[ImageSite]:
    """Parameters named `….repository` and `….registry` are the parts of one image."""
    groups: dict[str, list[Part]] = {}
    for index, item in enumerate(helm.items("parameters")):
        value = item.get("value") if isinstance(item, Mapping) else None
        if not isinstance(item, Mapping) or not isinstance(value, Scalar) or value.is_empty:
            continue
        stem, _, last = (item.text("name") or "").rpartition(".")
        role = _PARAMETER_ROLES.get(last)
        if role is not None and stem.lower().endswith("image"):
            part = Part(role, value, (*path, "parameters", index, "value"))
            groups.setdefault(stem, []).append(part)
    for parts in groups.values():
        if any(part.role is Role.REPOSITORY for part in parts):
            ordered = tuple(sorted(parts, key=lambda part: list(Role).index(part.role)))
            site = ImageSite(
                kind=SiteKind.VALUES,
                document=context.document,
                path=ordered[0].path,
                parts=ordered,
                resource=context.resource,
                confidence=Confidence.LIKELY,
                needs_host=not context.prefix_free,
            )
            split = ordered[0].role is Role.REGISTRY
            sure = split or site.has_host or context.prefix_free
            yield (
                site
                if sure
                else site.doubtful("no registry is written, the chart may put one before it")
            )


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
