"""Which folder of this repository a Flux object builds, through whatever source it names.

Facts X14 and design §5: a GitRepository that the tree doesn't have, or named flux-system, is this
repository; an ArtifactGenerator copies folders of it under other names.
"""

from collections.abc import Iterator

from imageshift.git import remotes
from imageshift.inventory import FluxKustomization, Index
from imageshift.inventory.index import join
from imageshift.links.disk import is_folder
from imageshift.source import Mapping

__all__ = [
    "application_folders",
    "flux_folders",
    "gathered",
    "is_own_repository",
    "is_own_source",
    "merged_files",
]

_OWN = "flux-system"


def flux_folders(index: Index, flux: FluxKustomization) -> Iterator[tuple[str, bool]]:
    """The folders that a Flux Kustomization may build, each with whether that is certain."""
    spec = flux.spec
    path = (spec.text("path") or "./").lstrip("/")
    reference = spec.mapping("sourceRef") or Mapping(0, None, flow=False)
    kind, name = reference.text("kind") or "GitRepository", reference.text("name") or ""
    namespace = reference.text("namespace") or flux.resource.namespace
    if kind == "ExternalArtifact":
        yield from ((folder, True) for folder in _copied(index, name, path))
        return
    folder = join("", path or ".")
    if folder is None:
        return
    own = kind == "GitRepository" and is_own_source(index, kind, namespace, name)
    if own or is_folder(index, folder):
        yield folder, own


def application_folders(index: Index, source: Mapping) -> Iterator[tuple[str, bool]]:
    """The folder that an Argo CD source with a `path` builds, and whether that is certain.

    Argo CD names its repository by URL, and nothing in the tree says that this is it.
    """
    folder = join("", (source.text("path") or "").lstrip("/") or ".")
    if source.text("path") is not None and folder is not None and is_folder(index, folder):
        yield folder, is_own_repository(index, source.text("repoURL"))


def gathered(index: Index, folder: str) -> tuple[list[str], list[str]]:
    """What Flux takes of a folder without a kustomization: folders that have one, and manifests.

    After `scan` in `kustomize/kustomize_generator.go` of github.com/fluxcd/pkg: it goes down until
    it meets a kustomization, and takes every `.yaml` and `.yml` on the way.
    """
    closed: list[str] = []
    files: list[str] = []
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if here in index.kustomizations and here != folder:
            closed.append(here)
            continue
        inside = index.folders.get(here)
        if inside is not None:
            files += (file for file in inside.files if file.endswith((".yaml", ".yml")))
            waiting += inside.folders
    return sorted(closed), sorted(files)


def _copied(index: Index, artifact: str, path: str) -> Iterator[str]:
    """The folders of this repository that an artifact has at a path."""
    for _, root in index.artifacts:
        spec = root.mapping("spec") or Mapping(0, None, flow=False)
        for item in spec.items("artifacts"):
            if isinstance(item, Mapping) and item.text("name") == artifact:
                yield from _copied_by(item, path)


def _copied_by(artifact: Mapping, path: str) -> Iterator[str]:
    wanted = join("", path or ".") or ""
    for copy in artifact.items("copy"):
        if not isinstance(copy, Mapping):
            continue
        origin = (copy.text("from") or "").partition("/")[2]
        origin = (join("", origin.removesuffix("**").removesuffix("*") or ".")) or ""
        target = _target(copy)
        if not target or wanted == target or wanted.startswith(f"{target}/"):
            rest = wanted[len(target) :].strip("/")
            folder = join(origin, rest or ".")
            if folder is not None:
                yield folder


def merged_files(artifact: Mapping) -> Iterator[list[str]]:
    """The files of this repository that an artifact merges into one, lowest first.

    `strategy: Merge` lays a file of YAML over the one that an earlier copy brought there.
    """
    copies = [copy for copy in artifact.items("copy") if isinstance(copy, Mapping)]
    targets = [_target(copy) for copy in copies if copy.text("strategy") == "Merge"]
    for target in dict.fromkeys(targets):
        folder, _, name = target.rpartition("/")
        lowest = (join(origin, name) for origin in _copied_by(artifact, folder))
        direct = (_origin(copy) for copy in copies if _target(copy) == target)
        yield [*filter(None, lowest), *filter(None, direct)]


def _target(copy: Mapping) -> str:
    return (copy.text("to") or "").removeprefix("@artifact").strip("/")


def _origin(copy: Mapping) -> str | None:
    return join("", (copy.text("from") or "").partition("/")[2] or ".")


def is_own_source(index: Index, kind: str, namespace: str, name: str) -> bool:
    """Whether a Flux source is this repository, as far as the tree tells (design, section 5)."""
    source = index.source(kind, namespace, name)
    return source is None or name == _OWN or is_own_repository(index, source.url)


def is_own_repository(index: Index, url: str | None) -> bool:
    """Whether a URL is a remote of the repository that the root is a checkout of."""
    if url is None:
        return False
    wanted = _repository(url)
    return any(_repository(remote) == wanted for remote in remotes(index.workspace.root))


def _repository(url: str) -> str:
    """Host and path of a Git URL, without scheme, user and `.git`."""
    text = url.partition("://")[2] or url.replace(":", "/", 1)
    return text.rpartition("@")[2].removesuffix("/").removesuffix(".git").lower()
