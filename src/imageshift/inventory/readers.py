"""Reads the objects that decide over other files, all of one sort at a time."""

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress

from msgspec import Struct, field

from imageshift.errors import SourceError
from imageshift.inventory.objects import (
    Application,
    FluxKustomization,
    KustomizationFile,
    Release,
    SourceObject,
    objects,
    read_release,
    texts,
)
from imageshift.inventory.parsed import ParsedFile, read_parsed
from imageshift.lazy import lazy_re
from imageshift.repo.workspace import Workspace
from imageshift.sites import Resource, Role, resource_of
from imageshift.sites.copied import Copied
from imageshift.sites.kustomization import generators
from imageshift.sites.model import below
from imageshift.source import (
    Document,
    Mapping,
    Node,
    Scalar,
    Sequence,
)
from imageshift.words import has_any

__all__ = [
    "Objects",
    "copied_keys",
    "generated_files",
    "inflated_charts",
    "inflation_files",
    "join",
    "patch_files",
    "read_documents",
    "read_kustomizations",
    "read_objects",
    "target_keys",
    "variable_files",
    "variable_keys",
]

SOURCE_KINDS = frozenset(
    {"HelmRepository", "OCIRepository", "GitRepository", "Bucket", "HelmChart"}
    | {"ArtifactGenerator", "ExternalArtifact"}
)
DECIDING_KINDS = SOURCE_KINDS | {"Kustomization", "HelmRelease", "Application", "ApplicationSet"}
"""The kinds of the objects that decide over other files."""

_KIND = lazy_re(r"""^["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z0-9]+)""", re.MULTILINE)
_DEFINITION = lazy_re(
    r"""^["']?kind["']?[ \t]*:[ \t]*["']?CustomResourceDefinition\b""", re.MULTILINE
)


class Objects(Struct):
    """The objects of the tree that decide over other files, and the files that they stand in."""

    flux: list[FluxKustomization] = field(default_factory=list)
    sources: dict[tuple[str, str], list[SourceObject]] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    artifacts: list[tuple[str, Mapping]] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    held: list[ParsedFile] = field(default_factory=list)


def join(folder: str, path: str) -> str | None:
    """A path relative to a folder as a workspace name; None when it leaves the workspace.

    >>> join("apps/prod", "../base/")
    'apps/base'
    """
    joined = posixpath.normpath(posixpath.join(folder, path))
    if joined == ".." or joined.startswith(("../", "/")):
        return None
    return "" if joined == "." else joined


def is_definition(text: str) -> bool:
    """Whether a document defines a kind: such are long, and refer to much that they don't hold."""
    return _DEFINITION.search(text) is not None


Wanted = Callable[[str], bool]
"""What tells by a document's text whether it is worth parsing."""


def _every(_text: str) -> bool:
    return True


def read_documents(
    workspace: Workspace, file: str, wanted: Wanted = _every, *, names: Collection[bytes] = (b"",)
) -> Iterator[Document]:
    """The documents of a file whose text is `wanted`; those that can't be read are left out.

    A file in which none of the `names` stands isn't looked into.
    """
    try:
        content = workspace.read(file)
        parsed = read_parsed(file, content) if has_any(content, names) else None
    except SourceError:
        return
    yield from _documents(parsed, wanted) if parsed is not None else ()


def _documents(parsed: ParsedFile, wanted: Wanted = _every) -> Iterator[Document]:
    for chunk in parsed.chunks:
        if wanted(chunk.text):
            with suppress(SourceError):
                yield from chunk.documents()


def read_kustomizations(workspace: Workspace, files: Iterable[str]) -> dict[str, KustomizationFile]:
    """The kustomizations of the files, by folder."""
    found: dict[str, KustomizationFile] = {}
    for file in files:
        folder = file.rpartition("/")[0]
        with suppress(SourceError):
            held = read_parsed(file, workspace.read(file))
            for document in _documents(held):
                made = KustomizationFile(folder=folder, file=file, document=document, held=held)
                found.setdefault(folder, made)
    return found


def read_objects(workspace: Workspace, files: Iterable[str]) -> Objects:
    """The deciding objects of the files; documents that can't be read are left out."""
    found = Objects()
    for file in files:
        with suppress(SourceError):
            parsed = read_parsed(file, workspace.read(file))
            if _add_objects(found, file, parsed):
                found.held.append(parsed)
    return found


def _add_objects(found: Objects, file: str, parsed: ParsedFile) -> bool:
    """Adds the deciding objects of a file; whether there are any documents of such."""
    decides = False
    for document in _documents(parsed, _may_decide):
        decides = True
        for root in objects(document.root):
            _add_object(found, file, document, root)
    return decides


def _may_decide(text: str) -> bool:
    """Whether a document's kind, where it is told at the start of a line, is one that decides."""
    kind = _KIND.search(text)
    return kind is None or kind[1] in DECIDING_KINDS or kind[1].endswith("List")


def _add_object(found: Objects, file: str, document: Document, root: Mapping) -> None:
    resource = resource_of(root)
    kind = resource.kind
    if kind == "HelmRelease":
        found.releases.append(read_release(file, document, root, resource))
    elif kind == "Kustomization" and "fluxcd.io" in resource.group:
        flux = FluxKustomization(file=file, document=document, root=root, resource=resource)
        found.flux.append(flux)
    elif kind in SOURCE_KINDS:
        _add_source(found, file, root, resource)
    elif kind in {"Application", "ApplicationSet"}:
        found.applications.append(Application(file=file, document=document, root=root))


