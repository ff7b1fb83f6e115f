"""Reverting kustomizations: first as the lists themselves tell, proved as any plan is.

Where a build would come out otherwise, it is solved as on the way forward, and so is all that
hangs together with it.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from msgspec.structs import replace

from imageshift.links.builds import Graph
from imageshift.links.model import EntrySource
from imageshift.rewrite import Contested
from imageshift.solve.leaves import Duty, Leaf, Leaves
from imageshift.solve.names import NameMaps
from imageshift.solve.search import Search, Solution
from imageshift.solve.simulate import Plan, Simulation, simulate
from imageshift.solve.undo import undone

__all__ = ["solve_backward"]

_Member = tuple[str, int | str]
"""A build, a leaf or an entry, by its key or number."""


def solve_backward(graph: Graph, leaves: Leaves, names: NameMaps, search: Search) -> Solution:
    """A plan that holds; `search` finds one for builds in which nothing can be taken back."""
    frozen = search.frozen_beforehand()
    plan = _plan(graph, leaves, names, frozen, _naming(graph, leaves, names))
    simulation = simulate(graph, leaves, plan)
    wrong = {leaf for problem in search.broken(plan, simulation) for leaf in problem.leaves}
    wrong -= set(_split_for(graph, leaves, names, plan))
    if not wrong:
        return Solution(plan, simulation, {}, frozen, {})
    found = _Hanging(graph, leaves).spread(_builds_with(wrong, simulation))
    return _joined(graph, leaves, Solution(plan, simulation, {}, frozen, {}), found, search)


def _naming(graph: Graph, leaves: Leaves, names: NameMaps) -> set[int]:
    """The entries that had a newName before the migration, for all that the tree tells.

    It adds one only for a text that it can't move, or that some build shows under its own name;
    a placeholder was left alone because there was a newName (K10).
    """
    plain = simulate(graph, leaves, Plan())
    shown = {
        flow.leaf
        for root in graph.roots()
        for flow in plain.outputs.get(root.key, ())
        if not flow.renamed
    }
    held = {leaf.number for leaf in leaves.every if not _could_move(leaf, graph, leaves, names)}
    return {
        source.number
        for source in graph.entries
        if source.number in plain.seen
        and not {match.leaf for match in plain.seen[source.number].matched} & (shown | held)
    }


def _could_move(leaf: Leaf, graph: Graph, leaves: Leaves, names: NameMaps) -> bool:
    if leaf.file not in graph.index.files or leaves.duty(leaf.key) is None or leaf.generated:
        return False
    contested = isinstance(names.of(leaf.file).mapper, Contested)
    return not contested and leaf.duty in (Duty.MOVE, Duty.ENTRY)


def _plan(
    graph: Graph,
    leaves: Leaves,
    names: NameMaps,
    frozen: Collection[int],
    naming: Collection[int],
) -> Plan:
    texts = {
        leaf.number: names.of(leaf.file).text(leaf.text)
        for leaf in leaves.every
        if leaf.duty is Duty.MOVE
    }
    lists: dict[int, list[EntrySource]] = {}
    for source in graph.entries:
        lists.setdefault(id(source.items), []).append(source)
    plan = Plan(texts)
    for sources in lists.values():
        if not any(source.number in frozen for source in sources):
            made = undone(sources, names.of(sources[0].file), naming=naming)
            plan = replace(plan, entries={**plan.entries, **made})
    return plan


def _split_for(graph: Graph, leaves: Leaves, names: NameMaps, plan: Plan) -> Iterator[int]:
    """Texts from outside under mapped names, for which entries stood only since they were split.

    What they match may lie outside the tree, so each name was one before.
    """
    split = {
        names.of(source.file).normal(source.entry.literal or "")
        for source in graph.entries
        if plan.entries.get(source.number) == ()
    }
    for leaf in leaves.every:
        known = (names.of(source.file) for source in graph.entries)
        if not leaf.file and any(each.normal(each.name(leaf.text)) in split for each in known):
            yield leaf.number


def _builds_with(wrong: Collection[int], simulation: Simulation) -> set[str]:
    return {
        key
        for key, flows in simulation.outputs.items()
        if any(flow.leaf in wrong for flow in flows)
    }


def _joined(
    graph: Graph, leaves: Leaves, ours: Solution, hanging: set[_Member], search: Search
) -> Solution:
    """One solution with what the search finds for all that hangs together with what is wrong."""
    theirs = search.solution()
    hung_leaves = {number for kind, number in hanging if kind == "leaf"}
    hung_entries = {number for kind, number in hanging if kind == "entry"}
    plan = Plan(
        _chosen(ours.plan.texts, theirs.plan.texts, hung_leaves),
        _chosen(ours.plan.entries, theirs.plan.entries, hung_entries),
        {key: added for key, added in theirs.plan.added.items() if ("build", key) in hanging},
    )
    return Solution(
        plan,
        simulate(graph, leaves, plan),
        _chosen({}, theirs.kept, hung_leaves),
        _chosen(ours.frozen, theirs.frozen, hung_entries),
        _chosen({}, theirs.placeholders, hung_leaves),
    )


_Value = TypeVar("_Value")


def _chosen(
    ours: Mapping[int, _Value], theirs: Mapping[int, _Value], hung: set[int | str]
) -> dict[int, _Value]:
    mine = {number: value for number, value in ours.items() if number not in hung}
    return mine | {number: value for number, value in theirs.items() if number in hung}


class _Hanging:
    """Which builds share leaves, entries or builds below them."""

    def __init__(self, graph: Graph, leaves: Leaves) -> None:
        self._members: dict[str, set[_Member]] = {}
        for key, build in graph.builds.items():
            numbers = [leaf.number for leaf in leaves.of(key)]
            entries = build.entries
            self._members[key] = {
                *(("build", name) for name in (key, *build.children)),
                *(("leaf", number) for number in numbers),
                *(("entry", number) for number in entries),
            }

    def spread(self, builds: Collection[str]) -> set[_Member]:
        """All that hangs together with some builds."""
        found: set[_Member] = {("build", key) for key in builds}
        waiting = dict(self._members)
        while met := [key for key, members in waiting.items() if members & found]:
            for key in met:
                found |= waiting.pop(key)
        return found
