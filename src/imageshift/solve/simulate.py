"""What every build makes of every image text, before and after a plan: pure, in kustomize's order.

A build includes its bases and files; then its effects work on all that is there, in their order.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingType
from typing import NamedTuple

from msgspec import Struct, field

from imageshift.entry import Entry, is_newly_matched
from imageshift.links.builds import Graph
from imageshift.links.entries import EntryStep, merged_steps
from imageshift.links.model import (
    Build,
    Components,
    Effect,
    Entries,
    EntrySource,
    Replacement,
    reached,
)
from imageshift.solve.leaves import Leaf, Leaves
from imageshift.unwound import Task, unwound

__all__ = ["Flow", "Match", "Plan", "Seen", "Simulation", "simulate"]


class Flow(NamedTuple):
    """A text on its way: its leaf's number, what it is now, what it would be under the plan.

    `renamed` says that an entry has replaced its name on the way; `passed` that it is on its way
    through an older kustomize, in which no entry matches it (K1, K5).
    """

    leaf: int
    before: str
    after: str
    renamed: bool = False
    passed: bool = False


class Match(NamedTuple):
    """A text that an entry meets, and what the build makes of it there."""

    leaf: int
    before: str
    after: str
    result: str


class Seen(Struct):
    """What one entry meets in all builds: the texts that it matches, and all others."""

    matched: set[Match] = field(default_factory=set)
    missed: set[Match] = field(default_factory=set)
    unknown: bool = False


class Plan(Struct, frozen=True):
    """New texts of leaves, what stands in place of each entry, and entries to add to builds."""

    texts: MappingType[int, str] = field(default_factory=dict)
    entries: MappingType[int, tuple[Entry, ...]] = field(default_factory=dict)
    added: MappingType[str, tuple[Entry, ...]] = field(default_factory=dict)


class Test(NamedTuple):
    """A JSON 6902 `test`, and the texts that it may compare with."""

    build: Build
    leaf: Leaf
    flows: frozenset[Flow]


class Cut(NamedTuple):
    """A replacement that takes references apart, and the texts that it may touch."""

    replacement: Replacement
    flows: frozenset[Flow]


_Flows = frozenset[Flow]


class Simulation(Struct):
    """The texts that come out of each build, and what each entry, test and replacement meets."""

    outputs: dict[str, _Flows] = field(default_factory=dict)
    seen: dict[int, Seen] = field(default_factory=dict)
    tests: list[Test] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)


def simulate(graph: Graph, leaves: Leaves, plan: Plan) -> Simulation:
    """Every build of the graph under a plan."""
    runner = _Runner(graph, leaves, plan)
    runner.run()
    return runner.found


class _Runner:
    def __init__(self, graph: Graph, leaves: Leaves, plan: Plan) -> None:
        self.found = Simulation()
        self._graph = graph
        self._leaves = leaves
        self._plan = plan
        self._running: set[str] = set()
        self._outside: dict[str, frozenset[str]] = {}
        self._lists: dict[Entries, _EntryRun] = {}
        self._parents: dict[str, list[str]] = {}
        for build in graph.builds.values():
            for child in build.children:
                self._parents.setdefault(child, []).append(build.key)

    def run(self) -> None:
        """Runs all builds but components, which have nothing of their own to work on."""
        for build in self._graph.bottom_up():
            if not build.is_component:
                self.found.outputs[build.key] = unwound(self._run(build, frozenset()))

    def _run(self, build: Build, incoming: _Flows) -> Task[_Flows]:
        flows = set(incoming)
        for key in build.bases:
            flows |= self.found.outputs.get(key, frozenset())
        for leaf in self._leaves.own.get(build.key, ()):
            starts = self._starts(leaf)
            flows |= starts
            if leaf.file in build.late_files:
                # The cluster may still have the chart as it was (E3.2).
                flows |= {start._replace(after=start.before) for start in starts}
        if build.unknown:
            flows |= self._from_outside(build)
        gathered, added = frozenset(flows), self._plan.added.get(build.key, ())
        place = _place_for_entries(build) if added else -1
        for number, effect in enumerate(build.effects):
            if number == place:
                gathered = _with_entries(gathered, added)
            if isinstance(effect, Components):
                gathered = yield self._components(effect, gathered)
            else:
                gathered = self._apply(build, number, effect, gathered)
        return _with_entries(gathered, added) if place == len(build.effects) else gathered

    def _apply(self, build: Build, number: int, effect: Effect, flows: _Flows) -> _Flows:
        if isinstance(effect, Entries):
            return self._entries(effect, flows)
        if isinstance(effect, Replacement):
            return self._replaced(build, effect, flows)
        patched = self._leaves.patched.get(build.key, ())
        flows = flows.union(*(self._starts(leaf) for at, leaf in patched if at == number))
        for at, leaf in self._leaves.tests.get(build.key, ()):
            if at == number:
                self.found.tests.append(Test(build, leaf, flows))
        return flows

    def _components(self, effect: Components, flows: _Flows) -> Task[_Flows]:
        for key in effect.keys:
            component = self._graph.builds.get(key)
            if component is not None and key not in self._running:
                self._running.add(key)
                flows = yield self._run(component, flows)
                self._running.discard(key)
        return flows

    def _replaced(self, build: Build, replacement: Replacement, flows: _Flows) -> _Flows:
        if replacement.foreign:
            flows |= self._from_outside(build)
        if replacement.cuts:
            chosen = frozenset(flow for flow in flows if self._is_selected(replacement, flow))
            self.found.cuts.append(Cut(replacement, chosen or flows))
        return flows

    def _is_selected(self, replacement: Replacement, flow: Flow) -> bool:
        leaf = self._leaves.every[flow.leaf]
        return (
            not leaf.kind
            or not replacement.selects
            or any(
                kind in {"", leaf.kind} and (name in {"", leaf.name} or leaf.name in name)
                for kind, name in replacement.selects
            )
        )

    def _starts(self, leaf: Leaf) -> set[Flow]:
        """The text on its way; twice where versions of kustomize differ over it (K1, K5)."""
        start = self._start(leaf)
        differ = leaf.newer or is_newly_matched(leaf.text)
        return {start, start._replace(passed=True)} if differ else {start}

    def _start(self, leaf: Leaf) -> Flow:
        return Flow(leaf.number, leaf.text, self._plan.texts.get(leaf.number, leaf.text))

    def _from_outside(self, build: Build) -> set[Flow]:
        """A text for every name that an entry from here upward spells."""
        for key in self._upward(build.key):
            for number in self._graph.builds[key].entries:
                self.found.seen.setdefault(number, Seen()).unknown = True
        return {self._start(self._leaves.outside(name)) for name in self._names(build.key)}

    def _names(self, key: str) -> frozenset[str]:
        if key not in self._outside:
            literals = (
                self._graph.entries[number].entry.literal
                for above in self._upward(key)
                for number in self._graph.builds[above].entries
            )
            self._outside[key] = frozenset(name for name in literals if name)
        return self._outside[key]

    def _upward(self, key: str) -> set[str]:
        found = reached([key], lambda each: self._parents.get(each, ()))
        # A component's entries work on what its users have, so they count with them.
        for above in list(found):
            found |= {c for c in self._graph.builds[above].components if c in self._graph.builds}
        return found

    def _entries(self, effect: Entries, flows: _Flows) -> _Flows:
        if effect not in self._lists:
            self._lists[effect] = _EntryRun.of(effect, self._graph.entries, self._plan)
        run = self._lists[effect]
        seen = {n: self.found.seen.setdefault(n, Seen()) for n in effect.numbers}
        return frozenset(flow if flow.passed else run.flow(flow, seen) for flow in flows)


def _place_for_entries(build: Build) -> int:
    """The number of the effect before which entries work that are added to a build's list."""
    for number, effect in enumerate(build.effects):
        if isinstance(effect, Entries):
            return number + 1
        if isinstance(effect, Replacement):
            return number
    return len(build.effects)


