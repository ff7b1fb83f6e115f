"""Changes joined into moves: groups that hold only together."""

from imageshift.rewrite import Move

__all__ = ["Groups"]


class Groups:
    """Changes joined into groups, each with its move."""

    def __init__(self) -> None:
        self._parent: dict[tuple[str, int], tuple[str, int]] = {}
        self._moves: dict[tuple[str, int], Move] = {}

    def join(self, one: tuple[str, int], other: tuple[str, int]) -> None:
        """Puts two changes into one group."""
        self._parent[self._root(one)] = self._root(other)

    def move(self, member: tuple[str, int]) -> Move | None:
        """The move of a change's group; None when it stands alone."""
        if member not in self._parent:
            return None
        return self._moves.setdefault(self._root(member), Move())

    def _root(self, member: tuple[str, int]) -> tuple[str, int]:
        self._parent.setdefault(member, member)
        while self._parent[member] != member:
            member = self._parent[member]
        return member
