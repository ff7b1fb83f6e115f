"""Images of remote bases that no entry moves, and why."""

from collections.abc import Iterator

from imageshift.links.builds import Graph
from imageshift.rewrite import Change, Kept
from imageshift.solve.leaves import Leaf, Leaves
from imageshift.solve.names import NameMaps
from imageshift.solve.remote_rows import remote_stay
from imageshift.solve.search import Solution, unmoved

__all__ = ["held_remotes"]

_NO_PLACE = "there is nowhere to put an images entry in its kustomization"
_NO_ENTRY = "every images entry for it would change a build above it"


def held_remotes(
    graph: Graph, leaves: Leaves, names: NameMaps, solution: Solution
) -> Iterator[tuple[str, Change | Kept]]:
    """What is told, by file, of each image that neither an added nor a written entry tells."""
    left = unmoved(graph, names, solution.simulation)
    for key, images in leaves.remote.items():
        if key != graph.builds[key].folder:
            continue
        for base, leaf in images:
            detail = _detail(graph, solution, key, leaf, stays=leaf.number in left.get(key, ()))
            if detail is not None:
                mapper = names.of(base.file).mapper
                yield base.file, remote_stay(base, leaf.text, mapper, detail)


def _detail(graph: Graph, solution: Solution, key: str, leaf: Leaf, *, stays: bool) -> str | None:
    """Why an image of a build's base has no entry; None where an entry tells it."""
    if any(entry.matches(leaf.text) for entry in solution.plan.added.get(key, ())):
        return None
    seen = solution.simulation.seen
    met = [n for n in seen if any(match.leaf == leaf.number for match in seen[n].matched)]
    frozen = next((n for n in met if n in solution.frozen), None)
    if frozen is not None:
        return None if graph.entries[frozen].entry.new_name else solution.frozen[frozen]
    if met and not stays:
        return None
    return _NO_PLACE if key in solution.full else _NO_ENTRY
