"""Every expression of the package, on long texts that make a matcher go back and back."""

import importlib
import inspect
import pkgutil
import re
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

import imageshift
from imageshift.lazy import lazy_re

pytestmark = pytest.mark.once

LENGTH = 15_000
SECONDS = 0.5
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


@pytest.mark.parametrize("module", MODULES)
def test_expressions_take_linear_time(module: str) -> None:
    """A quadratic one would take minutes for all these texts."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    where = ""
    try:
        for name, pattern, methods in patterns(module):
            for tried in hostile_texts(pattern):
                where = f"{name} on {tried[:12]!r}…{tried[-3:]!r}"
                signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
                use(pattern, methods, tried)
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TimeoutError:
        pytest.fail(where)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
