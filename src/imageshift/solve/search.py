"""The search for a plan after which every build makes the same images, only mapped.

A plan is proposed, then proved by simulating all builds. Where the proof fails, the texts
involved are kept and entries rename them instead; where that fails too, nothing there changes.
"""

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.entry import Entry, spell_name, split_image
from imageshift.errors import SourceError
from imageshift.inventory import is_ignored
from imageshift.links.builds import Graph
from imageshift.links.model import EntrySource, new_name_key, place_text
from imageshift.solve.edits import added_edits, entry_edits
from imageshift.solve.leaves import Duty, Leaf, Leaves
from imageshift.solve.names import NameMaps
from imageshift.solve.propose import Stuck, propose
from imageshift.solve.simulate import Flow, Plan, Simulation, simulate

__all__ = ["Search", "Solution", "unmoved"]

_ROUNDS = 25


class Solution(Struct, frozen=True):
    """A plan that holds, with why each kept text and each frozen entry stays.

    `full` are the builds whose kustomizations have nowhere to put an entry that would be added.
    """

    plan: Plan
    simulation: Simulation
    kept: dict[int, str]
    frozen: dict[int, str]
    placeholders: dict[int, str]
    full: frozenset[str] = frozenset()


class _State(Struct):
    kept: dict[int, str] = field(default_factory=dict)
    frozen: dict[int, str] = field(default_factory=dict)
    placeholders: dict[int, str] = field(default_factory=dict)
    added: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    loose: set[int] = field(default_factory=set)
    loosened: set[int] = field(default_factory=set)
    full: set[int] = field(default_factory=set)


