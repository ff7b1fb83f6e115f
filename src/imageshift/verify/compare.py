"""The objects of a unit before and after: what has moved, and what else differs."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from imageshift.charts.model import ObjectName, ValuePath
from imageshift.lazy import lazy_re
from imageshift.verify.hashes import name_hash
from imageshift.verify.judge import Differs, Judge, Moved, image_fields, readable
from imageshift.verify.model import (
    MISSING,
    DifferenceClass,
    ImagePair,
    ObjectDifference,
    Plain,
    object_name,
)
from imageshift.verify.noise import Noise
from imageshift.verify.objects import Pairing, base_name, pair_objects, texts_of
from imageshift.verify.secrets import hide_pair
from imageshift.verify.show import diff_objects

__all__ = ["Comparison", "compare_objects"]

_NAME: ValuePath = ("metadata", "name")
_HASH = lazy_re(r"(?:sha(?:1|256|512)[:-])?[0-9a-f]{6,128}|[A-Za-z0-9+/]{20,88}={0,2}")
_LONG_HASH = lazy_re(r"(?<!\w)(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})(?!\w)")
_HASHED_NAME = lazy_re(r"(.*-)([0-9a-z]{5,64})", re.DOTALL)

Objects = Callable[[], Iterable[Plain]]
"""Objects that take a rendering to get."""


class Comparison(Struct):
    """Two lists of objects, compared by a judge."""

    judge: Judge
    pairing: Pairing
    images: list[ImagePair] = field(default_factory=list)
    differences: list[ObjectDifference] = field(default_factory=list)
    _objects: dict[ObjectName, tuple[Plain, Plain]] = field(default_factory=dict)

    @property
    def is_explained(self) -> bool:
        """Whether nothing is left that fails."""
        return not any(d.kind is DifferenceClass.UNEXPLAINED for d in self.differences)

    def explain_names(self, hashes: Mapping[ObjectName, str]) -> None:
        """Passes names that end in kustomize's hash of content in which images have moved.

        `hashes` are those of objects in which Flux has replaced variables since.
        """
        moved = {
            object_name(old).name: object_name(new).name
            for old, new in self.pairing.renamed
            if self._is_rehashed(old, new, hashes)
        }

        def is_renamed(item: ObjectDifference) -> bool:
            pair = item.before, item.after
            return isinstance(item.before, str) and pair in moved.items()

        self._settle(is_renamed, DifferenceClass.DERIVED)
        self._find_left(moved)

    def explain_noise(self, again: Iterable[Plain]) -> None:
        """Passes what differs between two renderings of before; `again` is the second."""
        noise = Noise(self.judge.texts)
        twins = {object_name(data): data for data in again}
        first = {object_name(old): old for old, _ in self.pairing.pairs}
        first |= {object_name(data): data for data in self.pairing.gone}
        first |= {object_name(old): old for old, _ in self.pairing.renamed}

        def is_noise(item: ObjectDifference) -> bool:
            old, twin = first.get(item.object), twins.get(item.object)
            if twin is None or old is None:
                return item.object not in twins and (
                    old is not None or _is_named_anew(item.object, first, twins)
                )
            return noise.explains(item.before, _at(readable(twin), item.path), item.after)

        self._settle(is_noise, DifferenceClass.NOISE)

    def explain_hashes(self, unmapped: Iterable[Plain]) -> None:
        """Passes hashes that are as before in a rendering of after without mapped images."""
        found = {object_name(data): data for data in unmapped}

        def is_derived(item: ObjectDifference) -> bool:
            data, old = found.get(item.object), self._objects.get(item.object)
            if data is None or _at(data, item.path) != item.before:
                return False
            if old is not None and self.judge.is_fixed(old[0], item.path):
                return False
            return self._is_rehashed_text(item.before, item.after)

        self._settle(is_derived, DifferenceClass.DERIVED)

    def _is_rehashed_text(self, before: Any, after: Any) -> bool:
        """Whether two texts are hashes, or lines that differ by hashes and moved images alone."""
        if not isinstance(before, str) or not isinstance(after, str):
            return False
        if _is_rehashed_name(before, after) or (_HASH.fullmatch(before) and _HASH.fullmatch(after)):
            return True
        old, new = ([_LONG_HASH.sub("", line) for line in t.split("\n")] for t in (before, after))
        return len(old) == len(new) and all(
            self.judge.texts.pairs(one, other, "") is not None
            for one, other in zip(old, new, strict=True)
        )

    def diffs(self) -> dict[ObjectName, str]:
        """The objects with something unexplained; what has moved is shown as it was."""
        made: dict[ObjectName, str] = {}
        wanted = {
            item.object: None
            for item in self.differences
            if item.kind is DifferenceClass.UNEXPLAINED
        }
        for name in wanted:
            old, new = self._objects.get(name, (None, None))
            if old is None or new is None:
                pair = old or self._lone(name, "gone"), self._lone(name, "")
            else:
                pair = old, self._shown(name, old, new)
            made[name] = diff_objects(*hide_pair(*pair))
        return made

    def _shown(self, name: ObjectName, old: Plain, new: Plain) -> Plain:
        """The object of after, with only what is unexplained changed."""
        paths = {item.path for item in self.differences if item.object == name}
        made: Plain = self.judge.unmapped(old, new)
        for pair in self.judge.compare(old, new):
            if isinstance(pair, Differs) and pair.reason and pair.path in paths:
                made = self.judge.put(made, pair.path, pair.after)
        return made

    def _lone(self, name: ObjectName, side: str) -> Plain | None:
        objects = self.pairing.gone if side else self.pairing.added
        return next((data for data in objects if object_name(data) == name), None)

    def _settle(self, fits: Callable[[ObjectDifference], bool], kind: DifferenceClass) -> None:
        self.differences = [
            replace(item, kind=kind, reason="")
            if item.kind is DifferenceClass.UNEXPLAINED and not item.reason and fits(item)
            else item
            for item in self.differences
        ]

    def _is_rehashed(self, old: Plain, new: Plain, hashes: Mapping[ObjectName, str]) -> bool:
        content = [
            item
            for item in self.judge.compare(old, new)
            if isinstance(item, Differs) and item.path != _NAME
        ]
        if content:
            return False
        return _suffix(new) == (hashes.get(object_name(new)) or name_hash(new))

    def _find_left(self, moved: Mapping[str, str]) -> None:
        kept = {object_name(new).name for _, new in self.pairing.renamed}
        gone = {old: new for old, new in moved.items() if old not in kept}
        for name, (_, data) in self._objects.items():
            for text in texts_of(data):
                if text in gone:
                    self.differences.append(
                        ObjectDifference(
                            name,
                            (),
                            gone[text],
                            text,
                            DifferenceClass.UNEXPLAINED,
                            f"still refers to {text}, which is {gone[text]} now",
                        )
                    )

    def add(self, old: Plain, new: Plain) -> None:
        """Compares one pair."""
        name = object_name(old)
        self._objects[name] = (old, new)
        found = self.judge.compare(old, new)
        wrong = {item.path for item in found if isinstance(item, Differs)}
        for path, text in image_fields(old):
            other = _at(new, path)
            if isinstance(other, str) and (other == text or path in wrong):
                self.images.append(ImagePair(text, other, ok=path not in wrong))
        for item in found:
            if isinstance(item, Moved):
                self.images += [ImagePair(one, two, ok=True) for one, two in item.pairs]
            else:
                self.differences.append(_difference(name, item))


def compare_objects(before: Iterable[Plain], after: Iterable[Plain], judge: Judge) -> Comparison:
    """Compares the objects of a unit; what differs otherwise is unexplained at first."""
    made = Comparison(judge, pair_objects(before, after))
    for old, new in (*made.pairing.pairs, *made.pairing.renamed):
        made.add(old, new)
    for data in made.pairing.gone:
        item = Differs((), "an object", MISSING)
        made.differences.append(_difference(object_name(data), item))
    for data in made.pairing.added:
        item = Differs((), MISSING, "an object")
        made.differences.append(_difference(object_name(data), item))
    made.images = sorted(set(made.images), key=lambda pair: (pair.before, pair.after, pair.ok))
    return made


def _difference(name: ObjectName, item: Differs) -> ObjectDifference:
    return ObjectDifference(
        name, item.path, item.before, item.after, DifferenceClass.UNEXPLAINED, item.reason
    )


def _suffix(data: Plain) -> str:
    name = object_name(data).name
    return name[len(base_name(name)) + 1 :]


def _is_rehashed_name(before: str, after: str) -> bool:
    """Whether two names are one but for a hash of the same length behind it."""
    old, new = map(_HASHED_NAME.fullmatch, (before, after))
    return old is not None and new is not None and old[1] == new[1] and len(old[2]) == len(new[2])


def _is_named_anew(
    name: ObjectName, first: Mapping[ObjectName, Plain], twins: Mapping[ObjectName, Plain]
) -> bool:
    """Whether an object that only after has is one whose name each rendering makes up."""
    base = base_name(name.name)
    return base != name.name and all(
        any(
            (one.kind, one.namespace) == (name.kind, name.namespace)
            and base_name(one.name) == base
            and one not in others
            for one in some
        )
        for some, others in ((first, twins), (twins, first))
    )


def _at(data: Any, path: ValuePath) -> Any:
    for part in path:
        is_item = isinstance(data, list) and isinstance(part, int) and part < len(data)
        if not is_item and not (isinstance(data, Mapping) and part in data):
            return MISSING
        data = data[part]
    return data
