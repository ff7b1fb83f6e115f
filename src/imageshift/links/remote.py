"""Bases that the tree doesn't have (fact K8)."""

from collections.abc import Iterable, Iterator

from imageshift.inventory import Index, KustomizationFile, is_ignored
from imageshift.inventory.index import join
from imageshift.lazy import lazy_re
from imageshift.links.disk import is_file, is_folder
from imageshift.links.model import RemoteBase
from imageshift.sites import (
    Confidence,
    ImageSite,
    Origin,
    Part,
    Role,
    SiteKind,
    resource_of,
)
from imageshift.source import Scalar

__all__ = [
    "is_left_out",
    "is_remote",
    "remote_bases",
    "remote_site",
]

_REMOTE = lazy_re(
    r"://|^git@|^git::|^gh:|^(?:github|gitlab|bitbucket)\.(?:com|org)[/:]|[?&]ref=|//|\.git(?:[/?]|$)"
)
_KEYS = ("resources", "bases", "components")


def is_remote(index: Index, found: KustomizationFile, name: str) -> bool:
    """Whether a resource of a kustomization is one that kustomize fetches."""
    if _REMOTE.search(name) is None:
        return False
    local = join(found.folder, name)
    return local is None or not (is_file(index, local) or is_folder(index, local))


def remote_bases(
    index: Index, found: KustomizationFile, keys: Iterable[str] = _KEYS
) -> Iterator[RemoteBase]:
    """The bases of a kustomization that kustomize fetches, in their order."""
    for key in keys:
        for number, item in enumerate(found.root.items(key)):
            if isinstance(item, Scalar) and is_remote(index, found, item.value):
                yield RemoteBase(found.file, found.document, item, (key, number))


def is_left_out(base: RemoteBase) -> bool:
    """Whether a comment at its address says that it is to be left alone."""
    return is_ignored(base.document.file.source, [base.place.line])


def remote_site(base: RemoteBase, text: str) -> ImageSite:
    """A site for an image that only a base has; its place is that of the base's address."""
    start = base.scalar.start
    scalar = Scalar(start, start, None, text, "", None)
    return ImageSite(
        kind=SiteKind.KUSTOMIZE,
        document=base.document,
        path=base.path,
        parts=(Part(Role.REFERENCE, scalar, base.path),),
        resource=resource_of(base.document.mapping),
        confidence=Confidence.EXACT,
        origin=Origin.REMOTE_BASE,
    )
