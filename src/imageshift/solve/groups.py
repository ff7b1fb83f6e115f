"""Changes joined into groups that hold only together."""

__all__ = ["Groups"]


class Groups:
    """Changes joined into groups, each with a number."""

    def __init__(self) -> None:
        self._parent: dict[tuple[str, int], tuple[str, int]] = {}
        self._numbers: dict[tuple[str, int], int] = {}

    def join(self, one: tuple[str, int], other: tuple[str, int]) -> None:
        """Puts two changes into one group."""
        self._parent[self._root(one)] = self._root(other)

    def number(self, member: tuple[str, int]) -> int | None:
        """The number of a change's group; None when it stands alone."""
        if member not in self._parent:
            return None
        return self._numbers.setdefault(self._root(member), len(self._numbers))

    def _root(self, member: tuple[str, int]) -> tuple[str, int]:
        self._parent.setdefault(member, member)
        while self._parent[member] != member:
            member = self._parent[member]
        return member
