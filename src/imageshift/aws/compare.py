"""What differs between the rules in force, the rules found elsewhere, and the images in use."""

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from imageshift.aws.found import FoundRule
from imageshift.aws.used import UsedImage
from imageshift.cache import Rule, RuleSet
from imageshift.data.upstreams import find_upstream

__all__ = ["Difference", "DifferenceKind", "compare_rules", "pinned_prefixes", "rules_in_use"]


class DifferenceKind(StrEnum):
    """How two sets of rules differ."""

    MISSING = "missing"
    OTHER_UPSTREAM = "other-upstream"
    OTHER_PREFIX = "other-prefix"
    EXTRA = "extra"
    UNUSED = "unused"
    UNCOVERED = "uncovered"


_BREAKING = frozenset(
    {DifferenceKind.MISSING, DifferenceKind.OTHER_UPSTREAM, DifferenceKind.OTHER_PREFIX}
)


class Difference(Struct, frozen=True):
    """One difference; `places` are where the other rule, or the images, stand."""

    kind: DifferenceKind
    subject: str
    message: str
    places: tuple[str, ...] = ()

    @property
    def breaks_pulls(self) -> bool:
        """Whether images of the rule can't be pulled as they are mapped."""
        return self.kind in _BREAKING


def rules_in_use(rules: RuleSet, used: Iterable[UsedImage]) -> dict[Rule, list[UsedImage]]:
    """The rules that some image's target lies under, in the order of the rules."""
    found: dict[Rule, list[UsedImage]] = {rule: [] for rule in rules.rules}
    for image in used:
        rule = None if image.target is None else rules.rule_of(image.target)
        if rule is not None:
            found[rule].append(image)
    return {rule: images for rule, images in found.items() if images}


def pinned_prefixes(rules: RuleSet, used: Iterable[UsedImage]) -> frozenset[str]:
    """The prefixes of the rules under which some image is asked for by its digest."""
    return frozenset(
        rule.prefix
        for rule, images in rules_in_use(rules, used).items()
        if any(image.target is not None and image.target.digest is not None for image in images)
    )


def compare_rules(
    rules: RuleSet, found: Iterable[FoundRule], used: Iterable[UsedImage] | None = None
) -> tuple[Difference, ...]:
    """The differences between the rules in force and those found, then those with the images.

    Without `used`, nothing is said about images.
    """
    there = tuple(found)
    differences = [_difference(rule, there) for rule in rules.rules]
    result = [one for one in differences if one is not None]
    result += _extra(rules.rules, there)
    if used is not None:
        images = tuple(used)
        result += [*_unused(rules, images), *_uncovered(images)]
    return tuple(result)


def _difference(rule: Rule, found: tuple[FoundRule, ...]) -> Difference | None:
    same_prefix = [one for one in found if one.rule.prefix == rule.prefix]
    if any(one.rule == rule for one in same_prefix):
        return None
    if same_prefix:
        other = same_prefix[0]
        return Difference(
            DifferenceKind.OTHER_UPSTREAM,
            rule.prefix,
            f"{rule} is expected, but there is {other.rule}",
            (other.place,),
        )
    renamed = [one for one in found if _reach(one.rule) == _reach(rule)]
    if renamed:
        return Difference(
            DifferenceKind.OTHER_PREFIX,
            rule.prefix,
            f"{rule} is expected, but the prefix of {rule.upstream} there is "
            f"{' or '.join(one.rule.prefix for one in renamed)}",
            tuple(one.place for one in renamed),
        )
    return Difference(DifferenceKind.MISSING, rule.prefix, f"{rule} isn't there")


def _reach(rule: Rule) -> tuple[str, str | None]:
    return rule.upstream, rule.upstream_prefix


def _extra(rules: tuple[Rule, ...], found: tuple[FoundRule, ...]) -> list[Difference]:
    prefixes = {rule.prefix for rule in rules}
    reaches = {_reach(rule) for rule in rules}
    return [
        Difference(
            DifferenceKind.EXTRA,
            one.rule.prefix,
            f"{one.rule} is there, but not among the rules in force",
            (one.place,),
        )
        for one in found
        if one.rule.prefix not in prefixes and _reach(one.rule) not in reaches
    ]


def _unused(rules: RuleSet, used: tuple[UsedImage, ...]) -> list[Difference]:
    busy = rules_in_use(rules, used)
    return [
        Difference(DifferenceKind.UNUSED, rule.prefix, f"no image uses {rule}")
        for rule in rules.rules
        if rule not in busy
    ]


def _uncovered(used: tuple[UsedImage, ...]) -> list[Difference]:
    places: dict[str, list[str]] = {}
    for image in used:
        host = image.upstream.registry
        if image.target is None and find_upstream(host) is not None:
            places.setdefault(host, []).extend(image.places)
    return [
        Difference(
            DifferenceKind.UNCOVERED,
            host,
            f"images of {host} are used and ECR can cache them, but no rule covers them",
            tuple(where),
        )
        for host, where in sorted(places.items())
    ]
