"""Every expression of the package, on long texts that make a matcher go back and back."""

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

import imageshift
from imageshift.lazy import lazy_re

pytestmark = pytest.mark.once

LENGTH = 15_000
NOTICEABLE = 0.02
"""What no linear expression takes for a text, or only on a slow machine, in seconds."""

SIGNS = [
    *(
        "a",
        "A",
        "0",
        " ",
        "\t",
        "\n",
        "$",
        "{",
        "}",
        "#",
        "/",
        ".",
        "-",
        ":",
        "=",
        "@",
        "*",
        "'",
        '"',
    ),
    *(
        "\\",
        "[",
        "(",
        "<",
        "!",
        "%",
        ",",
        "_",
        "${",
        "{{a",
        "a:",
        "a-",
        "a ",
        "aA",
        "a\n",
        '"a',
        "://",
    ),
]


MODULES = [info.name for info in pkgutil.walk_packages(imageshift.__path__, "imageshift.")]


def patterns(module: str) -> Iterator[tuple[str, re.Pattern[Any], frozenset[str]]]:
    """Yield each compiled expression of a module, with its name and the methods it is used with."""
    loaded = importlib.import_module(module)
    source = inspect.getsource(loaded)
    for name, value in vars(loaded).items():
        for number, found in enumerate(inside(value)):
            methods = frozenset(re.findall(rf"\b{re.escape(name)}\.(\w+)", source))
            yield f"{name}.{number}", found, methods or frozenset({"fullmatch", "search"})


_LAZY = type(lazy_re(""))


def inside(value: Any) -> Iterator[re.Pattern[Any]]:
    """Yield the expressions in a value, also in tables."""
    if isinstance(value, re.Pattern | _LAZY):
        yield value
    elif isinstance(value, dict):
        yield from inside([*value, *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from inside(item)


def hostile_texts(pattern: re.Pattern[Any]) -> Iterator[str]:
    """Yield long texts of one sign, and of the words that an expression itself looks for."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    words = {*re.findall(r"[A-Za-z]{2,}|[^\w\s()*+?|\[\]\\^]+", source)} - {*SIGNS}
    for sign in (*SIGNS, *sorted(words)):
        yield sign * (LENGTH // len(sign)) + "\0"
    for word in sorted(words):
        for sign in SIGNS:
            yield word + sign * (LENGTH // len(sign))


def use(pattern: re.Pattern[Any], methods: frozenset[str], text: str) -> None:
    """Match a text as the code does: at its beginning, or anywhere."""
    given: Any = text if isinstance(pattern.pattern, str) else text.encode()
    if methods & {"fullmatch", "match"}:
        pattern.fullmatch(given)
        pattern.match(given)
    if methods - {"fullmatch", "match", "pattern"}:
        for _ in pattern.finditer(given):
            pass


def test_there_are_expressions_to_look_at() -> None:
    """The walk over the modules finds them."""
    assert sum(1 for module in MODULES for _ in patterns(module)) > 100


def seconds(pattern: re.Pattern[Any], methods: frozenset[str], text: str) -> float:
    """Return what matching a text costs in processor time, the least of a few runs."""
    costs = []
    for _ in range(3):
        start = time.thread_time()
        use(pattern, methods, text)
        costs.append(time.thread_time() - start)
        if costs[-1] < NOTICEABLE:
            break
    return min(costs)


@pytest.mark.parametrize("module", MODULES)
def test_expressions_take_linear_time(module: str) -> None:
    """Half of a text takes about half the time; where an expression is quadratic, a quarter."""
    for name, pattern, methods in patterns(module):
        for tried in hostile_texts(pattern):
            whole = seconds(pattern, methods, tried)
            if whole > NOTICEABLE:
                half = seconds(pattern, methods, tried[: len(tried) // 2] + tried[-1])
                assert whole < 3 * half, f"{name} on {tried[:12]!r}…{tried[-3:]!r}"
