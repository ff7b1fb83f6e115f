"""The images that a repository uses, as the inventory hands them over."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from imageshift.cache import Mapped, RuleSet
from imageshift.lazy import lazy_re
from imageshift.reference import ImageReference

__all__ = ["UsedImage", "used_image"]

_BARE_DIGEST = lazy_re(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class UsedImage:
    """One image, with its target in the cache (None: no rule takes it) and its places.

    `places` are `path:line:col`; `resources` are the `apiVersion/Kind` of the objects that
    name it, as far as they are known. A digest may come without its algorithm, as charts whose
    key is `sha` have it.
    """

    upstream: ImageReference
    target: ImageReference | None
    places: tuple[str, ...] = ()
    resources: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "upstream", _with_algorithm(self.upstream))
        if self.target is not None:
            object.__setattr__(self, "target", _with_algorithm(self.target))

    @property
    def first_place(self) -> str:
        """The first place, or nothing."""
        return self.places[0] if self.places else ""


def used_image(
    reference: ImageReference,
    rules: RuleSet,
    places: Iterable[str] = (),
    resources: Iterable[str] = (),
) -> UsedImage:
    """The used image that a reference makes under rules; a cached one keeps its own name."""
    upstream = rules.unmap(reference) or rules.normalize(reference)
    outcome = rules.map(upstream)
    target = outcome.target if isinstance(outcome, Mapped) else None
    return UsedImage(upstream, target, tuple(places), frozenset(resources))


def _with_algorithm(reference: ImageReference) -> ImageReference:
    digest = reference.digest
    if digest is None or not _BARE_DIGEST.fullmatch(digest):
        return reference
    return replace(reference, digest=f"sha256:{digest}")
