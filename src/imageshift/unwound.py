"""Recursive functions over chains of any length, without Python's limited stack.

>>> def total(number):
...     return number + (yield total(number - 1)) if number else 0
>>> unwound(total(100_000))
5000050000
"""

from collections.abc import Generator
from typing import Any, TypeVar

__all__ = ["Task", "unwound"]

T = TypeVar("T")

Task = Generator[Any, Any, T]
"""A function that yields the calls it needs, gets what each returns, and returns its own result."""


def unwound(task: Task[T]) -> T:
    """What a task returns, when all that it yields is run as well."""
    running: list[Task[Any]] = [task]
    result: Any = None
    while running:
        try:
            called = running[-1].send(result)
        except StopIteration as ended:
            running.pop()
            result = ended.value
        else:
            running.append(called)
            result = None
    found: T = result
    return found
