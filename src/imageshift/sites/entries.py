"""Entries of `images:` lists, wherever they stand: each newName is a site."""

from collections.abc import Iterator

from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Path,
    Resource,
    Role,
    SiteKind,
    scalar_part,
)
from imageshift.source import Document, Mapping, Sequence

__all__ = ["entry_items", "entry_site", "find_entry_images"]


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
