"""Which builds a site goes into, through which entries, and what each makes of its text."""

from collections import deque
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from msgspec import Struct

from imageshift.entry import Entry
from imageshift.links.builds import Builds
from imageshift.links.entries import merged_steps
from imageshift.links.model import Build, Components, Entries, Patches
from imageshift.links.texts import is_transformed
from imageshift.sites import ImageSite, Origin, SiteKind, is_kustomization
from imageshift.unwound import Task, unwound

__all__ = ["BuildTrace", "TraceStep", "Tracer"]

_MOST = 50
"""As many builds are told; a base may be under hundreds."""

_MOST_STOPS = 10_000
"""As many builds are asked on the way: a web of them has more ways than can be told."""


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


_Steps = tuple[TraceStep, ...]


class _Way(Struct, frozen=True):
    """A text that has come to a file or folder, and how; `seen` are the folders on the way."""

    name: str
    text: str
    steps: _Steps = ()
    seen: frozenset[str] = frozenset()


class Tracer:
    """The ways of sites through the builds of a tree."""

    def __init__(self, builds: Builds) -> None:
        self._builds = builds

    def trace(self, site: ImageSite, file: str) -> tuple[BuildTrace, ...]:
        """The builds that take a site in, at most 50, nearest first; none where nothing does."""
        written = site.kind is not SiteKind.KUSTOMIZE or site.origin is Origin.REMOTE_BASE
        if not written and not is_kustomization(file):
            return ()
        entries = site.kind is SiteKind.KUSTOMIZE or is_transformed(site)
        return tuple(islice(self._all(site, file, entries=entries), _MOST))

    def _all(self, site: ImageSite, file: str, *, entries: bool) -> Iterator[BuildTrace]:
        waiting = deque([_Way(file, site.text)])
        # What a kustomization says itself enters its own build: a remote base, a patch, an entry.
        if file in self._own:
            sort = Components if site.origin is Origin.REMOTE_BASE else Entries
            found, on = self._through(self._own[file], sort, waiting[0], entries=entries)
            yield from found
            waiting += on
        for _ in range(_MOST_STOPS):
            if not waiting:
                return
            way = waiting.popleft()
            for build, entrance in self._takers.get(way.name, ()):
                if build.folder not in way.seen or build.title:
                    found, on = self._through(build, entrance, way, entries=entries)
                    yield from found
                    waiting += on

    def _through(
        self, build: Build, entrance: object, way: _Way, *, entries: bool
    ) -> tuple[list[BuildTrace], list[_Way]]:
        """What a build makes of a text, and where it goes from there."""
        text, made = unwound(self._made(build, entrance, way, entries=entries))
        if build.title:
            known = self._builds.index.kustomizations.get(build.folder)
            told = known is None or any(step.file == known.file for step in made)
            passed = [] if known is None or told else [TraceStep(known.file, None, way.text)]
            return [BuildTrace(build.title, (*way.steps, *passed, *made))], []
        steps = (*way.steps, *(made or [TraceStep(build.file, None, text)]))
        on = _Way(build.folder, text, steps, way.seen | {build.folder})
        if build.folder in self._takers or build.folder in self._deployed:
            return [], [on]
        return [BuildTrace(build.file, steps)], []

    def _made(
        self, build: Build, entrance: object, way: _Way, *, entries: bool
    ) -> Task[tuple[str, list[TraceStep]]]:
        """The text after the steps of a build from where it comes in (E1)."""
        text, made = way.text, list[TraceStep]()
        for effect in build.effects:
            if isinstance(effect, Components) and entrance in (None, Components, way.name):
                text, more = yield self._components(effect, way, text, entries=entries)
                made += more
            elif isinstance(effect, Entries) and entries:
                text, more = self._entries(effect, text)
                made += more
        return text, made

    def _components(
        self, effect: Components, way: _Way, text: str, *, entries: bool
    ) -> Task[tuple[str, list[TraceStep]]]:
        """What components make of a text that was gathered before them, or by one of them."""
        made: list[TraceStep] = []
        first = effect.keys.index(way.name) + 1 if way.name in effect.keys else 0
        for key in effect.keys[first:]:
            inner = _Way(key, text, seen=way.seen | {key})
            if key not in way.seen:
                component = self._builds.of_folder(key)
                text, more = yield self._made(component, None, inner, entries=entries)
                made += more
        return text, made

    def _entries(self, effect: Entries, text: str) -> tuple[str, list[TraceStep]]:
        made: list[TraceStep] = []
        for step in merged_steps(effect, self._written):
            if step.entry.matches(text):
                text = step.entry.apply(text)
                source = self._builds.entries[step.sources[-1]]
                made.append(TraceStep(source.file, source.place.line, text))
        return text, made

    def _written(self, number: int) -> tuple[Entry, ...]:
        return (self._builds.entries[number].entry,)

    @cached_property
    def _every(self) -> list[Build]:
        builds = self._builds
        folders = [builds.of_folder(folder) for folder in builds.index.kustomizations]
        return [*folders, *builds.of_objects, *builds.plain_objects]

    @cached_property
    def _own(self) -> dict[str, Build]:
        """The build of each kustomization, by its file."""
        return {build.file: build for build in self._every if not build.title}

    @cached_property
    def _deployed(self) -> frozenset[str]:
        """The folders that an object builds, whose own build is only a part of that."""
        return frozenset(build.folder for build in self._every if build.title)

    @cached_property
    def _takers(self) -> dict[str, list[tuple[Build, object]]]:
        """By file or folder, the builds that take it in, each with the step where that happens."""
        found: dict[str, list[tuple[Build, object]]] = {}
        for build in self._every:
            ways: list[tuple[str, object]] = [(name, None) for name in (*build.bases, *build.files)]
            ways += [(name, name) for name in build.components]
            patches = (p for each in build.of(Patches) for p in each.patches if not p.is_inline)
            ways += [(patch.file, Patches) for patch in patches]
            for name, entrance in dict.fromkeys(ways):
                found.setdefault(name, []).append((build, entrance))
        return found
