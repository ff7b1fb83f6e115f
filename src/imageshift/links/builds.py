"""Everything that the tree builds, as one graph: kustomizations, and objects that build folders."""

from collections.abc import Iterable, Iterator
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.entry import Entry
from imageshift.inventory import FluxKustomization, Index, KustomizationFile
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import inflated_charts, inflation_files
from imageshift.lazy import lazy_re
from imageshift.links.argocd import argo_sources, source_components, source_patches
from imageshift.links.behind_charts import builds_behind_charts
from imageshift.links.disk import is_file
from imageshift.links.entries import read_entries
from imageshift.links.model import (
    Build,
    Components,
    Effect,
    Entries,
    EntrySource,
    Merge,
    Patch,
    Patches,
    reached,
)
from imageshift.links.patches import alone, patch_text, patched_lists, read_patches
from imageshift.links.reach import Reach
from imageshift.links.remote import is_remote, remote_bases
from imageshift.links.replacements import read_replacements
from imageshift.links.sources import flux_folders, gathered
from imageshift.links.transformers import image_tag, read_transformer, transformer_objects
from imageshift.sites.entries import entry_items
from imageshift.source import Document, Mapping, Sequence

__all__ = ["Builds", "Graph", "build_graph"]

_TEST = lazy_re(r"""op["']?\s*:\s*["']?test\b""")
_IMAGE = lazy_re(r"""image["']?\s*:|/image\b""")
_GENERATED = "gotk-components.yaml"
_PLUGINS = ("generators", "helmCharts", "helmChartInflationGenerator")
_RESOURCES = ("resources", "bases")
_OLD_FLUX = "before kustomize-controller 1.9.4"
_FLUX = (Merge.FLUX_FIELDS, Merge.FLUX_WHOLE)


class Graph(Struct):
    """Some builds by key, and every entry that they apply."""

    index: Index
    builds: dict[str, Build] = field(default_factory=dict)
    entries: list[EntrySource] = field(default_factory=list)
    deployed: set[str] = field(default_factory=set)

    def roots(self) -> list[Build]:
        """The builds that nobody includes, or that something in the cluster builds by itself."""
        taken = {child for build in self.builds.values() for child in build.children}
        return [
            build
            for build in self.builds.values()
            if not build.is_component and (build.key not in taken or build.key in self.deployed)
        ]

    def below(self, key: str) -> set[str]:
        """A build and all that it includes."""
        return reached([key], lambda each: self.builds.keys() & self.builds[each].children)

    def bottom_up(self) -> list[Build]:
        """The builds, each behind all that it includes; a circle is cut where it is entered."""
        found: dict[str, Build] = {}
        seen: set[str] = set()
        waiting = [(key, False) for key in reversed(self.builds)]
        while waiting:
            key, done = waiting.pop()
            if done:
                found.setdefault(key, self.builds[key])
            elif key not in seen and key in self.builds:
                seen.add(key)
                waiting.append((key, True))
                waiting += ((child, False) for child in reversed(self.builds[key].children))
        return list(found.values())


class _Steps(Struct, frozen=True):
    """What a kustomization does, step by step; `behind` are its replacements and transformers."""

    components: tuple[str, ...] = ()
    patches: tuple[Patch, ...] = ()
    own: tuple[int, ...] = ()
    behind: tuple[Effect, ...] = ()

    def effects(self, added: "_Steps | None" = None, merge: Merge = Merge.ARGO) -> list[Effect]:
        """The effects in order, those that an object adds to each step among them (E2.3, E4)."""
        more = added or _Steps()
        components = (*self.components, *more.components)
        patches = (*self.patches, *more.patches)
        made: list[Effect] = [Components(components)] if components else []
        made += [Patches(patches)] if patches else []
        made += [Entries(self.own, more.own, merge)] if self.own or more.own else []
        return [*made, *self.behind]


class _EntryList(Struct, frozen=True):
    """An `images:` list that an object has, and where it stands."""

    file: str
    document: Document
    owner: Mapping = Mapping(0, None, flow=False)
    items: Sequence | None = None


