"""Which builds a site goes into, through which entries, and what each makes of its text."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from msgspec import Struct

from imageshift.entry import Entry
from imageshift.inventory import Index, KustomizationFile
from imageshift.inventory.index import join
from imageshift.inventory.objects import texts
from imageshift.inventory.readers import patch_files
from imageshift.kustomize.chains import Task, unwound
from imageshift.kustomize.graph import read_entry
from imageshift.kustomize.patches import patched_lists
from imageshift.kustomize.sources import (
    application_folders,
    application_sources,
    flux_folders,
    gathered,
)
from imageshift.kustomize.texts import is_transformed
from imageshift.sites import ImageSite, Origin, Resource, SiteKind, is_kustomization, resource_of
from imageshift.sites.kustomization import entry_items
from imageshift.source import Document, Mapping, Sequence

__all__ = ["BuildTrace", "TraceStep", "Tracer"]

_MOST = 50
# So many kustomizations are asked on the way; a web of them has more ways than can be told.
_MOST_STOPS = 10_000
"""As many builds are told; a base may be under hundreds."""


class TraceStep(Struct, frozen=True):
    """A file on the way and the text after it; `entry` is the line of what changed it there."""

    file: str
    entry: int | None
    text: str

    def __str__(self) -> str:
        if self.entry is None:
            return f"{self.file}: {self.text}"
        return f"{self.file}:{self.entry}: images entry makes it {self.text}"


class BuildTrace(Struct, frozen=True):
    """One build that a site goes into: its file, and the way to it from the site's own file."""

    root: str
    steps: tuple[TraceStep, ...]


class _Listed(Struct, frozen=True):
    """An entry with the line that it stands on."""

    file: str
    line: int
    entry: Entry


class _Builder(Struct, frozen=True):
    """An object in the cluster that builds a folder its own way."""

    title: str
    entries: tuple[_Listed, ...]
    components: tuple[str, ...]


_Steps = tuple[TraceStep, ...]


