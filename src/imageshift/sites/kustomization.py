"""kustomization.yaml: `images:` entries, inline patches, values in Helm generators."""

from collections.abc import Iterator

from msgspec import Struct

from imageshift.sites.context import FinderContext
from imageshift.sites.entries import find_entry_images
from imageshift.sites.flags import is_image_env
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
)
from imageshift.sites.patches import Finder, find_patch_images
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Document, Mapping, Scalar

__all__ = [
    "find_inline_patches",
    "find_kustomization_images",
    "find_literal_images",
    "generator_literals",
    "generators",
    "is_kustomization",
]

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def is_kustomization(name: str) -> bool:
    """Whether a file of this name is what kustomize reads in a folder."""
    return name.rpartition("/")[2] in _NAMES


def find_kustomization_images(
    document: Document, root: Mapping, resource: Resource, find: Finder
) -> Iterator[ImageSite]:
    """The images that a kustomization itself names."""
    yield from find_entry_images(document, root, resource, ())
    yield from find_inline_patches(document, root, resource, find)
    for item in root.items("transformers"):
        if isinstance(item, Scalar) and "\n" in item.value:
            yield from find_patch_images(document, item, resource, find, ())
    for index, chart in enumerate(root.items("helmCharts")):
        values = chart.mapping("valuesInline") if isinstance(chart, Mapping) else None
        if values is not None:
            context = ValuesContext(document, resource)
            yield from find_values_images(context, values, ("helmCharts", index, "valuesInline"))


class Literal(Struct, frozen=True):
    """A literal of a generator, `key=value`: its text, and where its value begins in that."""

    name: str
    key: str
    scalar: Scalar
    lead: int
    path: Path

    @property
    def value(self) -> Scalar:
        """The value, without the quotes that kustomize takes off it.

        It has a place of its own only where YAML has no quotes around the literal.
        """
        whole, text = self.scalar, self.scalar.value[self.lead :]
        quotes = len(text) > 1 and text[0] in "\"'" and text[0] == text[-1]
        inside = text[quotes : len(text) - quotes]
        start = whole.end if whole.style else whole.start + self.lead + quotes
        end = whole.end if whole.style else whole.end - quotes
        return Scalar(start, end, None, inside, whole.style, whole.tag)


def generators(root: Mapping) -> Iterator[tuple[Mapping, Path]]:
    """The generators of ConfigMaps and Secrets of a kustomization, with their paths."""
    for kind in ("configMapGenerator", "secretGenerator"):
        for number, generator in enumerate(root.items(kind)):
            if isinstance(generator, Mapping):
                yield generator, (kind, number)


def generator_literals(root: Mapping) -> Iterator[Literal]:
    """The literals that a kustomization's generators put into ConfigMaps and Secrets."""
    for generator, path in generators(root):
        name = generator.text("name") or ""
        for number, item in enumerate(generator.items("literals")):
            key, equals, _ = item.value.partition("=") if isinstance(item, Scalar) else ("", "", "")
            if equals and isinstance(item, Scalar):
                yield Literal(name, key, item, len(key) + 1, (*path, "literals", number))


def find_literal_images(
    document: Document,
    root: Mapping,
    resource: Resource,
    context: FinderContext,
) -> Iterator[ImageSite]:
    """The images in literals: those that something copies, and variables known to hold one."""
    for literal in generator_literals(root):
        value = literal.value
        copied = context.copied(literal.name, literal.key, value.value)
        if copied is not None or (is_image_env(literal.key) and value.value):
            role = Role.REFERENCE if copied is None else copied.role
            quoted = Part(role, literal.scalar, literal.path, literal.lead)
            plain = Part(role, value, literal.path)
            site = ImageSite(
                kind=SiteKind.CUSTOM,
                document=document,
                path=literal.path,
                parts=(quoted if literal.scalar.style else plain,),
                resource=resource,
                confidence=Confidence.LIKELY,
            )
            yield site if copied is None else site.doubtful(copied.why)


def find_inline_patches(
    document: Document, owner: Mapping, resource: Resource, find: Finder, path: Path = ()
) -> Iterator[ImageSite]:
    """The images in patches that stand in `patches` and its older forms: texts, objects, lists."""
    for key in ("patches", "patchesJson6902", "patchesStrategicMerge"):
        for index, item in enumerate(owner.items(key)):
            at = (*path, key, index)
            if key == "patchesStrategicMerge":
                if not isinstance(item, Scalar) or "\n" in item.value:
                    yield from find_patch_images(document, item, resource, find, at)
            elif isinstance(item, Mapping):
                target = item.mapping("target")
                patch = item.get("patch")
                at = (*at, "patch")
                yield from find_patch_images(document, patch, resource, find, at, target)
