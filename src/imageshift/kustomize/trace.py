"""Which builds a site goes into, through which entries, and what each makes of its text."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from imageshift.inventory import FluxKustomization, Index, KustomizationFile
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import patch_files
from imageshift.kustomize.graph import read_entry
from imageshift.kustomize.sources import flux_folders
from imageshift.kustomize.texts import is_transformed
from imageshift.sites import ImageSite, Origin, SiteKind
from imageshift.sites.kustomization import entry_items
from imageshift.source import Document, Mapping

__all__ = ["BuildTrace", "TraceStep", "trace"]

_MOST = 50
"""As many builds are told; a base may be under hundreds."""


@dataclass(frozen=True, slots=True)
class TraceStep:
    """A file on the way and the text after it; `entry` is the line of what changed it there."""

    file: str
    entry: int | None
    text: str

    def __str__(self) -> str:
        if self.entry is None:
            return f"{self.file}: {self.text}"
        return f"{self.file}:{self.entry}: images entry makes it {self.text}"


@dataclass(frozen=True, slots=True)
class BuildTrace:
    """One build that a site goes into: its file, and the way to it from the site's own file."""

    root: str
    steps: tuple[TraceStep, ...]


def trace(index: Index, site: ImageSite, file: str) -> tuple[BuildTrace, ...]:
    """The builds that take a site in, at most 50, nearest first; none where nothing builds it."""
    remote = site.origin is Origin.REMOTE_BASE
    if site.kind is SiteKind.KUSTOMIZE and not remote:
        return ()
    walk = _Walk(index, remote or is_transformed(site))
    return tuple(islice(walk.traces(file, site.text), _MOST))


class _Walk:
    def __init__(self, index: Index, transformed: bool) -> None:  # noqa: FBT001 private
        self._index = index
        self._transformed = transformed
        self._users: dict[str, list[KustomizationFile]] = {}
        for found in index.kustomizations.values():
            for name in _taken(found):
                self._users.setdefault(name, []).append(found)

    def traces(self, file: str, text: str) -> Iterator[BuildTrace]:
        for found in self._users.get(file, ()):
            yield from self._upward(found, text, (), frozenset())
        own = self._index.kustomizations.get(file.rpartition("/")[0])
        if own is not None and own.file == file:
            yield from self._upward(own, text, (), frozenset())

    def _upward(
        self,
        found: KustomizationFile,
        text: str,
        steps: tuple[TraceStep, ...],
        seen: frozenset[str],
    ) -> Iterator[BuildTrace]:
        if found.folder in seen:
            return
        own, text = self._apply(found.file, found.document, found.root, text)
        steps = (*steps, *own)
        users = self._users.get(found.folder, [])
        builders = [
            flux
            for flux in self._index.flux
            if any(folder == found.folder for folder, _ in flux_folders(self._index, flux))
        ]
        for flux in builders:
            yield self._flux(flux, text, steps)
        for user in users:
            yield from self._upward(user, text, steps, seen | {found.folder})
        if not users and not builders:
            yield BuildTrace(found.file, steps)

    def _flux(self, flux: FluxKustomization, text: str, steps: tuple[TraceStep, ...]) -> BuildTrace:
        own, _ = self._apply(flux.file, flux.document, flux.spec, text)
        name = "/".join(filter(None, (flux.resource.namespace, flux.resource.name)))
        return BuildTrace(f"{flux.file} (Flux Kustomization {name})", (*steps, *own))

    def _apply(
        self, file: str, document: Document, owner: Mapping, text: str
    ) -> tuple[list[TraceStep], str]:
        steps: list[TraceStep] = []
        items = entry_items(owner) if self._transformed else None
        for item in () if items is None else items.items:
            entry = read_entry(item)
            if entry is not None and entry.matches(text):
                text = entry.apply(text)
                steps.append(TraceStep(file, document.place(item.start).line, text))
        return steps or [TraceStep(file, None, text)], text


def _taken(found: KustomizationFile) -> Iterator[str]:
    """The files and folders that a kustomization takes in."""
    for key in ("resources", "bases", "components"):
        for name in texts(found.root, key):
            if (local := join(found.folder, name)) is not None:
                yield local
    yield from patch_files(found)
