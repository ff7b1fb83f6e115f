"""Which clusters take a file in: Flux' by the folder that a root builds, Argo CD's by their names.

A tree of Flux objects has no name for a cluster. A root stands for it, a Kustomization that no
other one builds: by the folder that it builds where that holds the root itself, as a bootstrap
makes it, else by the folder that the root is written in.
"""

from collections.abc import Iterator
from functools import cached_property

from imageshift.inventory import FluxKustomization, Index
from imageshift.inventory.objects import objects
from imageshift.inventory.readers import read_documents
from imageshift.links.argocd import argo_sources
from imageshift.links.chart_files import chart_files
from imageshift.links.reach import Reach
from imageshift.links.sources import flux_folders
from imageshift.sites.model import below
from imageshift.source import Mapping

__all__ = ["Clusters"]

_IN_CLUSTER = "in-cluster"
_OWN_SERVER = "https://kubernetes.default.svc"
_BOOTSTRAP = "flux-system"


class Clusters:
    """The clusters by file; found when asked for."""

    def __init__(self, index: Index, reach: Reach) -> None:
        self._index = index
        self._reach = reach

    def of(self, file: str) -> tuple[str, ...]:
        """The names of the clusters that take a file in, as far as the tree says so."""
        files = {file, *self._releases.get(file, ())}
        return tuple(sorted({name for each in files for name in self._direct(each)}))

    def _direct(self, file: str) -> Iterator[str]:
        yield from self._destinations.get(file, ())
        yield from (self._names[id(root)] for root in self._roots(file))

    def _roots(self, file: str) -> list[FluxKustomization]:
        """The Flux Kustomizations above a file that no other one builds; all where none is so."""
        found: dict[int, FluxKustomization] = {}
        waiting = self._reach.builders(file)
        while waiting:
            flux = waiting.pop()
            if id(flux) not in found:
                found[id(flux)] = flux
                waiting += self._reach.builders(flux.file)
        return [flux for key, flux in found.items() if key in self._alone] or [*found.values()]

    @cached_property
    def _alone(self) -> frozenset[int]:
        """What identifies the Flux Kustomizations that no other one builds."""
        above = ((flux, self._reach.builders(flux.file)) for flux in self._index.flux)
        return frozenset(id(flux) for flux, found in above if all(o is flux for o in found))

    @cached_property
    def _names(self) -> dict[int, str]:
        """By what identifies a Flux Kustomization, the cluster for which it stands."""
        return {id(flux): self._name(flux) for flux in self._index.flux}

    def _name(self, root: FluxKustomization) -> str:
        own = id(root) in self._alone and self._reach.builders(root.file)
        built = sorted(folder for folder, _ in flux_folders(self._index, root)) if own else []
        folder = built[0] if built else root.file.rpartition("/")[0]
        parts = [part for part in folder.split("/") if part != _BOOTSTRAP]
        return "/".join(parts) or root.resource.name

    @cached_property
    def _releases(self) -> dict[str, set[str]]:
        """By values file of a chart in the tree, the files of the releases that use it."""
        found: dict[str, set[str]] = {}
        releases = self._index.all_releases
        for file in {release.file for release in releases if not release.chart.is_remote}:
            for document in read_documents(self._index.workspace, file):
                for root in objects(document.root):
                    for name in chart_files(self._index, root).files:
                        found.setdefault(name, set()).add(file)
        return found

    @cached_property
    def _destinations(self) -> dict[str, set[str]]:
        """By file, where Argo CD takes what it holds."""
        found: dict[str, set[str]] = {}
        for source in argo_sources(self._index):
            name = _destination(source.spec)
            inside = () if source.folder is None else self._reach.closure(source.folder)
            for file in (source.file, *inside) if name else ():
                found.setdefault(file, set()).add(name)
        return found


def _destination(spec: Mapping) -> str:
    """The cluster that an Application's spec names; empty where only Argo CD knows it."""
    destination = below(spec, "destination")
    name = destination.text("name") or destination.text("server") or ""
    if "{{" in name:
        return ""
    return _IN_CLUSTER if name == _OWN_SERVER else name
