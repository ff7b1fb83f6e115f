"""Texts that may hold references: whether one is another with its images under mapped names."""

import re
from dataclasses import dataclass, field

from imageshift.cache import Mapped, RuleSet
from imageshift.errors import InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.reference import has_host, name_length

__all__ = ["SIGNS", "TextJudge"]

SIGNS = r"(?:\$\{[^{}]*\}|\$\([^()]*\)|[^\s\"'`,;()\[\]{}<>|=])"
"""What references and their variables are spelled with."""
_NAMING = ("image", "reference", "repository", "registry", "newname", "repo", "oci://")
_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_IDENTIFIER = lazy_re(r"(?:[:@]|$)")


@dataclass(frozen=True, slots=True)
class TextJudge:
    """Judges by the rules of one registry.

    With `registries`, a registry that moves alone is a reference as well.
    """

    rules: RuleSet
    registries: bool = False
    _moved: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        host = re.escape(self.rules.registry.host)
        object.__setattr__(self, "_moved", re.compile(rf"{host}/{SIGNS}+"))

    def target(self, text: str) -> str | None:
        """Where a reference goes by the rules; None when it stays, or is none."""
        try:
            outcome = self.rules.map(self.rules.parse(text))
        except InvalidReferenceError:
            return self._target_of_name(text)
        return outcome.target.normalized if isinstance(outcome, Mapped) else None

    def is_moved(self, before: str, after: str) -> bool:
        """Whether `after` is exactly where the reference `before` goes, tag and digest the same."""
        return before != after and self.target(before) == after

    def is_moved_registry(self, before: str, after: str) -> bool:
        """Whether `after` is where images of the registry `before` go with the same names."""
        name = f"{before.rstrip('/')}/name/name"
        target = self.target(name) if has_host(name) else None
        head = "" if target is None else target.removesuffix("/name/name")
        heads = {head, f"{head}/library"} if before.rstrip("/") in _HUB else {head}
        return target is not None and after.rstrip("/") in heads

    def pairs(self, before: str, after: str, context: str) -> list[tuple[str, str]] | None:
        """The references that have moved when nothing else differs, else None.

        `context` are the words around the text: where they don't refer to images, only a
        reference with a host and with a tag or digest counts as one.
        """
        if before == after:
            return []
        old, new = before.split("\n"), after.split("\n")
        if len(old) != len(new):
            return None
        found: list[tuple[str, str]] = []
        for one, other in zip(old, new, strict=True):
            if one != other:
                moved = self._line(one, other, context)
                if moved is None:
                    return None
                found += moved
        return found

    def _line(self, before: str, after: str, context: str) -> list[tuple[str, str]] | None:
        targets = [found[0] for found in self._moved.finditer(after)]
        rest = self._moved.split(after)
        pattern = rf"({SIGNS}+?)".join(map(re.escape, rest))
        found = re.fullmatch(pattern, before)
        if not targets or found is None:
            return None
        names = [context.lower(), *(part.lower() for part in rest)]
        named = any(word in text for text in names for word in _NAMING)
        pairs = list(zip(found.groups(), targets, strict=True))
        fine = all(one == other or self._is_pair(one, other, named=named) for one, other in pairs)
        return [pair for pair in pairs if pair[0] != pair[1]] if fine else None

    def _is_pair(self, before: str, after: str, *, named: bool) -> bool:
        if self.registries and self.is_moved_registry(before, after):
            return True
        clear = has_host(before) and len(before) > name_length(before)
        return (named or clear) and self.is_moved(before, after)

    def _target_of_name(self, text: str) -> str | None:
        """A reference whose tag can't be one (kustomize's tagSuffix makes such)."""
        end = name_length(text)
        name, rest = text[:end], text[end:]
        if not rest or _IDENTIFIER.match(rest) is None:
            return None
        try:
            outcome = self.rules.map(self.rules.parse(name))
        except InvalidReferenceError:
            return None
        return outcome.target.normalized + rest if isinstance(outcome, Mapped) else None
