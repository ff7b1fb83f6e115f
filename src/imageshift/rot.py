"""Findings about overrides that no longer fit what they override (docs, "Staying right")."""

from enum import StrEnum

from msgspec import Struct

from imageshift.source import Place

__all__ = ["PRUNE", "Rot", "RotCode"]

PRUNE = "imageshift migrate --prune removes it"
"""What to do about an override that does nothing."""


class RotCode(StrEnum):
    """What is wrong with an override."""

    STALE = "override-stale"
    """It names another image than the chart takes by itself."""
    DEAD = "override-dead"
    """Nothing reads it, or nothing matches it."""
    PHANTOM = "path-phantom"
    """It names a path on the target registry that no rule makes."""


class Rot(Struct, frozen=True):
    """One finding, with what to do about it; `image` is what is pulled now, if it is an image.

    `mends` says that a migration makes the change.
    """

    code: RotCode
    file: str
    place: Place
    message: str
    hint: str
    image: str = ""
    mends: bool = False
