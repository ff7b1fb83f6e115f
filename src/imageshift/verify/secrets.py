"""What a proof shows of Secrets: that something in them differs, and not what.

In a Secret itself every value is hidden. Where its values go, into a release through `valuesFrom`
or into a build through `substituteFrom`, they are hidden by their text. A value may be an ordinary
word (`nginx`, `latest`), so what the tree has in clear text outside its Secrets is shown: whole
lines, keys and image references in which the word stands. The word alone never is.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from imageshift.charts.plain import load_plain
from imageshift.errors import ImageshiftError
from imageshift.reference import has_host
from imageshift.source.secrets import ANOTHER, COPY, HIDDEN, Known, hidden_keys, names_secret
from imageshift.verify.model import ObjectDifference, Plain, Problem, Verdict, decoded

__all__ = ["Veil", "hide_pair"]

_SHORTEST, _SHORTEST_LINE = 4, 8
_WORDS = {"true", "false", "null", "none"}
_TOKEN, _TOKEN_END = re.compile(r"[\w./:@+-]+"), re.compile(r"(?<![\w./:@+-])[\w./:@+-]++\Z")
_KEY = re.compile(r"[:=]")
_SPLIT = re.compile(r"[/:@]")


class Veil(Struct, dict=True, frozen=True):
    """Hides the values of Secrets, wherever a verdict would show them.

    `clear` gives the texts of the trees without their Secrets; it is asked for when it is needed.
    """

    objects: tuple[Plain, ...]
    clear: Callable[[], Iterable[str]] = tuple

    def over(self, verdict: Verdict) -> Verdict:
        """A verdict as it may be shown."""
        if verdict.problem is None and not verdict.differences:
            return verdict
        is_text = any(map(_is_secret_text, verdict.differences))
        return replace(
            verdict,
            differences=tuple(map(self._difference, verdict.differences)),
            diffs={k: f"{HIDDEN}\n" if is_text else self.hide(v) for k, v in verdict.diffs.items()},
            problem=None if verdict.problem is None else self._problem(verdict.problem),
        )

    def hide(self, text: str) -> str:
        """A text without the values of Secrets."""
        return text if self._pattern is None else self._pattern.sub(self._hidden, text)

    def _hidden(self, found: re.Match[str]) -> str:
        return found[0] if self._shown.has(found) else HIDDEN

    @cached_property
    def _shown(self) -> "_ClearText":
        """What holds a Secret's value and stands in clear text."""
        pattern = self._pattern
        texts = (text for text in self.clear() if pattern is not None and pattern.search(text))
        return _ClearText.of(texts)

    def _difference(self, item: ObjectDifference) -> ObjectDifference:
        if _is_in_secret(item) or _is_secret_text(item):
            values = [HIDDEN if _is_shown(value) else value for value in (item.before, item.after)]
            return replace(item, before=values[0], after=values[1], reason=self.hide(item.reason))
        before, after = self._plain(item.before), self._plain(item.after)
        return replace(item, before=before, after=after, reason=self.hide(item.reason))

    def _plain(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {key: self._plain(inner) for key, inner in hide_pair(value, None)[0].items()}
        return [self._plain(item) for item in value] if isinstance(value, list) else value

    def _problem(self, problem: Problem) -> Problem:
        return replace(problem, message=self.hide(problem.message))

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        texts = {text for data in self.objects for text in _values(data)}
        spelled = {form for text in texts for form in (text, _quoted(text), _encoded(text))}
        if not spelled:
            return None
        words = "|".join(re.escape(text) for text in sorted(spelled, key=len, reverse=True))
        return re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])")


