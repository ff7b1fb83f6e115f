"""Two renderings side by side, line by line, and what the differences are."""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from imageshift.charts.plain import to_plain
from imageshift.charts.rendering.manifests import metadata_of, split_manifest
from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.source.tree import parse_events

__all__ = ["Difference", "DifferenceClass", "compare"]

_KIND = lazy_re(r"^kind: *(\S+)", re.MULTILINE)
_WORDS = lazy_re(r"([^A-Za-z0-9+/=]+)")
_HEX = lazy_re(r"(?=[a-f]*\d)[0-9a-f]{7,128}")
_BASE64 = lazy_re(r"[A-Za-z0-9+/]{20,}={0,2}")


class DifferenceClass(StrEnum):
    """What a difference is: a hash of something, other text, or another number of lines."""

    HASH = "hash"
    TEXT = "text"
    SHAPE = "shape"


class Difference(Struct, frozen=True):
    """One line that differs; `line` is 0 when the object's whole text does.

    `template` names the object too where the template writes several.
    """

    template: str
    line: int
    before: str
    after: str
    kind: DifferenceClass


def compare(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    """The differences of two renderings, object by object: their order doesn't count.

    Objects of unlike numbers of lines are one difference of shape.
    """
    found: list[Difference] = []
    for template in sorted({*before, *after}):
        old, new = before.get(template, ""), after.get(template, "")
        if old != new:
            found += _compare_templates(template, old, new)
    return found


def _compare_templates(template: str, before: str, after: str) -> list[Difference]:
    """Some charts write several objects from one template, in the random order of a Go map."""
    old, new = _by_object(before), _by_object(after)
    if len(old) <= 1 and len(new) <= 1:
        return _compare_texts(template, before, after)
    found: list[Difference] = []
    for key in sorted({*old, *new}):
        one, two = old.get(key, ""), new.get(key, "")
        if one != two:
            found += _compare_texts(f"{template}#{key}", one, two)
    return found


def _by_object(text: str) -> dict[str, str]:
    """The documents by kind and name, as they are written; twins by number."""
    found: dict[str, str] = {}
    for document in split_manifest(text):
        kind = _KIND.search(document)
        key = f"{kind[1] if kind else ''}/{_name_of(document)}"
        twins = sum(1 for other in found if other.partition("~")[0] == key)
        found[f"{key}~{twins}" if twins else key] = document.strip()
    return found


def _name_of(document: str) -> str:
    """metadata.name; labels may hold a name too."""
    return metadata_of(document).get("name", "")


def _compare_texts(template: str, before: str, after: str) -> list[Difference]:
    found = _by_line(template, before, after)
    hashes = [item for item in found if item.kind is DifferenceClass.HASH]
    if len(hashes) == len(found):
        return found
    lines = after.split("\n")
    for item in hashes:
        lines[item.line - 1] = item.before
    return hashes if _is_same_data(before, "\n".join(lines)) else found


def _is_same_data(before: str, after: str) -> bool:
    # Helm's toYaml may fold or quote a string otherwise once it is longer.
    try:
        old, new = ([to_plain(root) for root, _, _ in parse_events(t)] for t in (before, after))
    except SourceError:
        return False
    return old == new


def _by_line(template: str, before: str, after: str) -> list[Difference]:
    old, new = before.split("\n"), after.split("\n")
    if len(old) != len(new):
        return [Difference(template, 0, before, after, DifferenceClass.SHAPE)]
    return [
        Difference(template, number, one, two, _classify(one, two))
        for number, (one, two) in enumerate(zip(old, new, strict=True), 1)
        if one != two
    ]


def _classify(before: str, after: str) -> DifferenceClass:
    """A hash when the lines are alike but for words that are hashes of one length."""
    old, new = _WORDS.split(before), _WORDS.split(after)
    if len(old) == len(new) and all(map(_is_hash_pair, old, new)):
        return DifferenceClass.HASH
    return DifferenceClass.TEXT


def _is_hash_pair(one: str, other: str) -> bool:
    if one == other:
        return True
    if len(one) != len(other):
        return False
    hexadecimal = _HEX.fullmatch(one) and _HEX.fullmatch(other)
    return hexadecimal is not None or (_is_binary(one) and _is_binary(other))


def _is_binary(word: str) -> bool:
    """Whether a word is base64 of what is no text: texts would be values in disguise."""
    if _BASE64.fullmatch(word) is None:
        return False
    try:
        base64.b64decode(word, validate=True).decode()
    except UnicodeDecodeError:
        return True
    except binascii.Error:
        return False
    return False
