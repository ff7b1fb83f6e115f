"""Where references go, and how they are spelled there: into the cache, and out of it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec.structs import replace

from imageshift.cache import Mapped, Outcome, RuleSet, Unmapped, UnmappedReason
from imageshift.data.upstreams import alias_of
from imageshift.ecr import ROOT
from imageshift.errors import InvalidReferenceError
from imageshift.reference import DOCKER_HUB, ImageReference, name_length

__all__ = ["Backward", "Contested", "Forward", "Mapper", "text_target"]


class Mapper(Protocol):
    """Where references go, and how their names are spelled there."""

    def parse(self, text: str) -> ImageReference:
        """The reference of a text."""
        ...

    def map(self, reference: ImageReference) -> Outcome:
        """Where it goes."""
        ...

    def whole_name(self, target: ImageReference) -> str:
        """The name as one text."""
        ...

    def split_names(self, target: ImageReference) -> tuple[str, ...]:
        """The spellings that a registry and a repository may make together, best first."""
        ...


class Forward:
    """Into the cache. Outcomes are remembered, since one image stands in many places."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self._outcomes: dict[ImageReference, Outcome] = {}

    def parse(self, text: str) -> ImageReference:
        """The reference of a text; the registry's own host may be a variable."""
        return self.rules.parse(text)

    def map(self, reference: ImageReference) -> Outcome:
        """As `RuleSet.map`; where an alias would give a reference a rule, the detail names it."""
        found = self._outcomes.get(reference)
        if found is None:
            found = self._outcomes[reference] = self._with_alias(
                reference, self.rules.map(reference)
            )
        return found

    def _with_alias(self, reference: ImageReference, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, Unmapped) or outcome.reason is not UnmappedReason.NO_RULE:
            return outcome
        host = reference.registry
        upstream = alias_of(host)
        if upstream is None:
            return outcome
        registry, _, above = upstream.partition("/")
        repository = f"{above}/{reference.repository}".lstrip("/")
        if not isinstance(self.rules.map(reference.with_name(registry, repository)), Mapped):
            return outcome
        return replace(outcome, detail=f"{outcome.detail}: --alias {host}={upstream} gives it one")

    def whole_name(self, target: ImageReference) -> str:
        """The full name."""
        return target.full_name

    def split_names(self, target: ImageReference) -> tuple[str, ...]:
        """The full name only."""
        return (target.full_name,)


class Contested:
    """Several ways at once, for a file that several registries reach: only what they agree on.

    On the way `back` a reference has one registry, and the one that knows it says where it goes.
    """

    def __init__(self, mappers: Sequence[Mapper], *, back: bool = False) -> None:
        self._mappers = mappers
        self._back = back

    def parse(self, text: str) -> ImageReference:
        """The reference of a text."""
        return self._mappers[0].parse(text)

    def map(self, reference: ImageReference) -> Outcome:
        """The common answer; a conflict when there are several."""
        outcomes = [mapper.map(reference) for mapper in self._mappers]
        if self._back:
            return min(outcomes, key=lambda outcome: not isinstance(outcome, Mapped))
        first, *others = outcomes
        if all(other == first for other in others):
            return first
        return Unmapped(
            UnmappedReason.CONFLICT, "several registries in the configuration apply to this file"
        )

    def whole_name(self, target: ImageReference) -> str:
        """The name as one text."""
        return self._mappers[0].whole_name(target)

    def split_names(self, target: ImageReference) -> tuple[str, ...]:
        """The spellings for a registry and a repository."""
        return self._mappers[0].split_names(target)


_ELSEWHERE = frozenset(
    {UnmappedReason.OWN_REPOSITORY, UnmappedReason.OTHER_ECR, UnmappedReason.BAD_ACCOUNT}
)


class Backward:
    """Out of the cache: what is under a rule's prefix gets its upstream's name again.

    References under ROOT never go back: any repository of the account could lie there.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules

    def parse(self, text: str) -> ImageReference:
        """The reference of a text; the registry's own host may be a variable."""
        return self.rules.parse(text)

    def map(self, reference: ImageReference) -> Outcome:
        """The upstream's reference as `Mapped`, or why there is none."""
        upstream = self.rules.unmap(reference)
        rule = self.rules.rule_of(reference)
        if upstream is not None and rule is not None and rule.prefix != ROOT:
            return Mapped(upstream, rule)
        if upstream is not None:
            detail = "under ROOT there may be any repository of the account, so nothing is reverted"
            return Unmapped(UnmappedReason.OWN_REPOSITORY, detail)
        outcome = self.rules.map(reference)
        if isinstance(outcome, Unmapped) and outcome.reason in _ELSEWHERE:
            return outcome
        return Unmapped(UnmappedReason.NO_RULE, "it isn't in the cache")

    def whole_name(self, target: ImageReference) -> str:
        """The familiar name, as people write it."""
        return target.familiar_name

    def split_names(self, target: ImageReference) -> tuple[str, ...]:
        """Registry and repository, Docker Hub's official images without `library/` first."""
        if target.registry != DOCKER_HUB:
            return (target.full_name,)
        return (f"{DOCKER_HUB}/{target.familiar_name}", target.full_name)


def text_target(mapper: Mapper, *, full: bool = False) -> Callable[[str], str | None]:
    """A function from an image's text, as a chart renders it, to its target's; None if it stays."""

    def target(text: str) -> str | None:
        try:
            outcome = mapper.map(mapper.parse(text))
        except InvalidReferenceError:
            return None
        if not isinstance(outcome, Mapped):
            return None
        return mapper.split_names(outcome.target)[-1 if full else 0] + text[name_length(text) :]

    return target
