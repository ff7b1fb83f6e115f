"""What a proof is made of: verdicts on builds, releases and files, and what differs in them."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from imageshift.charts.model import ObjectName, ValuePath
from imageshift.errors import ImageshiftError, ToolError

__all__ = [
    "MISSING",
    "DifferenceClass",
    "ImagePair",
    "Missing",
    "ObjectDifference",
    "Plain",
    "Problem",
    "Proof",
    "UnitKey",
    "Verdict",
    "VerdictKind",
    "as_tool_error",
    "decoded",
    "object_name",
    "spell_object",
    "spell_path",
]

Plain = Mapping[str, Any]
"""An object as plain data."""


class Missing:
    """What stands for a value that isn't there; null is a value."""

    def __repr__(self) -> str:
        return "absent"


MISSING = Missing()


class VerdictKind(StrEnum):
    """What a verdict is about."""

    KUSTOMIZATION = "Kustomization"
    RELEASE = "HelmRelease"
    APPLICATION = "Application"
    FILE = "File"


class UnitKey(Struct, frozen=True):
    """What identifies a build, a release or a file in both trees; `place` is its folder or file.

    `number` tells apart those that are alike in everything else.
    """

    kind: VerdictKind
    namespace: str
    name: str
    place: str
    number: int = 0

    def __str__(self) -> str:
        name = "/".join(filter(None, (self.namespace, self.name)))
        return f"{self.kind.value} {name}"


class DifferenceClass(StrEnum):
    """What a difference is that is no image under its mapped name."""

    NOISE = "noise"
    """Two renders of the same input differ there."""
    DERIVED = "derived"
    """It follows from mapped content, recomputed."""
    UNEXPLAINED = "unexplained"
    """Everything else: only this fails."""


class ImagePair(Struct, frozen=True):
    """An image before and after; `ok` when it is the same, or exactly the mapped one."""

    before: str
    after: str
    ok: bool


class ObjectDifference(Struct, frozen=True):
    """A place of an object that differs; `reason` says in words what is wrong with it."""

    object: ObjectName
    path: ValuePath
    before: Any
    after: Any
    kind: DifferenceClass
    reason: str = ""


class Problem(Struct, frozen=True):
    """Something that couldn't be rendered or built; `place` is a file with its line."""

    place: str
    message: str
    hint: str | None = None


class Verdict(Struct, frozen=True, kw_only=True):
    """What came of one build, release or file.

    `file` is where it is written, `files` are all that it is made of, as far as is known;
    `problem` says why it couldn't be compared, `diffs` are the objects with unexplained
    differences, as unified diffs by their names.
    """

    key: UnitKey
    file: str
    files: frozenset[str] = frozenset()
    images: tuple[ImagePair, ...] = ()
    differences: tuple[ObjectDifference, ...] = ()
    diffs: Mapping[ObjectName, str] = field(default_factory=dict)
    problem: Problem | None = None
    objects: int = 0

    @property
    def unexplained(self) -> tuple[ObjectDifference, ...]:
        """The differences that fail."""
        return tuple(d for d in self.differences if d.kind is DifferenceClass.UNEXPLAINED)

    @property
    def is_equal(self) -> bool:
        """Whether nothing but mapped images differs."""
        return not self.unexplained and all(pair.ok for pair in self.images)

    @property
    def moved(self) -> int:
        """How many different images go to their mapped names."""
        return sum(1 for pair in self.images if pair.ok and pair.before != pair.after)


class Proof(Struct, frozen=True):
    """All verdicts, in order of place and name."""

    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether nothing but mapped images differs anywhere."""
        return all(verdict.is_equal for verdict in self.verdicts)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why some couldn't be compared."""
        return tuple(v.problem for v in self.verdicts if v.problem is not None)


def as_tool_error(error: Exception) -> ImageshiftError:
    """What stands in the way of one build or release, for its verdict alone.

    Objects of others may have any shape, which shows as any error of Python's.
    """
    if isinstance(error, ImageshiftError):
        return error
    if isinstance(error, RecursionError):
        return ToolError("it is nested too deeply")
    if isinstance(error, OSError):
        return ToolError(error.strerror or str(error))
    return ToolError(f"it has an unexpected shape ({type(error).__name__}: {str(error)[:120]})")


def object_name(data: Plain) -> ObjectName:
    """Which object it is; one with generateName goes by that."""
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    name = metadata.get("name") or metadata.get("generateName")
    return ObjectName(
        str(data.get("apiVersion") or ""),
        str(data.get("kind") or ""),
        str(metadata.get("namespace") or ""),
        str(name or ""),
    )


def decoded(value: Any) -> Any:
    """The text that base64 spells; anything else as it is."""
    try:
        return base64.b64decode(value, validate=True).decode() if isinstance(value, str) else value
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return value


def spell_object(name: ObjectName) -> str:
    """`Kind/namespace/name`, without what is empty."""
    return "/".join(filter(None, (name.kind, name.namespace, name.name)))


def spell_path(path: Iterable[str | int]) -> str:
    """`spec.containers[0].image`."""
    made = ""
    for part in path:
        made += f"[{part}]" if isinstance(part, int) else f".{part}" if made else str(part)
    return made
