"""Patterns that are compiled when they are first used."""

import gc
import importlib
import pkgutil
import re
from typing import Any

import imageshift
from imageshift.lazy import lazy_re


def test_a_lazy_pattern_does_what_a_compiled_one_does() -> None:
    """All of its methods and attributes are those of the compiled pattern."""
    text = "a1 b22 c"
    for name in ("match", "fullmatch", "search", "finditer", "findall", "split"):
        lazy, compiled = lazy_re(r"[a-z](\d*)"), re.compile(r"[a-z](\d*)")
        assert _plain(getattr(lazy, name)(text)) == _plain(getattr(compiled, name)(text))
    assert lazy_re(r"\d", re.ASCII).sub("-", text) == "a- b-- c"
    assert lazy_re(b"x+").pattern == b"x+"
    assert lazy_re("(?P<a>x)").groupindex == {"a": 1}


def test_all_patterns_of_the_package_compile() -> None:
    """No pattern fails at its first use."""
    for module in pkgutil.walk_packages(imageshift.__path__, "imageshift."):
        if not module.name.endswith("helm_worker"):
            importlib.import_module(module.name)

    kind = type(lazy_re(""))
    patterns = [each for each in gc.get_objects() if type(each) is kind]

    assert len(patterns) > 250
    assert all(hasattr(each, "pattern") for each in patterns)


def _plain(result: Any) -> Any:
    if isinstance(result, re.Match):
        return result.span(), result.groups()
    return [_plain(each) for each in result] if hasattr(result, "__next__") else result