class _Object(Struct, frozen=True, kw_only=True):
    """An object that builds folders with something of its own: entries, patches, components."""

    key: str
    title: str
    file: str
    document: Document
    folders: tuple[tuple[str, bool], ...]
    entries: _EntryList | None = None
    merges: tuple[Merge, ...]
    patches: tuple[Patch, ...] = ()
    components: tuple[str, ...] = ()

    @property
    def adds(self) -> bool:
        """Whether it does more than to deploy what its folder builds."""
        return bool(self.entries or self.patches or self.components)


class Builds:
    """The builds of a tree; each kustomization is read once, when something asks for it."""

    def __init__(self, index: Index, reach: Reach | None = None) -> None:
        self.index = index
        self.reach = reach or Reach(index)
        self.entries: list[EntrySource] = []
        self._plain: dict[str, tuple[Build, _Steps]] = {}

    def of_folder(self, folder: str) -> Build:
        """The build of a folder that has a kustomization."""
        return self._known(folder)[0]

    @cached_property
    def of_objects(self) -> list[Build]:
        """The builds of Flux Kustomizations and Argo CD sources that add something to a folder."""
        return [build for each in self._objects if each.adds for build in self._builds_of(each)]

    @cached_property
    def plain_objects(self) -> list[Build]:
        """The builds of those that only deploy a folder as it is."""
        return [b for each in self._objects if not each.adds for b in self._builds_of(each)]

    @cached_property
    def of_releases(self) -> list[Build]:
        """What comes behind the charts of releases, over what isn't known of these charts."""
        return builds_behind_charts(self.index, self.reach, self.entries)

    @cached_property
    def _objects(self) -> list["_Object"]:
        return [*self._flux(), *self._argo()]

    @cached_property
    def deployed(self) -> frozenset[str]:
        """The folders that a Flux Kustomization builds."""
        index = self.index
        return frozenset(folder for flux in index.flux for folder, _ in flux_folders(index, flux))

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """By folder, the folders whose kustomizations take it in, but as a component."""
        found: dict[str, list[str]] = {}
        for folder, kustomization in self.index.kustomizations.items():
            for name in (n for key in _RESOURCES for n in texts(kustomization.root, key)):
                found.setdefault(join(folder, name) or "", []).append(folder)
        return found

    def entries_over(self, folder: str) -> list[Entry]:
        """The entries of a folder's kustomization, and of all builds that take it in."""
        found = reached([folder], lambda name: self.users.get(name, ()))
        builds = [self.of_folder(name) for name in sorted(found)]
        builds += [self.of_folder(name) for build in builds for name in build.components]
        builds += [build for build in self.of_objects if build.folder in found]
        return [self.entries[number].entry for build in builds for number in build.entries]

    def _known(self, folder: str) -> tuple[Build, _Steps]:
        if folder not in self._plain:
            self._plain[folder] = self._read(self.index.kustomizations[folder])
        return self._plain[folder]

    def _register(self, entries: _EntryList | None) -> tuple[int, ...]:
        """The numbers of a list's entries."""
        if entries is None:
            return ()
        where = (entries.file, entries.document, entries.owner)
        found = list(read_entries(*where, first=len(self.entries), items=entries.items))
        self.entries += found
        return tuple(source.number for source in found)

    def _read(self, found: KustomizationFile) -> tuple[Build, _Steps]:
        root, folder, index = found.root, found.folder, self.index
        build = Build(key=folder, file=found.file, folder=folder, document=found.document)
        build.is_component = root.text("kind") == "Component"
        build.unknown = any(root.get(key) is not None for key in _PLUGINS)
        build.inflated = tuple(dict.fromkeys(_inflated(index, found)))
        for name in (name for key in _RESOURCES for name in texts(root, key)):
            _add_resource(index, build, found, name)
        build.remote = list(remote_bases(index, found, _RESOURCES))
        components = texts(root, "components")
        steps = _Steps(
            self._components(folder, components),
            tuple(read_patches(found.file, found.document, root)),
            self._register(_EntryList(found.file, found.document, root)),
            (
                *read_replacements(index, found.file, found.document, root),
                *self._transformers(found),
            ),
        )
        build.unknown = build.unknown or len(steps.components) < len(components)
        build.effects = steps.effects()
        return build, steps

    def _components(self, folder: str, names: Iterable[str]) -> tuple[str, ...]:
        local = (join(folder, name) for name in names)
        return tuple(n for n in local if n is not None and n in self.index.kustomizations)

    def _transformers(self, found: KustomizationFile) -> Iterator[Effect]:
        for held in transformer_objects(self.index, found.file, found.document, found.root):
            file, document, _ = held
            entry = image_tag(held)
            if entry is not None:
                yield Entries(self._register(_EntryList(file, document, items=alone(entry))))
                continue
            for effect in read_transformer(held, found.root):
                yield Patches((effect,)) if isinstance(effect, Patch) else effect

    def _flux(self) -> Iterator[_Object]:
        """The Flux Kustomizations, each also with the lists that patches of others give to it."""
        lists = patched_lists(self.index)
        for flux in self.index.flux:
            own = self._flux_object(flux)
            yield own
            for found in lists:
                if found.reaches(flux):
                    start = found.document.offset(found.items.start)
                    yield replace(
                        own,
                        key=f"{own.key}:{found.file}:{start}",
                        file=found.file,
                        document=found.document,
                        entries=_EntryList(found.file, found.document, items=found.items),
                    )

    def _flux_object(self, flux: FluxKustomization) -> _Object:
        at = (flux.file, flux.document, flux.spec)
        patches = tuple(read_patches(*at, files=False))
        name = "/".join(filter(None, (flux.resource.namespace, flux.resource.name)))
        return _Object(
            key=f"flux:{flux.file}:{flux.document.offset(flux.root.start)}",
            title=f"{flux.file} (Flux Kustomization {name})",
            file=flux.file,
            document=flux.document,
            folders=tuple(flux_folders(self.index, flux)),
            entries=_EntryList(*at) if entry_items(flux.spec) else None,
            merges=_FLUX,
            patches=patches if any(_names_image(self.index, p) for p in patches) else (),
            components=tuple(texts(flux.spec, "components")),
        )

    def _argo(self) -> Iterator[_Object]:
        for number, source in enumerate(argo_sources(self.index)):
            images = source.strongest("kustomize", "images")
            if source.folder is not None or source.source.text("path") is not None:
                lists = None if images is None else (images.file, images.document, images.root)
                yield _Object(
                    key=f"argo:{source.file}:{number}",
                    title=source.title,
                    file=source.file,
                    document=source.document,
                    folders=() if source.folder is None else ((source.folder, source.certain),),
                    entries=None if lists is None else _EntryList(*lists),
                    merges=(Merge.ARGO,),
                    patches=source_patches(source),
                    components=source_components(source),
                )

    def _builds_of(self, found: _Object) -> Iterator[Build]:
        """One build for each folder, and for each way in which its entries may be merged."""
        own = self._register(found.entries)
        for folder, certain in found.folders or (("", False),):
            base, steps = self._base(folder) if found.folders else _nothing("")
            added = _Steps(self._components(folder, found.components), found.patches, own)
            for merge in self._merges(found.merges, steps.own, own):
                old = f", {_OLD_FLUX}" if merge is Merge.FLUX_WHOLE else ""
                yield Build(
                    key=f"{found.key}:{folder}:{merge}",
                    title=f"{found.title[:-1]}{old})",
                    file=found.file,
                    folder=folder,
                    document=found.document,
                    bases=list(base.bases),
                    files=list(base.files),
                    remote=list(base.remote),
                    effects=steps.effects(added, merge),
                    unknown=base.unknown or not certain,
                )

    def _merges(
        self, merges: tuple[Merge, ...], written: tuple[int, ...], added: tuple[int, ...]
    ) -> tuple[Merge, ...]:
        """The ways to merge that make a difference: entries of one name have to meet."""
        names, more = ({self.entries[n].entry.name for n in each} for each in (written, added))
        return merges if names & more else merges[:1]

    def _base(self, folder: str) -> tuple[Build, _Steps]:
        if folder in self.index.kustomizations:
            return self._known(folder)
        build, steps = _nothing(folder)
        build.bases, build.files = gathered(self.index, folder)
        return build, steps


