"""Which files a kustomization or a Flux object builds, through everything that it takes in."""

from collections.abc import Iterator

from imageshift.inventory import FluxKustomization, Index, KustomizationFile
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import generated_files, patch_files
from imageshift.kustomize.chains import Task, unwound
from imageshift.kustomize.sources import flux_folders, gathered
from imageshift.source import Mapping, Scalar

__all__ = ["Reach"]


class Reach:
    """The files under each folder that is built, computed once and when asked for."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._closures: dict[str, frozenset[str]] = {}
        self._builders: dict[str, list[FluxKustomization]] | None = None

    def builders(self, file: str) -> list[FluxKustomization]:
        """The Flux Kustomizations that build a file."""
        if self._builders is None:
            self._builders = {}
            for flux in self._index.flux:
                for built in self.built_by(flux):
                    self._builders.setdefault(built, []).append(flux)
        return self._builders.get(file, [])

    def built_by(self, flux: FluxKustomization) -> frozenset[str]:
        """The files that a Flux Kustomization builds."""
        folders = flux_folders(self._index, flux)
        return frozenset().union(*(self.closure(folder) for folder, _ in folders))

    def closure(self, folder: str) -> frozenset[str]:
        """The files that building a folder takes in."""
        return unwound(self._closure(folder))

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
        """Whether everything that builds a file makes objects anew that can't be changed."""
        found = self.builders(file)
        return bool(found) and all(flux.spec.text("force") == "true" for flux in found)

    def _closure(self, folder: str) -> Task[frozenset[str]]:
        if folder not in self._closures:
            self._closures[folder] = frozenset()
            folders, files = self._parts(folder)
            found = set(files)
            for name in folders:
                found |= yield self._closure(name)
            self._closures[folder] = frozenset(found)
        return self._closures[folder]

    def _parts(self, folder: str) -> tuple[list[str], list[str]]:
        """The folders that building a folder builds as well, and the files that it takes."""
        found = self._index.kustomizations.get(folder)
        if found is None:
            return gathered(self._index, folder)
        named = list(_named(found))
        folders = [name for name in named if name in self._index.kustomizations]
        return folders, [found.file, *(n for n in named if n not in self._index.kustomizations)]


def _named(found: KustomizationFile) -> Iterator[str]:
    for key in ("resources", "bases", "components"):
        for name in texts(found.root, key):
            joined = join(found.folder, name)
            if joined is not None:
                yield joined
    yield from patch_files(found)
    yield from (file for _, _, file in generated_files(found))


def _substitutes(flux: FluxKustomization) -> dict[str, str]:
    build = flux.spec.mapping("postBuild")
    values = None if build is None else build.mapping("substitute")
    pairs = (values or Mapping(0, None, flow=False)).pairs()
    return {key.value: value.value for key, value in pairs if isinstance(value, Scalar)}
