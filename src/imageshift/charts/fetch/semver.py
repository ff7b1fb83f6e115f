"""Versions and ranges as Helm reads them (github.com/Masterminds/semver/v3).

A range takes prereleases only where it names one itself; blanks and commas mean "and".
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import total_ordering

from imageshift.lazy import lazy_re

__all__ = ["Version", "is_other_version", "newest", "parse_version", "satisfies"]

_VERSION = lazy_re(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?")
_PART = lazy_re(
    r"(=|==|!=|>=|=>|<=|=<|>|<|~|~>|\^)?\s*"
    r"v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?"
)
_HYPHEN = lazy_re(r"(?<!\S)(\S++)\s++-\s++(\S++)")
_AND = lazy_re(r"(?<=[\w*.])\s*,\s*|(?<=[\w*.])\s+(?=[=!<>~^v\dxX*])")

# Python refuses numbers of more than 4,300 digits; Helm takes versions of 256 characters.
_LONGEST = 1024

_Numbers = tuple[int, int, int]


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version; build data after `+` counts for nothing in comparisons."""

    numbers: _Numbers
    prerelease: str = ""

    def __lt__(self, other: "Version") -> bool:
        return self._key() < other._key()

    def _key(self) -> tuple[object, ...]:
        parts = tuple(
            (0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in self.prerelease.split(".")
            if part
        )
        return self.numbers, not self.prerelease, parts


def parse_version(text: str) -> Version | None:
    """The version that a text spells, `v` and missing parts allowed; else None."""
    found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups()[:3])
    return Version((major, minor, patch), found[4] or "")


def satisfies(version: Version, constraint: str) -> bool:
    """Whether a version is in a range; a range that can't be read holds none.

    >>> satisfies(parse_version("1.4.2"), ">= 1.2, < 2 || 3.x")
    True
    """
    if len(constraint) > _LONGEST:
        return False
    return any(_holds_all(version, part) for part in constraint.split("||"))


def is_other_version(version: str, asked: str | None) -> bool:
    """Whether a version is known not to be the one that somebody asks for.

    >>> is_other_version("1.2.3", ">=1 <2"), is_other_version("2.0.0", "1.x")
    (False, True)
    """
    parsed = parse_version(version)
    if parsed is None or not asked or asked.startswith("sha256:") or not re.search(r"\d", asked):
        return False
    return version != asked and not satisfies(parsed, asked)


def newest(versions: Iterable[str], constraint: str | None) -> str | None:
    """The spelling of the newest version in the range, or the exact spelling asked for."""
    spelled = list(versions)
    if constraint in spelled:
        return constraint
    wanted = constraint or "*"
    fitting = [
        (version, text)
        for text in spelled
        if (version := parse_version(text)) is not None and satisfies(version, wanted)
    ]
    return max(fitting)[1] if fitting else None


def _holds_all(version: Version, text: str) -> bool:
    text = _HYPHEN.sub(r">=\1 <=\2", text.strip())
    text = re.sub(r"([=!<>~^])\s+", r"\1", text)
    parts = [part for part in _AND.split(text) if part]
    found = [_PART.fullmatch(part.strip()) for part in parts or ["*"]]
    if version.prerelease and not any(part is not None and part[5] for part in found):
        return False
    return all(part is not None and _holds(version, part) for part in found)


def _holds(version: Version, found: re.Match[str]) -> bool:
    operator = found[1] or ""
    given = [part for part in found.groups()[1:4] if part is not None and part not in "xX*"]
    numbers = [int(part) for part in given]
    least = Version(_fill(numbers), found[5] or "")
    return _TESTS[operator](version, least, len(numbers))


def _fill(numbers: list[int]) -> _Numbers:
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch


def _below(version: Version, least: Version, place: int) -> bool:
    """Whether the version is below the next one at the given place (0: no bound)."""
    if place == 0:
        return True
    numbers = list(least.numbers[:place])
    numbers[-1] += 1
    return version.numbers < _fill(numbers)


def _exact(version: Version, least: Version, given: int) -> bool:
    if given == 3:  # noqa: PLR2004 major, minor and patch
        return version == least
    return version >= least and _below(version, least, given)


def _tilde(version: Version, least: Version, given: int) -> bool:
    return version >= least and _below(version, least, min(given, 2))


def _caret(version: Version, least: Version, given: int) -> bool:
    first = next((place for place, number in enumerate(least.numbers, 1) if number), given)
    return version >= least and _below(version, least, min(first, given))


def _greater(version: Version, least: Version, given: int) -> bool:
    if given == 3:  # noqa: PLR2004
        return version > least
    return given > 0 and version >= least and not _below(version, least, given)


def _at_most(version: Version, least: Version, given: int) -> bool:
    return version <= least or (given < 3 and _below(version, least, given))  # noqa: PLR2004


_Test = Callable[[Version, Version, int], bool]
_TESTS: dict[str, _Test] = {
    "": _exact,
    "=": _exact,
    "==": _exact,
    "!=": lambda version, least, given: not _exact(version, least, given),
    ">": _greater,
    ">=": lambda version, least, _: version >= least,
    "=>": lambda version, least, _: version >= least,
    "<": lambda version, least, _: version < least,
    "<=": _at_most,
    "=<": _at_most,
    "~": _tilde,
    "~>": _tilde,
    "^": _caret,
}