def _nothing(folder: str) -> tuple[Build, _Steps]:
    return Build(key="", file="", folder=folder), _Steps()


def _names_image(index: Index, patch: Patch) -> bool:
    return _IMAGE.search(patch_text(index, patch)) is not None


def _inflated(index: Index, found: KustomizationFile) -> Iterator[str]:
    """The files of the tree that have values of the charts which a kustomization renders."""
    for _, chart, local in inflated_charts(found):
        own = [] if local is None else [f"{local}/values.yaml"]
        files = (found.file, *inflation_files(found.folder, chart), *own)
        yield from (file for file in files if is_file(index, file))


def _add_resource(index: Index, build: Build, found: KustomizationFile, name: str) -> None:
    local = join(found.folder, name)
    if local is not None and local in index.kustomizations:
        build.bases.append(local)
    elif local is not None and is_file(index, local):
        build.files.append(local)
    elif not is_remote(index, found, name):
        build.unknown = True


def build_graph(builds: Builds, *, rendered: bool = False, releases: Iterable[Build] = ()) -> Graph:
    """The part of a tree's builds that entries and other image rewriting reach.

    With `rendered`, remote bases count too, since their images will be known. `releases` are
    those whose post-renderers count.
    """
    index = builds.index
    graph = Graph(index, entries=builds.entries)
    graph.builds |= {build.key: build for build in releases}
    seeds = _seeds(index, rendered=rendered)
    graph.builds |= {build.key: build for build in builds.of_objects}
    wanted = [*sorted(seeds, reverse=True), *(c for b in builds.of_objects for c in b.children)]
    wanted += [b.folder for b in builds.of_objects if b.folder in index.kustomizations]
    while wanted:
        folder = wanted.pop()
        if folder not in graph.builds:
            graph.builds[folder] = builds.of_folder(folder)
            wanted += graph.builds[folder].children
    _add_users(graph, builds)
    graph.deployed |= builds.deployed & graph.builds.keys()
    return graph


