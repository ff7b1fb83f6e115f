"""Reverting patches in a release's post-renderers, which no finder reads as images."""

from collections.abc import Iterator

from imageshift.cache import Mapped
from imageshift.errors import InvalidReferenceError, SourceError
from imageshift.reference import name_length
from imageshift.rewrite import Change, Mapper
from imageshift.sites import Confidence, ImageSite, Part, Resource, Role, SiteKind
from imageshift.source import Document, Mapping, Scalar, Sequence, parse_embedded

__all__ = ["patches_back"]


def patches_back(
    document: Document, spec: Mapping | None, resource: Resource, mapper: Mapper
) -> Iterator[Change]:
    """The changes of JSON 6902 replacements whose whole value is a reference that goes back."""
    renderers = [] if spec is None else spec.items("postRenderers")
    for number, renderer in enumerate(renderers):
        kustomize = renderer.mapping("kustomize") if isinstance(renderer, Mapping) else None
        for index, item in enumerate([] if kustomize is None else kustomize.items("patches")):
            patch = item.scalar("patch") if isinstance(item, Mapping) else None
            if patch is not None:
                path = ("spec", "postRenderers", number, "kustomize", "patches", index, "patch")
                for inner, value in _values(document, patch):
                    site = ImageSite(
                        kind=SiteKind.PATCH,
                        document=inner,
                        path=path,
                        parts=(Part(Role.REFERENCE, value, path),),
                        resource=resource,
                        confidence=Confidence.RENDERED,
                    )
                    yield from _change(site, value, mapper)


def _values(document: Document, patch: Scalar) -> Iterator[tuple[Document, Scalar]]:
    try:
        documents = parse_embedded(document, patch)
    except SourceError:
        return
    for inner in documents:
        operations = inner.root.items if isinstance(inner.root, Sequence) else []
        for each in operations:
            value = each.scalar("value") if isinstance(each, Mapping) else None
            if isinstance(each, Mapping) and each.text("op") == "replace" and value is not None:
                yield inner, value


def _change(site: ImageSite, value: Scalar, mapper: Mapper) -> Iterator[Change]:
    try:
        before = mapper.parse(value.value)
        outcome = mapper.map(before)
        if isinstance(outcome, Mapped):
            new = mapper.whole_name(outcome.target)
            edit = site.document.replace(value, value.value[: name_length(value.value)], new)
            yield Change(site, before, outcome.target, outcome.rule, (edit,))
    except (InvalidReferenceError, SourceError):
        return
