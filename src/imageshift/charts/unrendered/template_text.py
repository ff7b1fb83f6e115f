"""Helm templates read as text, where charts aren't rendered: which values what uses, and compares.

Nothing is evaluated. What an action mentions counts, with all that the named templates and
variables in it mention, so more is found than a rendering would use.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from msgspec import Struct, field

from imageshift.lazy import lazy_re
from imageshift.links.model import reached

__all__ = ["Compared", "Steps", "TemplateDocument", "TemplateTexts"]

Steps = tuple[str, ...]

_COMMENT = lazy_re(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
# Possessive, so that braces without end take linear time.
_ACTION = lazy_re(r"\{\{-?((?:[^{}]|\}(?!\})|\{(?!\{))*+)\}\}")
_VALUES = lazy_re(r"\.Values((?:\.\w+)*)")
_INDEX = lazy_re(r"\bindex\s+\(?\s*\$?\.Values((?:\.\w+)*)((?:\s+\"[^\"]*\")*)")
_INCLUDE = lazy_re(r'\b(?:include|template)\s+"([^"]+)"')
_VARIABLE = lazy_re(r"\$\w+")
_ASSIGNED = lazy_re(r"^(?:(?:range|with|if)\s+)?(\$\w+)(?:\s*,\s*(\$\w+))?\s*:?=")
_DEFINE = lazy_re(r'^define\s+"([^"]+)"')
_OPENS = lazy_re(r"^(?:if|with|range|define|block)\b")
_COMPARES = lazy_re(
    r"\b(?:eq|ne|has|contains|hasPrefix|hasSuffix|regexMatch|mustRegexMatch|regexFind|mustHas)\b"
)
# Below such a name only a key that may hold a registry counts: not `$registry.claim`.
_NAMELESS = lazy_re(
    r"(?:(?<!Values)\.(?:\w*[rR]egistry|\w*[rR]epository|image)|\$\w*[rR]egistry)\b"
    r"(?!\.(?!(?:host|name|url|server|address)\b)\w)"
)
_SEPARATOR = lazy_re(r"^---", re.MULTILINE)


class TemplateDocument(Struct, frozen=True):
    """One document of a template: its text, and the whole template's."""

    name: str
    text: str
    start: int
    whole: str

    def conditions(self, offset: int) -> list[str]:
        """The actions whose blocks are open at an offset of the text."""
        return _open_blocks(self.whole[: self.start + offset])


class Compared(Struct, frozen=True):
    """A value that a template compares: also all below it with `inside`.

    A path of None stands for an image under another name, so for any.
    """

    template: str
    path: Steps | None
    inside: bool = False


class _Named(Struct, frozen=True):
    """A named template: its body, the values that it compares, and the templates in it.

    `nameless` says that it compares a registry, but not whose.
    """

    body: str
    compared: tuple[Steps, ...]
    nameless: bool
    includes: tuple[str, ...]

    @classmethod
    def read(cls, body: str) -> "_Named":
        actions = _actions(body)
        found = [action for action in actions if _is_comparison(action)]
        return cls(
            body,
            tuple(path for action in found for path in _mentions(action)),
            any(map(_is_nameless, found)),
            tuple(name for action in actions for name in _INCLUDE.findall(action)),
        )


