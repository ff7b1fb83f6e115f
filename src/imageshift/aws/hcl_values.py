"""What an expression yields when its source doesn't tell, and what working it out may cost.

A few lines of Terraform can double a value thirty times, or call a module a million times.
"""

from typing import Any

from msgspec import Struct

__all__ = ["LARGEST", "TOO_LARGE", "TOO_MUCH", "Budget", "Supply", "Unknown", "weigh"]

LARGEST = 2000
"""How much one value may weigh: its parts, and a quarter of the characters of its texts."""

_DEEPEST = 120


class Unknown(Struct, frozen=True):
    """A value that is known only after an apply; `what` are the words to blame."""

    what: str


TOO_LARGE = Unknown("a value that is too large for rules")
"""What stands for a value that weighs more than `LARGEST`."""

TOO_MUCH = Unknown("a calculation that is too long or too deep for rules")
"""What stands for a value whose calculation would pass the budget."""


class Supply:
    """Work shared by several: each gets a quarter of what is left, so that none uses up all."""

    __slots__ = ("_least", "_left")

    def __init__(self, most: int, least: int) -> None:
        """`most` for all together, and `least` for each of them in any case."""
        self._left = most
        self._least = least

    @property
    def share(self) -> int:
        """How much the next one gets."""
        return max(self._left // 4, self._least)

    def take(self, used: int) -> None:
        """Notes what the last one has used."""
        self._left = max(self._left - used, 0)


class Budget:
    """How many expressions may still be worked out, and how deep in one another."""

    __slots__ = ("_depth", "left")

    def __init__(self, steps: int = 100_000) -> None:
        """A whole budget."""
        self.left = steps
        self._depth = 0

    def spend(self, steps: int = 1) -> bool:
        """Whether the steps were still there; they are gone then."""
        self.left -= steps
        return self.left >= 0

    def enter(self) -> bool:
        """Begins an expression inside the present one; where it says no, nothing has begun."""
        if self._depth >= _DEEPEST or not self.spend():
            return False
        self._depth += 1
        return True

    def leave(self) -> None:
        """Ends the expression that `enter` has begun."""
        self._depth -= 1


def weigh(value: Any) -> int:
    """How much a value weighs; beyond `LARGEST` it isn't counted to the end."""
    weight, waiting = 0, [value]
    while waiting and weight <= LARGEST:
        part = waiting.pop()
        weight += 1 + (len(part) // 4 if isinstance(part, str) else 0)
        if isinstance(part, dict):
            waiting += part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return weight
