"""From the index to the builds that matter: those with entries, and all that they take in."""

import re
from collections.abc import Iterator

from msgspec import Struct

from imageshift.entry import Entry
from imageshift.inventory import Index, KustomizationFile
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.kustomize.disk import is_file, read_text
from imageshift.kustomize.model import Build, EntrySource, EntryStep, PatchSource, RemoteBase
from imageshift.kustomize.patches import patched_lists, read_patches
from imageshift.kustomize.plugins import is_image_transformer, read_transformers
from imageshift.kustomize.remote import is_remote, remote_bases
from imageshift.kustomize.replacements import read_replacements
from imageshift.kustomize.sources import (
    application_folders,
    application_sources,
    flux_folders,
    gathered,
)
from imageshift.sites.kustomization import entry_items
from imageshift.source import Document, Mapping, Node, Scalar, Sequence

__all__ = ["Graph", "build_graph", "merge_steps", "read_entry"]

_TEST = re.compile(r"""op["']?\s*:\s*["']?test\b""")
_IMAGE = re.compile(r"""image["']?\s*:|/image\b""")
_GENERATED = "gotk-components.yaml"
_PLUGINS = ("generators", "transformers", "helmCharts", "helmChartInflationGenerator")


class Graph:
    """The builds by key, and every entry that they apply."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.builds: dict[str, Build] = {}
        self.entries: list[EntrySource] = []
        self.deployed: set[str] = set()

    def roots(self) -> list[Build]:
        """The builds that nobody takes in, or that something in the cluster builds by itself."""
        taken = {child for build in self.builds.values() for child in build.children}
        return [
            build
            for build in self.builds.values()
            if not build.is_component and (build.key not in taken or build.key in self.deployed)
        ]

    def below(self, key: str) -> set[str]:
        """A build and all that it takes in."""
        found, waiting = {key}, [key]
        while waiting:
            new = {child for child in self.builds[waiting.pop()].children if child in self.builds}
            waiting += new - found
            found |= new
        return found


def build_graph(index: Index, *, rendered: bool = False) -> Graph:
    """The part of the repository's graph that entries and other image rewriting reach.

    With `rendered`, remote bases count too, since their images will be known.
    """
    graph = Graph(index)
    seeds = _seeds(index, rendered=rendered)
    variants = list(_variants(index))
    if not seeds and not variants:
        return graph
    wanted = sorted(seeds, reverse=True)
    for variant in variants:
        _add_variant(graph, variant)
        wanted += [folder for folder, _ in variant.folders]
    while wanted:
        folder = wanted.pop()
        if folder in index.kustomizations and folder not in graph.builds:
            build = _read(graph, index.kustomizations[folder])
            graph.builds[folder] = build
            wanted += build.children
    _add_users(graph)
    for flux in index.flux:
        graph.deployed |= {folder for folder, _ in flux_folders(index, flux)} & set(graph.builds)
    return graph


def _add_users(graph: Graph) -> None:
    """The builds above, which have no entries of their own: what they make shows in them too."""
    users: dict[str, list[str]] = {}
    for folder, found in graph.index.kustomizations.items():
        for key in ("resources", "bases"):
            for name in texts(found.root, key):
                users.setdefault(join(folder, name) or "", []).append(folder)
    waiting = [key for key, build in graph.builds.items() if key == build.folder]
    while waiting:
        below = waiting.pop()
        for folder in users.get(below, ()):
            if folder not in graph.builds:
                file = graph.index.kustomizations[folder].file
                graph.builds[folder] = Build(key=folder, file=file, folder=folder, passive=True)
                waiting.append(folder)
            if graph.builds[folder].passive:
                graph.builds[folder].bases.append(below)


def _seeds(index: Index, *, rendered: bool) -> set[str]:
    """The folders whose own kustomization rewrites or compares images."""
    seeds = {folder for folder, found in index.kustomizations.items() if _is_seed(index, found)}
    if rendered:
        seeds |= {f for f, found in index.kustomizations.items() if any(_resources(index, found))}
    users: dict[str, list[str]] = {}
    for folder, found in index.kustomizations.items():
        for component in texts(found.root, "components"):
            users.setdefault(join(folder, component) or "", []).append(folder)
    # A component works on what its users have gathered.
    waiting = list(seeds)
    while waiting:
        for user in users.get(waiting.pop(), ()):
            if user not in seeds:
                seeds.add(user)
                waiting.append(user)
    return seeds


def _resources(index: Index, found: KustomizationFile) -> Iterator[RemoteBase]:
    """The remote bases that can be built by themselves."""
    return remote_bases(index, found, ("resources", "bases"))


def _is_seed(index: Index, found: KustomizationFile) -> bool:
    root = found.root
    if entry_items(root) or any(name.endswith(_GENERATED) for name in texts(root, "resources")):
        return True
    if is_image_transformer(index, found.folder, root):
        return True
    if root.items("replacements") and "image" in found.document.source.text:
        return True
    return any(_compares(index, patch) for patch in read_patches(found.file, found.document, root))


def _compares(index: Index, patch: PatchSource) -> bool:
    """Whether a patch has a JSON 6902 `test` on an image."""
    text = read_text(index, patch.file) if patch.scalar is None else patch.scalar.value
    return "image" in text and _TEST.search(text) is not None


class _Variant(Struct, frozen=True):
    """An object that builds folders with images of its own: a list, patches and components."""

    kind: str
    file: str
    document: Document
    owner: Mapping
    items: Sequence | None
    folders: tuple[tuple[str, bool], ...]

    @property
    def key(self) -> str:
        """What names its builds."""
        start = self.owner.start if self.items is None else self.items.start
        return f"{self.kind}:{self.file}:{self.document.place(start).line}"


def _variants(index: Index) -> Iterator[_Variant]:
    for flux in index.flux:
        spec = flux.spec
        patches = list(read_patches(flux.file, flux.document, spec))
        inline = [patch.scalar.value for patch in patches if patch.scalar is not None]
        if spec.items("images") or any(map(_IMAGE.search, inline)):
            items, folders = entry_items(spec), tuple(flux_folders(index, flux))
            yield _Variant("flux", flux.file, flux.document, spec, items, folders)
    for found in patched_lists(index):
        reached = [flux for flux in index.flux if found.reaches(flux)]
        folders = tuple(folder for flux in reached for folder in flux_folders(index, flux))
        nothing = Mapping(found.items.start, None, flow=False)
        yield _Variant("patch", found.file, found.document, nothing, found.items, folders)
    for file, document, root in index.applications:
        for source in application_sources(root):
            kustomize = source.mapping("kustomize")
            if kustomize is not None and kustomize.items("images"):
                items, folders = entry_items(kustomize), tuple(application_folders(index, source))
                yield _Variant("argo", file, document, kustomize, items, folders)


def _read(graph: Graph, found: KustomizationFile) -> Build:
    root, folder = found.root, found.folder
    build = Build(key=folder, file=found.file, folder=folder, document=found.document)
    build.is_component = root.text("kind") == "Component"
    build.unknown = any(root.get(key) is not None for key in _PLUGINS)
    for name in (*texts(root, "resources"), *texts(root, "bases")):
        _add_resource(graph.index, build, found, name)
    build.remote = list(_resources(graph.index, found))
    for name in texts(root, "components"):
        component = join(folder, name)
        if component in graph.index.kustomizations:
            build.components.append(component or "")
        else:
            build.unknown = True
    build.patches = list(read_patches(found.file, found.document, root))
    build.steps = [
        EntryStep(source.entry, (source.number,))
        for source in _entries(graph, found.file, found.document, root, entry_items(root))
    ]
    where = graph.index, found.file, found.document, root
    build.replacements = [*read_replacements(*where), *read_transformers(*where)]
    return build


def _add_resource(index: Index, build: Build, found: KustomizationFile, name: str) -> None:
    local = join(found.folder, name)
    if local is not None and local in index.kustomizations:
        build.bases.append(local)
    elif local is not None and is_file(index, local):
        build.files.append(local)
    elif not is_remote(index, found, name):
        build.unknown = True


def _entries(
    graph: Graph, file: str, document: Document, owner: Mapping, items: Sequence | None
) -> Iterator[EntrySource]:
    """The entries of an `images:` list, each registered under a number of its own."""
    if items is None:
        return
    holder = (owner, "images") if owner.get("images") is items else None
    for index, item in enumerate(items.items):
        entry = read_entry(item)
        if entry is not None:
            source = EntrySource(
                number=len(graph.entries),
                file=file,
                document=document,
                items=items,
                index=index,
                entry=entry,
                mapping=item if isinstance(item, Mapping) else None,
                scalar=item if isinstance(item, Scalar) else None,
                holder=holder,
            )
            graph.entries.append(source)
            yield source


def read_entry(item: Node) -> Entry | None:
    """The entry that an item of an `images:` list is; None when it is none."""
    return _mapping_entry(item) if isinstance(item, Mapping) else _argo_entry(item)


def _mapping_entry(item: Mapping) -> Entry:
    keys = ("name", "newName", "newTag", "digest", "tagSuffix")
    return Entry(*(item.text(key) or "" for key in keys))


def _argo_entry(item: Node) -> Entry | None:
    """The entry that Argo CD makes of `old=new:tag` or of `name:tag`."""
    if not isinstance(item, Scalar) or item.is_empty:
        return None
    old, equals, new = item.value.partition("=")
    name, tag, digest = _split(new if equals else old)
    return Entry(old, name, tag, digest) if equals else Entry(name, "", tag, digest)


def _split(text: str) -> tuple[str, str, str]:
    head, _, digest = text.partition("@")
    colon = head.find(":", head.rfind("/") + 1)
    return (head, "", digest) if colon < 0 else (head[:colon], head[colon + 1 :], digest)


def _add_variant(graph: Graph, variant: _Variant) -> None:
    file, document, folders = variant.file, variant.document, variant.folders
    own = list(_entries(graph, file, document, variant.owner, variant.items))
    for folder, certain in folders or (("", False),):
        key = f"{variant.key}:{folder}"
        found = graph.index.kustomizations.get(folder) if folders else None
        build = Build(key=key, file=file, folder=folder, document=document)
        if found is not None:
            plain = _read_once(graph, found)
            build.bases, build.files = list(plain.bases), list(plain.files)
            build.components, build.patches = list(plain.components), list(plain.patches)
            build.steps, build.unknown = list(plain.steps), plain.unknown
            build.replacements, build.remote = list(plain.replacements), list(plain.remote)
        elif folders:
            _gather(graph, build)
        for name in texts(variant.owner, "components"):
            component = join(folder, name)
            if component in graph.index.kustomizations:
                build.components.append(component or "")
        if variant.kind == "flux":
            patches = read_patches(file, document, variant.owner)
            build.patches += [patch for patch in patches if patch.scalar is not None]
        build.unknown = build.unknown or not certain
        build.steps = merge_steps(build.steps, own)
        graph.builds[key] = build


def _read_once(graph: Graph, found: KustomizationFile) -> Build:
    """The build of a kustomization; all that it takes in is read as well."""
    waiting = [found.folder]
    while waiting:
        folder = waiting.pop()
        if folder in graph.index.kustomizations and folder not in graph.builds:
            graph.builds[folder] = build = _read(graph, graph.index.kustomizations[folder])
            waiting += reversed(build.children)
    return graph.builds[found.folder]


def merge_steps(steps: list[EntryStep], own: list[EntrySource]) -> list[EntryStep]:
    """A list with an object's own entries in it: of one name they take the old one's place (K6)."""
    merged = list(steps)
    for source in own:
        entry = source.entry
        at = next((i for i, step in enumerate(merged) if step.entry.name == entry.name), None)
        if at is None:
            merged.append(EntryStep(entry, (source.number,)))
            continue
        old = merged[at]
        made = Entry(entry.name, entry.new_name or old.entry.new_name, entry.new_tag, entry.digest)
        merged[at] = EntryStep(made, (*old.sources, source.number))
    return merged


def _gather(graph: Graph, build: Build) -> None:
    """What Flux builds of a folder without a kustomization."""
    build.bases, build.files = gathered(graph.index, build.folder)
    for folder in build.bases:
        _read_once(graph, graph.index.kustomizations[folder])