def _add_source(found: Objects, file: str, root: Mapping, resource: Resource) -> None:
    spec = root.mapping("spec") or Mapping(0, None, flow=False)
    source = SourceObject(resource, spec.text("url"), file)
    found.sources.setdefault((resource.kind, resource.name), []).append(source)
    if resource.kind == "ArtifactGenerator":
        found.artifacts.append((file, root))


def generated_files(kustomization: KustomizationFile) -> Iterator[tuple[str, str, str]]:
    """What generators make of files: the generator's name, the key, and the file."""
    for generator, _ in generators(kustomization.root):
        name = generator.text("name") or ""
        for text in texts(generator, "files"):
            key, equals, path = text.rpartition("=")
            file = join(kustomization.folder, path)
            if file is not None:
                yield name, key if equals else path.rpartition("/")[2], file


def variable_files(kustomization: KustomizationFile) -> Iterator[tuple[str, str]]:
    """The files of variables that generators take: the generator's name, and the file."""
    for generator, _ in generators(kustomization.root):
        paths = [*texts(generator, "envs"), *filter(None, [generator.text("env")])]
        found = (join(kustomization.folder, path) for path in paths)
        yield from ((generator.text("name") or "", file) for file in found if file)


CopiedKey = tuple[tuple[str, str], Copied]
"""Name and key of a ConfigMap, and what happens to its text."""

_ROLES = {
    "image": Role.REFERENCE,
    "reference": Role.REFERENCE,
    "repository": Role.REFERENCE,
    "repo": Role.REFERENCE,
    "registry": Role.REGISTRY,
}
_REPLACED = "a replacement copies it into an image, and perhaps elsewhere too"
_VARIABLE = "kustomize's variable {} puts it wherever that name appears"
_TARGET = "a release uses it as its value {}; only the chart can tell what that is"


def copied_keys(workspace: Workspace, kustomization: KustomizationFile) -> Iterator[CopiedKey]:
    """The ConfigMaps' texts that a kustomization's replacements copy whole into images."""
    for item in kustomization.root.items("replacements"):
        path = item.text("path") if isinstance(item, Mapping) else None
        file = None if path is None else join(kustomization.folder, path)
        found: list[Node] = [item]
        if file is not None:
            roots = [document.root for document in read_documents(workspace, file)]
            found = [i for r in roots for i in (r.items if isinstance(r, Sequence) else [r]) if i]
        yield from (copied for each in found if (copied := _copied(each)) is not None)


def variable_keys(kustomization: KustomizationFile) -> Iterator[CopiedKey]:
    """The ConfigMaps' texts that a kustomization's `vars` put wherever their names stand."""
    items = (item for item in kustomization.root.items("vars") if isinstance(item, Mapping))
    for item in items:
        source, taken = below(item, "objref"), below(item, "fieldref")
        path = taken.text("fieldpath") or taken.text("fieldPath") or ""
        if source.text("kind") == "ConfigMap" and path.startswith("data."):
            note = _VARIABLE.format(item.text("name"))
            copied = Copied(Role.REFERENCE, note, into_image=False)
            yield (source.text("name") or "", _data_key(path)), copied


def target_keys(release: Release) -> Iterator[CopiedKey]:
    """The texts of ConfigMaps and Secrets that a release takes as single values (`targetPath`)."""
    for source in release.values_from:
        role = _ROLES.get((source.target_path or "").rpartition(".")[2])
        if source.kind in {"ConfigMap", "Secret"} and role is not None:
            yield (source.name, source.key), Copied(role, _TARGET.format(source.target_path))


def _copied(item: Node) -> CopiedKey | None:
    source = item.mapping("source") if isinstance(item, Mapping) else None
    if source is None or source.text("kind") != "ConfigMap" or source.get("options") is not None:
        return None
    targets = item.items("targets") if isinstance(item, Mapping) else []
    paths = [
        path.value
        for target in targets
        if isinstance(target, Mapping) and target.mapping("options") is None
        for path in target.items("fieldPaths")
        if isinstance(path, Scalar)
    ]
    roles = [role for path in paths if (role := _ROLES.get(path.rpartition(".")[2])) is not None]
    key = source.text("name") or "", _data_key(source.text("fieldPath") or "")
    return (key, Copied(roles[0], _REPLACED)) if roles else None


def _data_key(path: str) -> str:
    """The key in a ConfigMap's data to which a field's path leads."""
    return path.removeprefix("data.").replace("\\.", ".")


def inflated_charts(
    kustomization: KustomizationFile,
) -> Iterator[tuple[int, Mapping, str | None]]:
    """A kustomization's `helmCharts`: number, entry, and the folder where a local chart would be.

    The folder is None where it would lie outside the workspace.
    """
    helm = kustomization.root.mapping("helmGlobals")
    home = (None if helm is None else helm.text("chartHome")) or "charts"
    for number, chart in enumerate(kustomization.root.items("helmCharts")):
        if isinstance(chart, Mapping):
            local = join(kustomization.folder, f"{home}/{chart.text('name') or ''}")
            yield number, chart, local


def inflation_files(folder: str, chart: Mapping) -> Iterator[str]:
    """The files of values of one of a kustomization's `helmCharts`, lowest first."""
    for path in (chart.text("valuesFile"), *texts(chart, "additionalValuesFiles")):
        name = None if path is None else join(folder, path)
        if name is not None:
            yield name


def patch_files(kustomization: KustomizationFile) -> Iterator[str]:
    """The files that a kustomization takes as patches."""
    root = kustomization.root
    paths = texts(root, "patchesStrategicMerge")
    for key in ("patches", "patchesJson6902"):
        items = (item.text("path") for item in root.items(key) if isinstance(item, Mapping))
        paths += [path for path in items if path is not None]
    for path in paths:
        name = None if "\n" in path else join(kustomization.folder, path)
        if name is not None:
            yield name