def _with_entries(flows: _Flows, entries: Iterable[Entry]) -> _Flows:
    for entry in entries:
        flows = frozenset(
            flow if flow.passed else flow._replace(after=entry.apply(flow.after)) for flow in flows
        )
    return flows


class _EntryRun(Struct, frozen=True):
    """A list of entries as it is, and as it will be.

    `pairs` are the steps as they are, each with what stands in its place then; `exact` are all
    those of then in their real order, where that is another one.
    """

    pairs: tuple[tuple[EntryStep, tuple[Entry, ...]], ...]
    exact: tuple[Entry, ...] | None

    @classmethod
    def of(cls, effect: Entries, entries: Sequence[EntrySource], plan: Plan) -> "_EntryRun":
        """The list of a build, now and under a plan."""
        now = merged_steps(effect, lambda n: (entries[n].entry,))
        then = merged_steps(effect, lambda n: plan.entries.get(n, (entries[n].entry,)))
        places = {number: at for at, step in reversed([*enumerate(now)]) for number in step.sources}
        at = [min((places.get(n, 0) for n in step.sources), default=0) for step in then]
        pairs = [
            (step, tuple(other.entry for other, to in zip(then, at, strict=True) if to == number))
            for number, step in enumerate(now)
        ]
        exact = None if at == sorted(at) else tuple(step.entry for step in then)
        return cls(tuple(pairs), exact)

    def flow(self, flow: Flow, seen: MappingType[int, Seen]) -> Flow:
        """A text behind the list; what its entries met goes into `seen`."""
        before, after, renamed = flow.before, flow.after, flow.renamed
        for step, edited in self.pairs:
            matches, result = step.entry.matches(before), step.entry.apply(before)
            for number in step.sources:
                chosen = seen[number].matched if matches else seen[number].missed
                chosen.add(Match(flow.leaf, before, after, result))
            for entry in edited:
                after = entry.apply(after)
            renamed = renamed or (matches and bool(step.entry.new_name))
            before = result
        if self.exact is not None:
            after = flow.after
            for entry in self.exact:
                after = entry.apply(after)
        return Flow(flow.leaf, before, after, renamed)
