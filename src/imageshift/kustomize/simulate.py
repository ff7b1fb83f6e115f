"""What every build makes of every image text, before and after a plan: pure, in kustomize's order.

A build takes in its bases and files, then its components, each of which works on all that is
there, then its patches, its entries in their order, and its replacements.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct, field

from imageshift.entry import Entry
from imageshift.kustomize.chains import Task, unwound
from imageshift.kustomize.graph import Graph
from imageshift.kustomize.leaves import Leaves
from imageshift.kustomize.model import Build, EntryStep, Leaf, Replacement

__all__ = ["Flow", "Match", "Plan", "Seen", "Simulation", "simulate"]


class Flow(NamedTuple):
    """A text on its way: its leaf's number, what it is now, what it would be under the plan.

    `renamed` says that an entry has replaced its name on the way.
    """

    leaf: int
    before: str
    after: str
    renamed: bool = False


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

    texts: Mapping[int, str] = field(default_factory=dict)
    entries: Mapping[int, tuple[Entry, ...]] = field(default_factory=dict)
    added: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)


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
    for build in graph.builds.values():
        if not build.is_component:
            unwound(runner.output(build))
    return runner.found


class _Runner:
    def __init__(self, graph: Graph, leaves: Leaves, plan: Plan) -> None:
        self.found = Simulation()
        self._graph = graph
        self._leaves = leaves
        self._plan = plan
        self._running: set[str] = set()
        self._outside: dict[str, frozenset[str]] = {}
        self._parents: dict[str, list[str]] = {}
        for build in graph.builds.values():
            for child in build.children:
                self._parents.setdefault(child, []).append(build.key)

    def output(self, build: Build) -> Task[_Flows]:
        """The texts that a build makes, of nothing but its own."""
        if build.key in self.found.outputs:
            return self.found.outputs[build.key]
        if build.key in self._running:
            return frozenset()
        self._running.add(build.key)
        flows: _Flows = yield self._run(build, frozenset())
        self.found.outputs[build.key] = flows
        self._running.discard(build.key)
        return flows

    def _run(self, build: Build, incoming: _Flows) -> Task[_Flows]:
        flows = set(incoming)
        for key in build.bases:
            if key in self._graph.builds:
                flows |= yield self.output(self._graph.builds[key])
        flows |= {self._start(leaf) for leaf in self._leaves.own.get(build.key, ())}
        if build.unknown:
            flows |= self._from_outside(build)
        gathered = frozenset(flows)
        for key in build.components:
            component = self._graph.builds.get(key)
            if component is not None and key not in self._running:
                self._running.add(key)
                gathered = yield self._run(component, gathered)
                self._running.discard(key)
        gathered |= {self._start(leaf) for leaf in self._leaves.patched.get(build.key, ())}
        for leaf in self._leaves.tests.get(build.key, ()):
            self.found.tests.append(Test(build, leaf, gathered))
        for step in build.steps:
            gathered = frozenset(self._step(step, gathered))
        for entry in self._plan.added.get(build.key, ()):
            gathered = frozenset(flow._replace(after=entry.apply(flow.after)) for flow in gathered)
        return self._replaced(build, gathered)

    def _replaced(self, build: Build, flows: _Flows) -> _Flows:
        for replacement in build.replacements:
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

    def _start(self, leaf: Leaf) -> Flow:
        return Flow(leaf.number, leaf.text, self._plan.texts.get(leaf.number, leaf.text))

    def _from_outside(self, build: Build) -> set[Flow]:
        """A text for every name that an entry from here upward spells."""
        for key in self._upward(build.key):
            for step in self._graph.builds[key].steps:
                for number in step.sources:
                    self.found.seen.setdefault(number, Seen()).unknown = True
        return {self._start(self._leaves.outside(name)) for name in self._names(build.key)}

    def _names(self, key: str) -> frozenset[str]:
        if key not in self._outside:
            literals = (
                step.entry.literal
                for above in self._upward(key)
                for step in self._graph.builds[above].steps
            )
            self._outside[key] = frozenset(name for name in literals if name)
        return self._outside[key]

    def _upward(self, key: str) -> set[str]:
        found, waiting = {key}, [key]
        while waiting:
            for parent in self._parents.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        # A component's entries work on what its users have, so they count with them.
        for above in list(found):
            found |= {c for c in self._graph.builds[above].components if c in self._graph.builds}
        return found

    def _step(self, step: EntryStep, flows: Iterable[Flow]) -> Iterable[Flow]:
        edited = self._edited(step)
        seen = [self.found.seen.setdefault(number, Seen()) for number in step.sources]
        for flow in flows:
            matches = step.entry.matches(flow.before)
            before = step.entry.apply(flow.before)
            for each in seen:
                chosen = each.matched if matches else each.missed
                chosen.add(Match(flow.leaf, flow.before, flow.after, before))
            after = flow.after
            for entry in edited:
                after = entry.apply(after)
            renamed = flow.renamed or (matches and bool(step.entry.new_name))
            yield Flow(flow.leaf, before, after, renamed)

    def _edited(self, step: EntryStep) -> list[Entry]:
        merged: list[Entry] = []
        for number in step.sources:
            source = self._graph.entries[number]
            for entry in self._plan.entries.get(number, (source.entry,)):
                at = next((i for i, old in enumerate(merged) if old.name == entry.name), None)
                if at is None:
                    merged.append(entry)
                else:
                    name = entry.new_name or merged[at].new_name
                    merged[at] = Entry(entry.name, name, entry.new_tag, entry.digest)
        return merged