class _ClearText(Struct, frozen=True):
    """Some texts' lines, the words in them, and the parts of those that look like images."""

    lines: frozenset[str]
    tokens: frozenset[str]
    parts: frozenset[str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "_ClearText":
        lines = frozenset(_unquoted(line) for text in texts for line in text.splitlines())
        tokens = frozenset(token for line in lines for token in _TOKEN.findall(line))
        names = (token for token in tokens if "/" in token and "://" not in token)
        return cls(lines, tokens, frozenset(part for name in names for part in _SPLIT.split(name)))

    def has(self, found: re.Match[str]) -> bool:
        """Whether what stands around a value in a text is in clear text with it."""
        text, value = found.string, found[0]
        start, end = found.span()
        before = text[text.rfind("\n", 0, start) + 1 : start]
        behind = text[end:].partition("\n")[0]
        line = f"{before}{value}{behind}"
        # In a diff a sign stands first.
        if _KEY.search(before) and {_unquoted(line), _unquoted(line[1:])} & self.lines:
            return True
        left, right = _TOKEN_END.search(before), _TOKEN.match(behind)
        token = f"{left[0] if left else ''}{value}{right[0] if right else ''}"
        if token != value and token in self.tokens:
            return True
        is_image = "/" in token and "://" not in token and has_host(token)
        return is_image and token != value and value in self.parts


def _unquoted(line: str) -> str:
    return line.replace('"', "").replace("'", "").strip()


def hide_pair(before: Any, after: Any) -> tuple[Any, Any]:
    """Both sides of an object, without the values of the Secrets that it is or holds."""
    known = Known()
    return _hidden(before, known, fresh=HIDDEN), _hidden(after, known, fresh=ANOTHER)


def _hidden(node: Any, known: Known, *, fresh: str, is_value: bool = False) -> Any:
    """A node with its values hidden: as `HIDDEN` those that are known, the others as `fresh`."""

    def inner(value: Any, *, below: bool) -> Any:
        return _hidden(value, known, fresh=fresh, is_value=is_value or below)

    if isinstance(node, Mapping):
        keys = hidden_keys(node.get("kind"), node.keys())
        return {key: inner(value, below=key in keys) for key, value in node.items()}
    if isinstance(node, list):
        return [inner(item, below=False) for item in node]
    if not is_value and not (isinstance(node, str) and names_secret(node)):
        return node
    return known.mark(repr(node), fresh)


def _is_in_secret(item: ObjectDifference) -> bool:
    """Whether a difference is in a Secret's values, or is a copy of all of them."""
    kind, top = item.object.kind, set(item.path[:1])
    is_copy = kind == "Secret" and COPY in item.path
    return is_copy or not top.isdisjoint(hidden_keys(kind, top | {"metadata"}))


def _is_secret_text(item: ObjectDifference) -> bool:
    """Whether a difference is between texts that have Secrets in them."""
    return any(isinstance(v, str) and names_secret(v) for v in (item.before, item.after))


def _is_shown(value: Any) -> bool:
    return isinstance(value, str | int | float | Mapping | list)


def _values(node: Any) -> Iterator[str]:
    """The texts in the Secrets that an object is or holds."""
    if isinstance(node, Mapping):
        hidden = hidden_keys("Secret", node.keys()) if node.get("kind") == "Secret" else ()
        for key, value in node.items():
            yield from _texts(value) if key in hidden else _values(value)
    elif isinstance(node, list):
        for item in node:
            yield from _values(item)
    elif isinstance(node, str) and names_secret(node):
        yield from _values(_loaded(node))


def _texts(node: Any) -> Iterator[str]:
    """Every text in a Secret's values: as it stands, decoded, its lines, and what it spells."""
    if isinstance(node, Mapping | list):
        for item in node.values() if isinstance(node, Mapping) else node:
            yield from _texts(item)
    elif isinstance(node, str | int | float) and not isinstance(node, bool):
        text = str(node)
        plain = decoded(text)
        for each in {text, plain}:
            if len(each) >= _SHORTEST and each.lower() not in _WORDS:
                yield each
            if "\n" in each:
                lines = map(str.strip, each.split("\n"))
                yield from (line for line in lines if len(line) >= _SHORTEST_LINE)
        if any(sign in plain for sign in ":{\n"):
            found = _loaded(plain)
            yield from _texts(found) if isinstance(found, Mapping | list) else ()


def _loaded(text: str) -> Any:
    try:
        return load_plain(text, "")
    except (ImageshiftError, ValueError, RecursionError):
        return None


def _quoted(text: str) -> str:
    """A text as JSON spells it between quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