class Search:
    """One search over one graph."""

    def __init__(
        self, graph: Graph, leaves: Leaves, names: NameMaps, writable: Callable[[str], bool]
    ) -> None:
        self._graph = graph
        self._leaves = leaves
        self._names = names
        self._writable = writable
        self._state = _State()
        self._full: set[str] = set()

    def solution(self) -> Solution:
        """The first plan that holds; at worst the one that changes nothing."""
        state = self._state
        state.frozen = self.frozen_beforehand()
        plain = simulate(self._graph, self._leaves, Plan())
        state.placeholders = dict(self._placeholders(plain))
        # Each round keeps, adds, takes back or freezes something for good.
        for _ in range(10 + 3 * len(self._leaves.every) + 2 * len(self._graph.entries)):
            plan, simulation, stuck = self._settled()
            problems = stuck or list(self.broken(plan, simulation))
            if problems:
                self._give_way(problems, simulation)
            elif not self._add_entries(unmoved(self._graph, self._names, simulation)):
                break
        else:
            plan, simulation = Plan(), plain
            self._keep_everything()
        full = frozenset(self._full)
        return Solution(plan, simulation, state.kept, state.frozen, state.placeholders, full)

    def _keep_everything(self) -> None:
        detail = "found no change to its kustomizations that builds the same images"
        texts = dict.fromkeys(self._texts(), detail)
        entries = dict.fromkeys(range(len(self._graph.entries)), detail)
        self._state.kept = {**texts, **self._state.kept}
        self._state.frozen = {**entries, **self._state.frozen}

    def frozen_beforehand(self) -> dict[int, str]:
        """The entries that can't be touched whatever they match, and why."""
        problems = {source.number: self._entry_problem(source) for source in self._graph.entries}
        return {number: problem for number, problem in problems.items() if problem is not None}

    def _entry_problem(self, source: EntrySource) -> str | None:
        """Why an entry can't be touched, whatever it matches."""
        if not self._writable(source.file):
            return "it lies outside the paths of this run"
        if source.entry.problem is not None:
            return source.entry.problem
        first = source.document.place(source.node.start).line
        last = source.document.place(max(source.node.start, source.node.end - 1)).line
        if is_ignored(source.document.file.source, range(first, last + 1)):
            return "imageshift: ignore"
        key, name = new_name_key(source), source.entry.new_name
        moves = name and self._names.of(source.file).name(name) != name
        if moves and key is not None and self._leaves.duty(key) is not Duty.MOVE:
            return "its newName stays as it is"
        return None

    def _placeholders(self, plain: Simulation) -> Iterator[tuple[int, str]]:
        """Texts whose names no build keeps: an entry with a newName meets each of them (K10)."""
        flows: dict[int, list[Flow]] = {}
        for root in self._graph.roots():
            for flow in plain.outputs.get(root.key, ()):
                flows.setdefault(flow.leaf, []).append(flow)
        naming = {
            match.leaf: source
            for source in reversed(self._graph.entries)
            if source.entry.new_name and source.number in plain.seen
            for match in plain.seen[source.number].matched
        }
        for number, found in flows.items():
            duty, renamed = self._leaves.every[number].duty, all(flow.renamed for flow in found)
            if renamed and duty in (Duty.MOVE, Duty.ENTRY):
                source = naming[number]
                place = place_text(source.file, source.place)
                yield number, f"every build replaces its name with the newName at {place}"

    def _texts(self) -> dict[int, str]:
        state = self._state
        return {
            leaf.number: self._text(leaf)
            for leaf in self._leaves.every
            if leaf.duty is Duty.MOVE
            and leaf.number not in state.kept
            and leaf.number not in state.placeholders
        }

    def _text(self, leaf: Leaf) -> str:
        names = self._names.of(leaf.file)
        in_full = leaf.number in self._state.full
        return names.full_text(leaf.text) if in_full else names.text(leaf.text)

    def _spell_in_full(self, numbers: Iterable[int]) -> bool:
        """Has texts come out in full, so that no entry for the short name meets them (K1).

        On revert an image may get a name again that others have, too.
        """
        leaves = [self._leaves.every[n] for n in set(numbers) - self._state.full]
        told = {
            leaf.number
            for leaf in leaves
            if self._names.of(leaf.file).full_text(leaf.text) != self._text(leaf)
        }
        self._state.full |= told
        return bool(told)

    def _settled(self) -> "tuple[Plan, Simulation, list[Stuck]]":
        """The plan at which entries and what they meet agree with each other."""
        plan = Plan(self._texts(), {}, self._state.added)
        simulation = simulate(self._graph, self._leaves, plan)
        stuck: list[Stuck] = []
        flipping: set[int] = set()
        for _ in range(_ROUNDS):
            entries, stuck = self._entries(simulation)
            if entries == plan.entries:
                return plan, simulation, stuck
            flipping = {
                number
                for number in entries.keys() | plan.entries.keys()
                if entries.get(number) != plan.entries.get(number)
            }
            plan = replace(plan, entries=entries)
            simulation = simulate(self._graph, self._leaves, plan)
        met = (match.leaf for number in flipping for match in simulation.seen[number].matched)
        detail = "its entries feed each other"
        return plan, simulation, [*stuck, Stuck(detail, frozenset(met), min(flipping))]

    def _entries(self, simulation: Simulation) -> tuple[dict[int, tuple[Entry, ...]], list[Stuck]]:
        made: dict[int, tuple[Entry, ...]] = {}
        stuck: list[Stuck] = []
        # Only the entry that gives a placeholder its name has anything to rewrite.
        duties = [
            Duty.LEAVE if leaf.number in self._state.placeholders else leaf.duty
            for leaf in self._leaves.every
        ]
        for source in self._graph.entries:
            number = source.number
            if number in self._state.frozen or number not in simulation.seen:
                continue
            names, seen = self._names.of(source.file), simulation.seen[number]
            if number in self._state.loose:
                still = {each for each in seen.matched if source.entry.matches(each.after)}
                seen = replace(seen, matched=still)
            found = propose(source.entry, seen, names, duties)
            if isinstance(found, Stuck):
                place = place_text(source.file, source.place)
                detail = f"the entry at {place}: {found.detail}"
                stuck.append(Stuck(detail, found.leaves, number, caught=found.caught))
                if not found.made:
                    continue
                found = found.made
            try:
                entry_edits(source, found)
            except SourceError as error:
                # Texts that stay may need no edit that its spelling refuses.
                met = frozenset(match.leaf for match in simulation.seen[number].matched)
                place = place_text(source.file, source.place)
                detail = f"the entry at {place} can't be edited in place: {error}"
                stuck.append(Stuck(detail, met, number))
                continue
            if found != (source.entry,):
                made[number] = found
        return made, stuck

    def broken(self, plan: Plan, simulation: Simulation) -> Iterator[Stuck]:
        """Where a build would make something else than before, but for mapped names."""
        for build in self._graph.builds.values():
            names = self._names.of(build.file)
            for flow in simulation.outputs.get(build.key, ()):
                if flow.after == flow.before:
                    continue
                fixed = self._leaves.every[flow.leaf].duty is Duty.FIXED
                if fixed or not names.same_text(flow.after, names.text(flow.before)):
                    detail = self._blame(flow, simulation, build.file)
                    yield Stuck(detail, frozenset({flow.leaf}))
        yield from self._broken_cuts(simulation)
        yield from self._broken_tests(plan, simulation)

    def _blame(self, flow: Flow, simulation: Simulation, file: str) -> str:
        """Which entry would make something else of a text, and in which build."""
        touching = [
            number
            for number, seen in simulation.seen.items()
            if any(match.leaf == flow.leaf for match in seen.matched)
        ]
        touching.sort(key=lambda number: (number not in self._state.frozen, number))
        told = f"{file} would build {flow.after} instead of {flow.before}"
        if not touching:
            return told
        source = self._graph.entries[touching[0]]
        reason = self._state.frozen.get(touching[0])
        place = place_text(source.file, source.place)
        return f"with the images entry at {place}{f' ({reason})' if reason else ''} {told}"

    def _broken_cuts(self, simulation: Simulation) -> Iterator[Stuck]:
        for replacement, flows in simulation.cuts:
            place = place_text(replacement.file, replacement.place)
            for flow in flows:
                if flow.after != flow.before:
                    detail = f"{replacement.detail} ({place})"
                    yield Stuck(detail, frozenset({flow.leaf}))

    def _broken_tests(self, plan: Plan, simulation: Simulation) -> Iterator[Stuck]:
        for _, leaf, flows in simulation.tests:
            wanted = plan.texts.get(leaf.number, leaf.text)
            same = [flow for flow in flows if flow.before == leaf.text]
            detail = f"a patch tests for it at {place_text(leaf.file, leaf.place)}"
            if wanted != leaf.text and (not same or any(flow.after != wanted for flow in same)):
                yield Stuck(detail, frozenset({leaf.number}))
                continue
            for flow in same:
                if flow.after != wanted:
                    yield Stuck(detail, frozenset({flow.leaf}))

    def _movable(self, numbers: Iterable[int]) -> set[int]:
        return {
            number
            for number in numbers
            if self._leaves.every[number].duty is Duty.MOVE
            and number not in self._state.kept
            and number not in self._state.placeholders
        }

    def _give_way(self, problems: list[Stuck], simulation: Simulation) -> None:
        """Keeps the texts that the problems name; where there are none, freezes entries.

        One sort of step at a time, since what was kept may have solved the other problems.
        """
        movable = {n: p.detail for p in reversed(problems) for n in self._movable(p.leaves)}
        caught = frozenset().union(*(problem.caught for problem in problems))
        if self._spell_in_full({*movable, *self._movable(caught)}):
            return
        if movable and self._loosen(problems):
            return
        if movable:
            self._state.kept |= movable
            return
        if self._take_back(frozenset().union(*(problem.leaves for problem in problems))):
            return
        stuck = {p.entry: self._told(p) for p in reversed(problems) if p.entry is not None}
        if stuck.keys() - self._state.frozen.keys() - self._state.loose:
            # Entries below may already rename what it no longer matches: the proof decides.
            self._state.loose |= stuck.keys()
            return
        if stuck.keys() - self._state.frozen.keys():
            self._state.frozen = {**stuck, **self._state.frozen}
            return
        for problem in problems:
            for number, seen in simulation.seen.items():
                if any(match.leaf in problem.leaves for match in seen.matched):
                    self._state.frozen.setdefault(number, self._told(problem))

    def _loosen(self, problems: list[Stuck]) -> bool:
        """Leaves entries alone where then all texts may move; whether that holds.

        Entries below may already give the texts names that these no longer match.
        """
        state = self._state
        stuck = {problem.entry for problem in problems if problem.entry is not None}
        tried = stuck - state.frozen.keys() - state.loosened
        if not tried or tried <= state.loose:
            return False
        state.loosened |= tried
        before, state.loose = state.loose, state.loose | tried
        plan, simulation, left = self._settled()
        if not left and next(self.broken(plan, simulation), None) is None:
            return True
        state.loose = before
        return False

    def _take_back(self, numbers: frozenset[int]) -> bool:
        """Adds no more entries for texts that one of them did wrong; whether there was any."""
        texts = [self._leaves.every[number].text for number in numbers]
        left = {
            key: tuple(entry for entry in added if not any(map(entry.matches, texts)))
            for key, added in self._state.added.items()
        }
        if left == self._state.added:
            return False
        self._state.added = left
        self._state.refused |= numbers
        return True

    def _told(self, problem: Stuck) -> str:
        return f"{problem.detail}{self._places(problem.leaves)}"

    def _places(self, numbers: frozenset[int]) -> str:
        leaves = (self._leaves.every[number] for number in sorted(numbers))
        written = [place_text(leaf.file, leaf.place) for leaf in leaves if leaf.file]
        return f" ({', '.join(written[:3])})" if written else ""

    def _add_entries(self, left: dict[str, set[int]]) -> bool:
        """Adds entries for generated texts, by build (X7); whether any was added."""
        wanted: dict[str, dict[str, Entry]] = {}
        for key, leaves in self._leaves.own.items():
            build = self._graph.builds[key]
            if build.key != build.folder or not self._writable(build.file):
                continue
            names = self._names.of(build.file)
            for leaf in leaves:
                if leaf.generated and leaf.number in left.get(key, set()) - self._state.refused:
                    name = split_image(leaf.text)[0]
                    if names.name(name) != name:
                        made = Entry(spell_name(name), names.name(name))
                        wanted.setdefault(key, {})[name] = made
        added = [self._add(key, list(entries.values())) for key, entries in wanted.items()]
        return any(added)

    def _add(self, key: str, entries: list[Entry]) -> bool:
        old, build = self._state.added.get(key, ()), self._graph.builds[key]
        new = tuple(entry for entry in entries if entry not in old)
        if not new or build.document is None or key in self._full:
            return False
        try:
            added_edits(build.document, build.document.mapping, (*old, *new))
        except SourceError:
            self._full.add(key)
            return False
        self._state.added[key] = (*old, *new)
        return True


def unmoved(graph: Graph, names: NameMaps, simulation: Simulation) -> dict[str, set[int]]:
    """By build, the texts that it or a build above it puts into the cluster unmoved."""
    left: dict[str, set[int]] = {}
    for root in graph.roots():
        names_here = names.of(root.file)
        found = {
            flow.leaf
            for flow in simulation.outputs.get(root.key, ())
            if names_here.text(flow.after) != flow.after
        }
        for key in graph.below(root.key) if found else ():
            left.setdefault(key, set()).update(found)
    return left
