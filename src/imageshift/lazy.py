"""Regular expressions that are compiled when they are first used.

Most of the patterns in this package are for kinds of files that a run never meets, and compiling
all of them takes a third of the time in which the package starts.
"""

import re
from typing import Any, AnyStr, cast

__all__ = ["lazy_re"]

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split")


class _Lazy:
    """Stands for a `re.Pattern`, whose methods it takes over once one is asked for."""

    def __init__(self, text: Any, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._text, self._flags)
        vars(self).update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)


def lazy_re(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A pattern as `re.compile` makes it, but an error in `text` shows at the first use."""
    return cast("re.Pattern[AnyStr]", _Lazy(text, flags))
