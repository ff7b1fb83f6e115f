"""Objects of kustomize's own transformers: entries and patches written one by one (E1, 4h)."""

from collections.abc import Iterator

from imageshift.sites.kustomization import entry_site
from imageshift.sites.model import ImageSite, Path, Resource
from imageshift.sites.patches import Finder, find_patch_images
from imageshift.source import Document, Mapping

__all__ = ["PATCH_KEYS", "find_transformer_images", "is_transformer"]

PATCH_KEYS = {
    "PatchTransformer": "patch",
    "PatchJson6902Transformer": "jsonOp",
    "PatchStrategicMergeTransformer": "patches",
}
"""Where each kind of transformer that patches has a patch that isn't a file."""


def is_transformer(root: Mapping) -> bool:
    """Whether an object is one of kustomize's own transformers."""
    return root.text("apiVersion") == "builtin"


def find_transformer_images(
    document: Document, root: Mapping, resource: Resource, find: Finder, path: Path
) -> Iterator[ImageSite]:
    """The images that one of kustomize's own transformers writes."""
    entry, key = root.mapping("imageTag"), PATCH_KEYS.get(resource.kind)
    if entry is not None:
        site = entry_site(document, entry, "newName", resource, (*path, "imageTag"))
        yield from () if site is None else (site,)
    if key is not None:
        target = root.mapping("target")
        yield from find_patch_images(document, root.get(key), resource, find, (*path, key), target)
