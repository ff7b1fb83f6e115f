r"""Unified diffs that `git apply` and `patch` take, whatever bytes files and their names hold.

>>> print(unified_diff("a.yaml", b"x: 1\n", b"x: 2"), end="")
--- a/a.yaml
+++ b/a.yaml
@@ -1 +1 @@
-x: 1
+x: 2
\ No newline at end of file
>>> unified_diff("a.yaml", b"", b"x: 1\n").splitlines()[2:]
['@@ -0,0 +1 @@', '+x: 1']
"""

import difflib
import os
from io import StringIO

from imageshift.lazy import lazy_re

__all__ = ["unified_diff"]

_ODD = lazy_re(rb'["\\\x00-\x1f\x7f]')


def unified_diff(name: str, before: bytes, after: bytes) -> str:
    """The change of a file from one UTF-8 content to another; empty where they are equal."""
    if before == after:
        return ""
    names = _quoted(f"a/{name}"), _quoted(f"b/{name}")
    lines = difflib.unified_diff(_lines(before), _lines(after), *names)
    return "".join(_ended(line) for line in lines)


def _quoted(name: str) -> str:
    """A name as Git spells it: in quotes, with escapes, where it has signs that end a line."""
    raw = os.fsencode(name)
    if _ODD.search(raw) is None:
        return name
    escaped = _ODD.sub(lambda found: b"\\%03o" % found[0][0], raw)
    return f'"{os.fsdecode(escaped)}"'


def _lines(content: bytes) -> list[str]:
    return StringIO(content.decode(), newline="\n").readlines()


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