class TemplateTexts(Struct, frozen=True):
    """The templates of one chart, with the named ones of all charts that it has."""

    texts: Mapping[str, str]
    named: Mapping[str, _Named] = field(default_factory=dict)

    @classmethod
    def read(cls, texts: Mapping[str, str], others: Iterable[str] = ()) -> "TemplateTexts":
        """The templates by their names; `others` are those of charts inside and around."""
        plain = {name: _without_comments(text) for name, text in texts.items()}
        defines: dict[str, str] = {}
        for text in (*map(_without_comments, others), *plain.values()):
            defines.update(_defines(text))
        return cls(plain, {name: _Named.read(body) for name, body in defines.items()})

    def documents(self) -> Iterator[TemplateDocument]:
        """The documents of every template."""
        for name, whole in self.texts.items():
            starts = [0, *(found.end() for found in _SEPARATOR.finditer(whole)), len(whole)]
            for start, end in pairwise(starts):
                yield TemplateDocument(name, whole[start:end], start, whole)

    def used(self, document: TemplateDocument) -> set[Steps]:
        """The values that a document may use, with whatever is below them."""
        found: set[Steps] = set()
        waiting = [(document.text, document.whole)]
        seen, assigned = set(waiting), dict[str, dict[str, list[str]]]()
        while waiting:
            part, whole = waiting.pop()
            if whole not in assigned:
                assigned[whole] = _assignments(whole)
            for action in _actions(part):
                found.update(_mentions(action))
                names = _VARIABLE.findall(action)
                more = {(a, whole) for name in names for a in assigned[whole].get(name, ())}
                bodies = (self.named[n].body for n in _INCLUDE.findall(action) if n in self.named)
                more |= {(body, body) for body in bodies}
                waiting += more - seen
                seen |= more
        return found

    def _reached(self, names: Iterable[str]) -> set[str]:
        """Those of some named templates that there are, with those that they include."""
        known = (name for name in names if name in self.named)
        return reached(known, lambda each: self.named.keys() & self.named[each].includes)

    def compared(self) -> Iterator[Compared]:
        """The values that templates compare."""
        for name, text in self.texts.items():
            for action in _actions(text):
                if _is_comparison(action):
                    yield from (Compared(name, path) for path in _mentions(action))
                    if _is_nameless(action):
                        yield Compared(name, None)
                yield from self._compared_inside(name, action)

    def _compared_inside(self, name: str, action: str) -> Iterator[Compared]:
        """What named templates compare of that which an action hands to them."""
        bodies = [self.named[each] for each in self._reached(_INCLUDE.findall(action))]
        yield from (Compared(name, path) for each in bodies for path in each.compared)
        if any(each.nameless for each in bodies):
            handed = [*_mentions(action)]
            yield from (Compared(name, path, inside=True) for path in handed)
            yield from [] if handed else [Compared(name, None)]


def _without_comments(text: str) -> str:
    return _COMMENT.sub("", text)


def _is_comparison(action: str) -> bool:
    return _COMPARES.search(action) is not None and not _is_blank_test(action)


def _is_nameless(action: str) -> bool:
    """Whether an action refers to a registry, but not to whose."""
    return _NAMELESS.search(_VALUES.sub("", action)) is not None


def _is_blank_test(action: str) -> bool:
    """Whether all that values are compared with is the empty text."""
    plain = _COMPARES.findall(action)
    texts = re.findall(r'"([^"]*)"', action)
    return set(plain) <= {"eq", "ne"} and bool(texts) and not any(texts)


def _actions(text: str) -> list[str]:
    """What stands between double braces, without the marks that trim space around them."""
    return list(map(_trimmed, _ACTION.finditer(text)))


def _trimmed(found: re.Match[str]) -> str:
    return found[1].removesuffix("-").strip()


def _open_blocks(text: str) -> list[str]:
    open_: list[str] = []
    for action in _actions(text):
        if _OPENS.match(action):
            open_.append(action)
        elif action.startswith("else") and open_:
            open_[-1] = action
        elif action == "end" and open_:
            open_.pop()
    return open_


def _mentions(action: str) -> Iterator[Steps]:
    for plain, keys in _INDEX.findall(action):
        yield (*filter(None, plain.split(".")), *re.findall(r'"([^"]*)"', keys))
    for plain in _VALUES.findall(_INDEX.sub("", action)):
        yield tuple(filter(None, plain.split(".")))


def _assignments(whole: str) -> dict[str, list[str]]:
    """By variable, the actions that give it its value, between braces again."""
    found: dict[str, list[str]] = {}
    for action in _actions(whole):
        assigned = _ASSIGNED.match(action)
        for name in () if assigned is None else filter(None, assigned.groups()):
            found.setdefault(name, []).append(f"{{{{{action}}}}}")
    return found


def _defines(text: str) -> Iterator[tuple[str, str]]:
    """The named templates of a text, each with its body."""
    open_: list[tuple[str | None, int]] = []
    for found in _ACTION.finditer(text):
        action = _trimmed(found)
        if _OPENS.match(action):
            named = _DEFINE.match(action)
            open_.append((None if named is None else named[1], found.end()))
        elif action == "end" and open_:
            name, start = open_.pop()
            if name is not None:
                yield name, text[start : found.start()]