def _add_users(graph: Graph, builds: Builds) -> None:
    """The builds above, which have no entries of their own: what they make shows in them too."""
    known = graph.index.kustomizations
    waiting = [key for key, build in graph.builds.items() if key == build.folder]
    while waiting:
        below = waiting.pop()
        for folder in builds.users.get(below, ()):
            if folder not in graph.builds:
                file = known[folder].file
                graph.builds[folder] = Build(key=folder, file=file, folder=folder, passive=True)
                waiting.append(folder)
            if graph.builds[folder].passive:
                graph.builds[folder].bases.append(below)


def _seeds(index: Index, *, rendered: bool) -> set[str]:
    """The folders whose own kustomization rewrites or compares images."""
    seeds = {folder for folder, found in index.kustomizations.items() if _is_seed(index, found)}
    if rendered:
        known = index.kustomizations.items()
        seeds |= {f for f, k in known if any(remote_bases(index, k, _RESOURCES))}
    users: dict[str, list[str]] = {}
    for folder, found in index.kustomizations.items():
        for component in texts(found.root, "components"):
            users.setdefault(join(folder, component) or "", []).append(folder)
    # A component works on what its users have gathered.
    return reached(seeds, lambda name: users.get(name, ()))


def _is_seed(index: Index, found: KustomizationFile) -> bool:
    root = found.root
    if entry_items(root) or any(name.endswith(_GENERATED) for name in texts(root, "resources")):
        return True
    if root.items("transformers"):
        return True
    if root.items("replacements") and "image" in found.document.source.text:
        return True
    return any(_compares(index, patch) for patch in read_patches(found.file, found.document, root))


def _compares(index: Index, patch: Patch) -> bool:
    """Whether a patch has a JSON 6902 `test` on an image."""
    text = patch_text(index, patch)
    return "image" in text and _TEST.search(text) is not None
