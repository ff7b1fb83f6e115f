"""A HelmRelease's post-renderers as a build over what its chart renders (E3.5, K11, X3)."""

from collections.abc import Iterator

from msgspec.structs import replace

from imageshift.inventory import Index, is_definition
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import read_documents
from imageshift.links.entries import read_entries
from imageshift.links.model import Build, Entries, EntrySource, Patches
from imageshift.links.patches import read_patches
from imageshift.source import Document, Mapping, Sequence

__all__ = ["read_post_renderers", "releases_with_renderers"]


def releases_with_renderers(index: Index) -> Iterator[tuple[str, Document, Mapping]]:
    """The HelmReleases of the tree that have post-renderers, with their files."""
    for file in index.renderer_files:
        for document in read_documents(index.workspace, file, _has_renderers):
            for root in objects(document.root):
                if root.text("kind") == "HelmRelease":
                    yield file, document, root


def _has_renderers(text: str) -> bool:
    return "postRenderers" in text and not is_definition(text)


def read_post_renderers(
    file: str, document: Document, root: Mapping, entries: list[EntrySource]
) -> Build | None:
    """The build that a release's post-renderers are; None when they do nothing to images.

    Its entries are added to `entries`. The images that it works on are those of the chart, which
    whoever asks has to give it.
    """
    spec = root.mapping("spec") or Mapping(0, None, flow=False)
    renderers = spec.items("postRenderers")
    build = Build(
        key=f"release:{file}:{document.offset(root.start)}",
        title=f"{file} (post-renderers)",
        file=file,
        folder="",
        document=document,
        release=root,
    )
    for renderer in renderers:
        kustomize = renderer.mapping("kustomize") if isinstance(renderer, Mapping) else None
        if kustomize is None:
            build.unknown = build.unknown or isinstance(renderer, Mapping)
            continue
        patches = tuple(read_patches(file, document, kustomize, files=False))
        build.effects += [Patches(patches)] if patches else []
        items = kustomize.get("images")
        if isinstance(items, Sequence):
            found = list(read_entries(file, document, kustomize, len(entries), items))
            if len(kustomize.own) == len(renderers) == 1:
                found = [replace(each, holder=(spec, "postRenderers")) for each in found]
            entries += found
            build.effects += [Entries(tuple(each.number for each in found))] if found else []
    return build if build.effects else None