class Tracer:
    """The ways of sites through the builds of one index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._users: dict[str, list[tuple[KustomizationFile, str]]] = {}
        for found in index.kustomizations.values():
            for key, name in _taken(found):
                self._users.setdefault(name, []).append((found, key))
        self._builders: dict[str, list[_Builder]] = {}
        for folder, builder in (*_flux_builders(index), *_argo_builders(index)):
            self._builders.setdefault(folder, []).append(builder)
        self._gathering: dict[str, list[_Builder]] = {}
        for folder, builders in self._builders.items():
            if folder not in index.kustomizations:
                for names in gathered(index, folder):
                    for name in names:
                        self._gathering.setdefault(name, []).extend(builders)

    def trace(self, site: ImageSite, file: str) -> tuple[BuildTrace, ...]:
        """The builds that take a site in, at most 50, nearest first; none where nothing does."""
        own = self._index.kustomizations.get(file.rpartition("/")[0])
        written = site.kind is not SiteKind.KUSTOMIZE or site.origin is Origin.REMOTE_BASE
        if not written and not is_kustomization(file):
            return ()
        walk = _Walk(self._index, self._users, self._builders, self._gathering)
        walk.transformed = site.kind is SiteKind.KUSTOMIZE or is_transformed(site)
        first = walk.users_of(file, site.text, ())
        if own is not None and own.file == file:
            base = site.origin is Origin.REMOTE_BASE
            first.append(_Stop(own, site.text, (), "resources" if base else "patches"))
        found = chain(walk.gathered_ways(file, site.text, ()), walk.ways(first))
        return tuple(islice(found, _MOST))


class _Stop(Struct, frozen=True):
    """A kustomization on the way of a text, which enters it as one of its parts."""

    found: KustomizationFile
    text: str
    steps: _Steps
    entrance: str
    seen: frozenset[str] = frozenset()


class _Walk(Struct):
    index: Index
    users: dict[str, list[tuple[KustomizationFile, str]]]
    builders: dict[str, list[_Builder]]
    gathering: dict[str, list[_Builder]]
    transformed: bool = True

    def ways(self, first: list[_Stop]) -> Iterator[BuildTrace]:
        """The ways from the stops through all that takes them in, nearest first."""
        waiting = first[::-1]
        for _ in range(_MOST_STOPS):
            if not waiting:
                return
            stop = waiting.pop()
            plain, on, built = self._pass(stop)
            folder, seen = stop.found.folder, stop.seen | {stop.found.folder}
            yield from built
            yield from self.gathered_ways(folder, plain, on)
            waiting += reversed(self.users_of(folder, plain, on, seen))

    def gathered_ways(self, name: str, text: str, steps: _Steps) -> Iterator[BuildTrace]:
        """The ways through what builds the folder around a name, without a kustomization."""
        for builder in self.gathering.get(name, ()):
            yield self._built(builder, [], text, steps)

    def users_of(
        self, name: str, text: str, steps: _Steps, seen: frozenset[str] = frozenset()
    ) -> list[_Stop]:
        """The kustomizations that take in a file or folder."""
        return [
            _Stop(user, text, steps, f"components/{name}" if key == "components" else key, seen)
            for user, key in self.users.get(name, ())
            if user.folder not in seen
        ]

    def _pass(self, stop: _Stop) -> tuple[str, _Steps, list[BuildTrace]]:
        """What a kustomization makes of a text, with the steps, and the ways that end there."""
        found = stop.found
        text, more = self._components(_components_after(found, stop.entrance), stop.text)
        steps = (*stop.steps, *more)
        own = list(_listed(found.file, found.document, entry_items(found.root)))
        plain, made = self._applied(own, text)
        on = (*steps, *(made or [TraceStep(found.file, None, text)]))
        builders = self.builders.get(found.folder, [])
        way = steps if made else on
        built = [self._built(builder, own, text, way) for builder in builders]
        if not (builders or found.folder in self.users or found.folder in self.gathering):
            built.append(BuildTrace(found.file, on))
        return plain, on, built

    def _built(self, builder: _Builder, own: list[_Listed], text: str, steps: _Steps) -> BuildTrace:
        text, more = self._components(builder.components, text)
        text, made = self._applied(_merged(own, builder.entries), text)
        return BuildTrace(builder.title, (*steps, *more, *made))

    def _components(self, folders: Iterable[str], text: str) -> tuple[str, list[TraceStep]]:
        """What components make of a text that was gathered before them (fact K7)."""
        return unwound(self._through_components(folders, text, set()))

    def _through_components(
        self, folders: Iterable[str], text: str, above: set[str]
    ) -> Task[tuple[str, list[TraceStep]]]:
        steps: list[TraceStep] = []
        for folder in folders:
            found = self.index.kustomizations.get(folder)
            if found is not None and folder not in above:
                inner = [join(folder, name) or "" for name in texts(found.root, "components")]
                above.add(folder)
                text, more = yield self._through_components(inner, text, above)
                above.discard(folder)
                own = _listed(found.file, found.document, entry_items(found.root))
                text, made = self._applied(own, text)
                steps += [*more, *made]
        return text, steps

    def _applied(self, entries: Iterable[_Listed], text: str) -> tuple[str, list[TraceStep]]:
        steps: list[TraceStep] = []
        for listed in entries if self.transformed else ():
            if listed.entry.matches(text):
                text = listed.entry.apply(text)
                steps.append(TraceStep(listed.file, listed.line, text))
        return text, steps


def _taken(found: KustomizationFile) -> Iterator[tuple[str, str]]:
    """The files and folders that a kustomization takes in, each with the key that says so."""
    for key in ("resources", "bases", "components"):
        for name in texts(found.root, key):
            if (local := join(found.folder, name)) is not None:
                yield key, local
    yield from (("patches", name) for name in patch_files(found))


def _components_after(found: KustomizationFile, entrance: str) -> list[str]:
    """The components that still work on a text which came in as some part of a kustomization."""
    folders = [join(found.folder, name) or "" for name in texts(found.root, "components")]
    if entrance == "patches":
        return []
    name = entrance.partition("components/")[2]
    return folders[folders.index(name) + 1 :] if name in folders else folders


def _listed(file: str, document: Document, items: Sequence | None) -> Iterator[_Listed]:
    for item in () if items is None else items.items:
        entry = read_entry(item)
        if entry is not None:
            yield _Listed(file, document.place(item.start).line, entry)


def _merged(own: list[_Listed], more: Iterable[_Listed]) -> list[_Listed]:
    """A list with an object's entries in it: of one name they take the old one's place (K6)."""
    merged = list(own)
    for listed in more:
        names = [each.entry.name for each in merged]
        if listed.entry.name in names:
            merged[names.index(listed.entry.name)] = listed
        else:
            merged.append(listed)
    return merged


def _flux_builders(index: Index) -> Iterator[tuple[str, _Builder]]:
    lists = list(patched_lists(index))
    for flux in index.flux:
        entries = [
            *_listed(flux.file, flux.document, entry_items(flux.spec)),
            *(
                listed
                for found in lists
                if found.reaches(flux)
                for listed in _listed(found.file, found.document, found.items)
            ),
        ]
        title = f"{flux.file} (Flux Kustomization {_name(flux.resource)})"
        for folder, _ in flux_folders(index, flux):
            names = texts(flux.spec, "components")
            components = tuple(filter(None, (join(folder, name) for name in names)))
            yield folder, _Builder(title, tuple(entries), components)


def _argo_builders(index: Index) -> Iterator[tuple[str, _Builder]]:
    for file, document, root in index.applications:
        title = f"{file} (Argo CD {root.text('kind')} {_name(resource_of(root))})"
        for source in application_sources(root):
            kustomize = source.mapping("kustomize") or Mapping(0, None, flow=False)
            entries = tuple(_listed(file, document, entry_items(kustomize)))
            for folder, _ in application_folders(index, source):
                yield folder, _Builder(title, entries, ())


def _name(resource: Resource) -> str:
    return "/".join(filter(None, (resource.namespace, resource.name)))
