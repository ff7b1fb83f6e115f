"""The first pass: what each file decides over others, so that the second can read them right."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pathspec import GitIgnoreSpec

from imageshift.data.image_field import ImageField
from imageshift.data.prefix_free_charts import is_prefix_free
from imageshift.errors import SourceError
from imageshift.inventory.objects import (
    FluxKustomization,
    KustomizationFile,
    Release,
    SourceObject,
    read_release,
    texts,
)
from imageshift.sites import FileRole, FinderContext, Resource, is_kustomization, resource_of
from imageshift.sites.argocd import is_helmfile
from imageshift.source import Document, Mapping, SourceText, split_documents
from imageshift.workspace import Workspace

__all__ = ["Index", "build_index", "join"]

_WORDS = re.compile(rb"kustomiz|fluxcd|argoproj|releases:|Kustomization")
_KIND = re.compile(r"""^[ \t{]*["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z0-9]+)""", re.MULTILINE)
_SOURCES = frozenset(
    {"HelmRepository", "OCIRepository", "GitRepository", "Bucket", "HelmChart"}
    | {"ArtifactGenerator", "ExternalArtifact"}
)
_DECIDING = _SOURCES | {"HelmRelease", "Kustomization", "Application", "ApplicationSet"}


@dataclass(slots=True)
class Index:
    """What is known about the whole workspace before any image is looked at."""

    workspace: Workspace
    files: tuple[str, ...] = ()
    rows: tuple[ImageField, ...] = ()
    chart_sources: bool = False
    templates: bool = False
    rewrite_jobs: bool = False
    values_patterns: tuple[str, ...] = ()
    named_only: bool = False
    kustomizations: dict[str, KustomizationFile] = field(default_factory=dict)
    flux: list[FluxKustomization] = field(default_factory=list)
    sources: dict[tuple[str, str], list[SourceObject]] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    artifacts: list[tuple[str, Mapping]] = field(default_factory=list)
    applications: list[tuple[str, Document, Mapping]] = field(default_factory=list)
    charts: set[str] = field(default_factory=set)
    values_files: dict[str, bool] = field(default_factory=dict)
    patch_files: set[str] = field(default_factory=set)
    _base: FinderContext | None = None

    def source_of(self, release: Release) -> SourceObject | None:
        """The Flux source that a release's chart comes from, when the tree has it."""
        return self.source(release.source_kind, release.source_namespace, release.source_name)

    def source(self, kind: str, namespace: str, name: str) -> SourceObject | None:
        """A source by its name; one in the same namespace is preferred."""
        found = self.sources.get((kind, name), [])
        same = [source for source in found if source.resource.namespace == namespace]
        return next(iter(same or found), None)

    def context(self, file: str) -> FinderContext:
        """What the finders are told about a file."""
        base = self._base_context()
        role = self._role(file)
        if role is FileRole.OBJECTS:
            return base
        return FinderContext(
            role=role,
            prefix_free=self.values_files.get(file, False),
            values_maps=base.values_maps,
            rows=self.rows,
        )

    def _role(self, file: str) -> FileRole:
        if file in self.values_files:
            return FileRole.VALUES
        if is_kustomization(file):
            return FileRole.KUSTOMIZATION
        if file in self.patch_files:
            return FileRole.PATCH
        folder, _, name = file.rpartition("/")
        if folder in self.charts and re.fullmatch(r"values.*\.ya?ml", name):
            return FileRole.VALUES
        if not self.templates and "templates" in folder.split("/") and self._is_template(folder):
            return FileRole.TEMPLATE
        return FileRole.OBJECTS

    def _is_template(self, folder: str) -> bool:
        parts = folder.split("/")
        charts = ("/".join(parts[:i]) for i, part in enumerate(parts) if part == "templates")
        return any(chart in self.charts for chart in charts)

    def _base_context(self) -> FinderContext:
        if self._base is None:
            known = [release for release in self.releases if self.source_of(release)]
            maps: dict[str, dict[str, bool]] = {}
            for release in self.releases:
                for source in release.values_from:
                    if source.kind == "ConfigMap" and source.target_path is None:
                        free = self.is_prefix_free(release)
                        maps.setdefault(source.name, {})[source.key] = free
            self._base = FinderContext(
                known_releases=frozenset(release.resource for release in known),
                prefix_free_releases=frozenset(
                    release.resource for release in known if self.is_prefix_free(release)
                ),
                values_maps=maps,
                rows=self.rows,
                chart_sources=self.chart_sources,
            )
        return self._base

    def is_prefix_free(self, release: Release) -> bool:
        """Whether a release's chart is proven to put no registry before a repository."""
        source = self.source_of(release)
        url = None if source is None else source.url
        if release.chart is not None:
            return is_prefix_free(release.chart.rstrip("/").rpartition("/")[2], url)
        name = release.source_name if url is None else url.rstrip("/").rpartition("/")[2]
        return is_prefix_free(name, url)


def build_index(workspace: Workspace, files: Iterable[str], index: Index | None = None) -> Index:
    """The index of the files; those that can't be read are left to the second pass to report."""
    index = index or Index(workspace)
    index.files = tuple(files)
    index.charts = {f.rpartition("/")[0] for f in index.files if f.endswith("Chart.yaml")}
    for file in index.files:
        try:
            content = workspace.read(file)
            if is_kustomization(file) or _WORDS.search(content):
                _read_file(index, file, SourceText.decode(content))
        except SourceError:
            continue
    spec = GitIgnoreSpec.from_lines(index.values_patterns)
    index.values_files |= dict.fromkeys(spec.match_files(index.files), False)
    for kustomization in list(index.kustomizations.values()):
        _read_generators(index, kustomization)
        _read_patches(index, kustomization)
    return index


def join(folder: str, path: str) -> str | None:
    """A path relative to a folder as a workspace name; None when it leaves the workspace.

    >>> join("apps/prod", "../base/")
    'apps/base'
    """
    joined = posixpath.normpath(posixpath.join(folder, path))
    if joined == ".." or joined.startswith(("../", "/")):
        return None
    return "" if joined == "." else joined


def _read_file(index: Index, file: str, source: SourceText) -> None:
    named = is_kustomization(file)
    for chunk in split_documents(source):
        found = _KIND.search(chunk.text)
        wanted = found is not None and found[1] in _DECIDING
        if not (named or wanted or (found is None and "releases:" in chunk.text)):
            continue
        try:
            documents = chunk.documents()
        except SourceError:
            continue
        for document in documents:
            if named:
                _add_kustomization(index, file, document)
            else:
                _read_object(index, file, document, document.mapping)


def _add_kustomization(index: Index, file: str, document: Document) -> None:
    folder = file.rpartition("/")[0]
    found = KustomizationFile(folder=folder, file=file, document=document)
    index.kustomizations.setdefault(folder, found)


def _read_object(index: Index, file: str, document: Document, root: Mapping) -> None:
    resource = resource_of(root)
    kind = resource.kind
    if kind.endswith("List"):
        for item in root.items("items"):
            if isinstance(item, Mapping):
                _read_object(index, file, document, item)
    elif kind == "HelmRelease":
        index.releases.append(read_release(file, document, root, resource))
    elif kind == "Kustomization" and "fluxcd.io" in resource.group:
        index.flux.append(_flux(file, document, root, resource))
    elif kind in _SOURCES:
        _add_source(index, file, root, resource)
    elif kind.startswith("Application"):
        index.applications.append((file, document, root))
    elif not kind and is_helmfile(root):
        _read_helmfile(index, file, root)


def _add_source(index: Index, file: str, root: Mapping, resource: Resource) -> None:
    spec = root.mapping("spec") or Mapping(0, None, flow=False)
    source = SourceObject(resource, spec.text("url"), file)
    index.sources.setdefault((resource.kind, resource.name), []).append(source)
    if resource.kind == "ArtifactGenerator":
        index.artifacts.append((file, root))


def _flux(file: str, document: Document, root: Mapping, resource: Resource) -> FluxKustomization:
    spec = root.mapping("spec") or Mapping(0, None, flow=False)
    path = spec.text("path")
    folder = None if path is None else join("", path.lstrip("/") or ".")
    return FluxKustomization(
        file=file, document=document, root=root, resource=resource, folder=folder
    )


def _read_helmfile(index: Index, file: str, root: Mapping) -> None:
    folder = file.rpartition("/")[0]
    for release in root.items("releases"):
        if isinstance(release, Mapping):
            chart = (release.text("chart") or "").rpartition("/")[2]
            for path in texts(release, "values"):
                name = join(folder, path)
                if name is not None:
                    index.values_files[name] = is_prefix_free(chart, None)


def _read_generators(index: Index, kustomization: KustomizationFile) -> None:
    """Files that a generator puts into a ConfigMap from which a release takes its values."""
    wanted = {
        (source.name, source.key): index.is_prefix_free(release)
        for release in index.releases
        for source in release.values_from
        if source.target_path is None
    }
    for name, key, file in _generated_files(kustomization):
        if (name, key) in wanted:
            index.values_files[file] = wanted[name, key]
    for chart in kustomization.root.items("helmCharts"):
        path = chart.text("valuesFile") if isinstance(chart, Mapping) else None
        joined = None if path is None else join(kustomization.folder, path)
        if joined is not None and isinstance(chart, Mapping):
            index.values_files[joined] = is_prefix_free(
                chart.text("name") or "", chart.text("repo")
            )


def _generated_files(kustomization: KustomizationFile) -> Iterator[tuple[str, str, str]]:
    for kind in ("configMapGenerator", "secretGenerator"):
        for generator in kustomization.root.items(kind):
            if not isinstance(generator, Mapping):
                continue
            for text in texts(generator, "files"):
                key, equals, path = text.rpartition("=")
                file = join(kustomization.folder, path)
                if file is not None:
                    key = key if equals else path.rpartition("/")[2]
                    yield generator.text("name") or "", key, file


def _read_patches(index: Index, kustomization: KustomizationFile) -> None:
    root = kustomization.root
    paths = texts(root, "patchesStrategicMerge")
    for key in ("patches", "patchesJson6902"):
        items = (item.text("path") for item in root.items(key) if isinstance(item, Mapping))
        paths += [path for path in items if path is not None]
    for path in paths:
        name = None if "\n" in path else join(kustomization.folder, path)
        if name is not None:
            index.patch_files.add(name)
