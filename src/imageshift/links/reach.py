"""Which files a kustomization or a Flux object builds, and which of them build a file."""

from collections.abc import Callable, Iterator
from functools import cached_property, partial

from imageshift.inventory import FluxKustomization, Index, KustomizationFile
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import generated_files, patch_files
from imageshift.links.argocd import ArgoSource, argo_sources, source_components, source_patches
from imageshift.links.model import FileBuild, Patch, reached
from imageshift.links.patches import read_patches
from imageshift.links.sources import flux_folders, gathered
from imageshift.sites.model import below
from imageshift.source import Scalar

__all__ = ["Reach"]

_KEYS = ("resources", "bases", "components")


class Reach:
    """The ways from files up to what builds them, and down again; found when asked for."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._closures: dict[str, frozenset[str]] = {}
        self._above: dict[str, frozenset[str]] = {}
        self._parts_of: dict[str, list[tuple[str, bool]]] = {}

    def builders(self, file: str) -> list[FluxKustomization]:
        """The Flux Kustomizations that build a file."""
        names = {file, *self.above(file)}
        numbers = {number for name in names for number in self._deployers.get(name, ())}
        return [self._index.flux[number] for number in sorted(numbers)]

    def above(self, name: str) -> frozenset[str]:
        """The folders whose kustomizations include a file, or a folder, at whatever depth."""
        if name not in self._above:
            users = self._users.get(name, ())
            found = reached(users, lambda folder: self._users.get(folder, ()))
            self._above[name] = frozenset(found)
        return self._above[name]

    def built_by(self, flux: FluxKustomization) -> frozenset[str]:
        """The files that a Flux Kustomization builds."""
        return frozenset().union(*(self.closure(folder) for folder in self._folders_of(flux)))

    def closure(self, folder: str) -> frozenset[str]:
        """The files that building a folder includes."""
        if folder not in self._closures:
            found: set[str] = set()
            seen, waiting = {folder}, [folder]
            while waiting:
                files, folders = self._inside(waiting.pop())
                found.update(files)
                new = [name for name in folders if name not in seen]
                seen.update(new)
                waiting += new
            self._closures[folder] = frozenset(found)
        return self._closures[folder]

    def patches(self) -> Iterator[tuple[Patch, Callable[[], frozenset[str]]]]:
        """The patches of all that builds something, each with what tells the files that it is for.

        Those are all that are built with it, without the patch's own file.
        """
        for one in self._index.kustomizations.values():
            for patch in read_patches(one.file, one.document, one.root):
                yield patch, partial(self._beside, one, patch.file)
        for flux in self._index.flux:
            # A release may stand beside the object that patches it.
            for patch in read_patches(flux.file, flux.document, flux.spec, files=False):
                yield patch, partial(self.built_by, flux)
        for source in self._sources:
            for patch in source_patches(source):
                yield patch, partial(self.closure, source.folder or "")

    def _beside(self, one: KustomizationFile, file: str) -> frozenset[str]:
        """What is built together with a kustomization's patch: for a component all beside it."""
        found = self.closure(one.folder)
        if self._is_component(one.folder):
            found = found.union(*map(self.closure, self.above(one.folder)))
            found = found.union(*map(self.built_by, self.builders(one.folder)))
        return found - {file}

    def builds_of(self, file: str) -> Iterator[FileBuild]:
        """What each build makes of a file: kustomizations, Flux and Argo CD objects over them."""
        above = self.above(file)
        for folder, found in self._index.kustomizations.items():
            if folder in above and not self._is_component(folder):
                patches = tuple(self._patches_on(folder, above))
                yield FileBuild(found.file, self.closure(folder), patches)
        for flux in self.builders(file):
            name = f"{flux.file} {flux.resource.namespace}/{flux.resource.name}"
            folders = sorted(self._folders_of(flux), key=self._is_component)
            below = [patch for folder in folders for patch in self._under(folder, above)]
            own = read_patches(flux.file, flux.document, flux.spec, files=False)
            yield FileBuild(name, self.built_by(flux), (*below, *own))
        for number, source in enumerate(self._sources):
            files = self.closure(source.folder or "")
            if file in files:
                name = f"{source.file} {source.resource.namespace}/{source.name} {number}"
                yield FileBuild(name, files, tuple(self._patches_of(source, above)))

    def _patches_of(self, source: ArgoSource, above: frozenset[str]) -> Iterator[Patch]:
        """The patches of an Argo CD source: those of its folder, of components, its own (E4)."""
        folder = source.folder or ""
        yield from self._under(folder, above)
        for name in source_components(source):
            component = join(folder, name)
            if component is not None:
                yield from self._patches_on(component, above)
        yield from source_patches(source)

    def _under(self, folder: str, above: frozenset[str]) -> list[Patch]:
        """The patches of a folder, or of those that are gathered where it has no kustomization."""
        known = folder in self._index.kustomizations
        folders = [folder] if known else self._inside(folder)[1]
        return [patch for each in folders for patch in self._patches_on(each, above)]

    def _patches_on(self, folder: str, above: frozenset[str]) -> list[Patch]:
        """The patches that building a folder applies to a file which some folders include."""
        found: list[Patch] = []
        seen: set[str] = set()
        waiting = [(folder, False)]
        while waiting:
            name, done = waiting.pop()
            one = self._index.kustomizations.get(name)
            if one is not None and done:
                found += read_patches(one.file, one.document, one.root)
            elif one is not None and name not in seen:
                seen.add(name)
                waiting.append((name, True))
                parts = self._parts(name, one)
                inner = [each for each, always in parts if always or each in above]
                waiting += ((each, False) for each in reversed(inner))
        return found

    def _parts(self, folder: str, found: KustomizationFile) -> list[tuple[str, bool]]:
        """What a kustomization names, in its order, and which of it are components."""
        if folder not in self._parts_of:
            named = ((join(folder, name), key) for key in _KEYS for name in texts(found.root, key))
            self._parts_of[folder] = [(n, key == "components") for n, key in named if n is not None]
        return self._parts_of[folder]

    def _is_component(self, folder: str) -> bool:
        found = self._index.kustomizations.get(folder)
        return found is not None and found.root.text("kind") == "Component"

    def substitutes(self, file: str) -> dict[str, str]:
        """The variables to which every Flux Kustomization that builds a file gives one value."""
        found = [_substitutes(flux) for flux in self.builders(file)]
        if not found:
            return {}
        first, *others = found
        return {
            name: value
            for name, value in first.items()
            if all(other.get(name) == value for other in others)
        }

    def is_forced(self, file: str) -> bool:
        """Whether everything that builds a file recreates objects that can't be changed."""
        found = [flux.spec.text("force") == "true" for flux in self.builders(file)]
        names = {file, *self.above(file)} if self._applications else set()
        found += [remade for folder, remade in self._applications if self._holds(folder, names)]
        return bool(found) and all(found)

    def _holds(self, folder: str, names: set[str]) -> bool:
        """Whether building a folder includes one of some files and folders."""
        return folder in names or not names.isdisjoint(self.closure(folder))

    @cached_property
    def _applications(self) -> list[tuple[str, bool]]:
        """The folders that Argo CD builds, with whether it makes their Jobs anew."""
        return [(source.folder or "", source.remakes_jobs) for source in self._sources]

    @cached_property
    def _sources(self) -> list[ArgoSource]:
        """Argo CD's sources that build a folder of the tree."""
        return [source for source in argo_sources(self._index) if source.folder is not None]

    @cached_property
    def _users(self) -> dict[str, list[str]]:
        """By file or folder, the kustomizations that name it, and the one that it is itself."""
        found: dict[str, list[str]] = {}
        for folder, kustomization in self._index.kustomizations.items():
            for name in (kustomization.file, *_named(kustomization)):
                found.setdefault(name, []).append(folder)
        return found

    @cached_property
    def _deployers(self) -> dict[str, list[int]]:
        """By file or folder, the numbers of the Flux Kustomizations that take it in themselves."""
        found: dict[str, list[int]] = {}
        for number, flux in enumerate(self._index.flux):
            for folder in self._folders_of(flux):
                known = folder in self._index.kustomizations
                names = [folder] if known else [n for part in self._inside(folder) for n in part]
                for name in names:
                    found.setdefault(name, []).append(number)
        return found

    def _folders_of(self, flux: FluxKustomization) -> set[str]:
        """The folders that it builds, and its components."""
        folders = {folder for folder, _ in flux_folders(self._index, flux)}
        named = {join(f, name) for f in folders for name in texts(flux.spec, "components")}
        return folders | {name for name in named if name in self._index.kustomizations}

    def _inside(self, folder: str) -> tuple[list[str], list[str]]:
        """The files of one build, and the folders that it builds on."""
        known = self._index.kustomizations
        found = known.get(folder)
        if found is None:
            folders, files = gathered(self._index, folder)
            return files, folders
        names = list(_named(found))
        return [found.file, *(n for n in names if n not in known)], [n for n in names if n in known]


def _named(found: KustomizationFile) -> Iterator[str]:
    for key in _KEYS:
        for name in texts(found.root, key):
            joined = join(found.folder, name)
            if joined is not None:
                yield joined
    yield from patch_files(found)
    yield from (file for _, _, file in generated_files(found))


def _substitutes(flux: FluxKustomization) -> dict[str, str]:
    pairs = below(flux.spec, "postBuild", "substitute").pairs()
    return {key.value: value.value for key, value in pairs if isinstance(value, Scalar)}
