"""Argo CD's sources, as Argo CD reads them (E4): with the files of overrides beside them.

`.argocd-source.yaml` and `.argocd-source-<application>.yaml` in a source's folder are merged over
the source that names the folder, maps key by key, all else replaced. Image Updater writes them.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from imageshift.inventory import Index
from imageshift.inventory.index import join
from imageshift.inventory.objects import Application, texts
from imageshift.inventory.readers import read_documents
from imageshift.links.model import Patch
from imageshift.links.patches import read_patches
from imageshift.links.sources import application_folders
from imageshift.sites import Resource, resource_of
from imageshift.sites.argocd import application_sources
from imageshift.sites.model import Path
from imageshift.sites.sync_options import application_options, remakes_jobs
from imageshift.source import Document, Mapping

__all__ = ["ArgoSource", "Owner", "argo_sources", "source_components", "source_patches"]


class Owner(Struct, frozen=True):
    """A mapping that says something of a source, and the file that it stands in."""

    file: str
    document: Document
    root: Mapping


class ArgoSource(Struct, frozen=True, kw_only=True):
    """One source of an Application or ApplicationSet; `folder` is None where the tree has none.

    `root` is the object, `path` leads to the source in it, `spec` is the Application's spec.
    `owners` are the source as the Application has it and the files of overrides, the strongest
    last; `certain` says that the folder is surely this repository's.
    """

    file: str
    document: Document
    resource: Resource
    name: str
    root: Mapping
    source: Mapping
    path: Path
    spec: Mapping
    folder: str | None = None
    certain: bool = False
    owners: tuple[Owner, ...] = ()

    @property
    def title(self) -> str:
        """The object, as reports name it."""
        name = "/".join(filter(None, (self.resource.namespace, self.resource.name)))
        return f"{self.file} (Argo CD {self.resource.kind} {name})"

    @property
    def remakes_jobs(self) -> bool:
        """Whether Argo CD deletes and creates the Jobs of its objects that have changed."""
        return remakes_jobs(application_options(self.spec))

    def strongest(self, key: str, inner: str) -> Owner | None:
        """What says `inner` below `key` in the end: the strongest owner's mapping that has it."""
        for owner in reversed(self.owners):
            found = owner.root.mapping(key)
            if found is not None and found.get(inner) is not None:
                return Owner(owner.file, owner.document, found)
        return None


def argo_sources(index: Index) -> Iterator[ArgoSource]:
    """The sources of every Application and ApplicationSet of the tree."""
    for found in index.applications:
        file, document, root = found.file, found.document, found.root
        resource, spec = resource_of(root), found.spec
        for source, path, owners in _sources(found):
            folders: list[tuple[str | None, bool]] = [*application_folders(index, source)]
            for folder, certain in folders or [(None, False)]:
                over = () if folder is None else tuple(_overrides(index, folder, found))
                yield ArgoSource(
                    file=file,
                    document=document,
                    resource=resource,
                    name=found.name,
                    root=root,
                    source=source,
                    path=path,
                    spec=spec,
                    folder=folder,
                    certain=certain,
                    owners=(*owners, *over),
                )


def source_patches(source: ArgoSource) -> tuple[Patch, ...]:
    """The patches that a source adds; their files are named from the folder that it builds."""
    owner = source.strongest("kustomize", "patches")
    if owner is None:
        return ()
    found = read_patches(f"{source.folder or ''}/kustomization.yaml", owner.document, owner.root)
    return tuple(replace(p, file=owner.file) if p.is_inline else p for p in found)


def source_components(source: ArgoSource) -> tuple[str, ...]:
    """The components that a source adds, as it names them: from the folder that it builds."""
    owner = source.strongest("kustomize", "components")
    return () if owner is None else tuple(texts(owner.root, "components"))


def _sources(found: Application) -> Iterator[tuple[Mapping, Path, tuple[Owner, ...]]]:
    """The sources of an Application, each with the mappings that are laid over one another.

    A templatePatch is laid over the template key by key, and replaces lists.
    """
    own = {path: source for source, path in application_sources(found.root)}
    patched: dict[str | int, Mapping] = {}
    if found.patch is not None:
        patched = {path[-1]: source for source, path in application_sources(found.patch.mapping)}
    for source, path in application_sources(found.merged):
        over = patched.get(path[-1])
        owners = [Owner(found.file, found.document, own[path])] if path in own else []
        if over is not None and found.patch is not None:
            owners = owners if path[-1] == "source" else []
            owners.append(Owner(found.file, found.patch, over))
        yield source, path, tuple(owners)


def _overrides(index: Index, folder: str, found: Application) -> Iterator[Owner]:
    """The files of overrides in a folder that hold for an Application, the weakest first."""
    name, space = found.name, resource_of(found.root).namespace
    files = [".argocd-source.yaml", f".argocd-source-{name}.yaml"]
    files += [f".argocd-source-{space}_{name}.yaml"] if space else []
    for each in files:
        file = join(folder, each)
        if file is not None and file in index.argocd_files:
            for document in read_documents(index.workspace, file):
                yield Owner(file, document, document.mapping)
