"""Refuses documents whose aliases repeat one another without end, as Kubernetes' readers do.

Follows go-yaml's `decode.go` (`allowedAliasRatio`): a small file could stand for any number of
nodes, and whoever follows its aliases would never come to an end.
"""

from collections.abc import Iterable

from imageshift.errors import SourceError
from imageshift.source.node import Mapping, Node, Root, Scalar, Sequence

__all__ = ["refuse_excess"]

_ALIASED, _NODES = 100, 1000
_LOW, _HIGH = 400_000, 4_000_000
_LOW_RATIO, _HIGH_RATIO = 0.99, 0.10
_COUNTLESS = 10 * _HIGH


def refuse_excess(root: Root, aliases: int, levels: int) -> None:
    """Does nothing for a document whose `aliases` repeat an ordinary number of nodes.

    Raises:
        SourceError: they repeat more than go-yaml takes, or what they make is deeper than
            `levels`.
    """
    if root is None:
        return
    written, read, deep = _count(root)
    if deep > levels:
        raise SourceError(f"nested deeper than {levels} levels, by its aliases")
    aliased = read - written - aliases
    if aliased > _ALIASED and read > _NODES and aliased > read * _allowed_ratio(read):
        raise SourceError("not YAML that Kubernetes reads: its aliases repeat too much")


def _allowed_ratio(read: int) -> float:
    share = min(max((read - _LOW) / (_HIGH - _LOW), 0.0), 1.0)
    return _LOW_RATIO - (_LOW_RATIO - _HIGH_RATIO) * share


def _count(root: Node) -> tuple[int, int, int]:
    """How many nodes are written, how many a reader that follows every alias meets, how deep.

    An alias is met itself, then what it stands for.
    """
    sizes: dict[int, int] = {}
    depths: dict[int, int] = {}
    waiting = [(root, False)]
    while waiting:
        node, is_counted = waiting.pop()
        if is_counted:
            parts = list(_parts(node))
            size = 1 + sum(sizes[id(part)] + bool(part.shared) for part in parts)
            # A hundred aliases make a number of a hundred digits; no more than this counts.
            sizes[id(node)] = min(size, _COUNTLESS)
            inner = max((depths[id(part)] for part in parts), default=0)
            depths[id(node)] = inner + (not isinstance(node, Scalar))
        elif id(node) not in sizes:
            waiting.append((node, True))
            waiting += ((part, False) for part in _parts(node))
    return len(sizes), sizes[id(root)], depths[id(root)]


def _parts(node: Node) -> Iterable[Node]:
    if isinstance(node, Mapping):
        return [part for pair in node.own for part in pair]
    return node.items if isinstance(node, Sequence) else ()
