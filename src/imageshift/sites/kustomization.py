"""kustomization.yaml: `images:` entries, inline patches, values in Helm generators."""

from collections.abc import Iterator
from collections.abc import Mapping as MappingType

from msgspec import Struct

from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
    scalar_part,
)
from imageshift.sites.patches import Finder, find_patch_images
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.source import Document, Mapping, Scalar, Sequence

__all__ = [
    "entry_items",
    "entry_site",
    "find_entry_images",
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
        """The value alone; only an unquoted one has a place of its own."""
        whole = self.scalar
        start = whole.end if whole.style else whole.start + self.lead
        text = whole.value[self.lead :]
        return Scalar(start, whole.end, None, text, whole.style, whole.tag)


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
    copied_keys: MappingType[tuple[str, str], tuple[Role, str]],
) -> Iterator[ImageSite]:
    """The images in literals that something puts into an image elsewhere."""
    for literal in generator_literals(root):
        role, note = copied_keys.get((literal.name, literal.key), (None, ""))
        if role is not None:
            quoted = Part(role, literal.scalar, literal.path, literal.lead)
            part = quoted if literal.scalar.style else Part(role, literal.value, literal.path)
            yield ImageSite(
                kind=SiteKind.CUSTOM,
                document=document,
                path=literal.path,
                parts=(part,),
                resource=resource,
                confidence=Confidence.DOUBTFUL,
                note=note,
            )


def entry_items(owner: Mapping) -> Sequence | None:
    """The list of entries, also under `imageTags`, its first name, which kustomize still reads."""
    found = (owner.get(key) for key in ("images", "imageTags"))
    return next((items for items in found if isinstance(items, Sequence)), None)


def find_entry_images(
    document: Document, owner: Mapping, resource: Resource, path: Path
) -> Iterator[ImageSite]:
    """The `newName` of each of a list's entries.

    What a `name` matches is known to the graph of kustomizations only, so it is no site here.
    """
    items = entry_items(owner)
    for index, entry in enumerate(() if items is None else items.items):
        if isinstance(entry, Mapping):
            site = entry_site(document, entry, "newName", resource, (*path, "images", index))
            if site is not None:
                yield site


def entry_site(
    document: Document, entry: Mapping, key: str, resource: Resource, path: Path
) -> ImageSite | None:
    """The site of an entry's `newName` or `name`, with its newTag and digest."""
    keys = ((Role.REPOSITORY, key), (Role.TAG, "newTag"), (Role.DIGEST, "digest"))
    found = [scalar_part(role, entry.get(name), (*path, name)) for role, name in keys]
    parts = tuple(part for part in found if part is not None)
    if not parts or parts[0].role is not Role.REPOSITORY:
        return None
    return ImageSite(
        kind=SiteKind.KUSTOMIZE,
        document=document,
        path=parts[0].path,
        parts=parts,
        resource=resource,
        confidence=Confidence.EXACT,
    )


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
