"""Warnings that need to know AWS's side: rules the account lacks, Lambda, what to do instead.

Those that a plan can tell by itself (digest pins, moving tags, the first pull's route) are
`imageshift.advice`'s. Sources: ECR User Guide, "Sync an upstream registry with an Amazon ECR
private registry" (Lambda; facts 5), facts 9 for registries that ECR can't cache.
"""

from collections.abc import Iterable

from msgspec import Struct

from imageshift.advice import Code
from imageshift.aws.compare import rules_in_use
from imageshift.aws.found import FoundRule
from imageshift.aws.used import UsedImage
from imageshift.cache import RuleSet
from imageshift.data.upstreams import find_upstream, remedy

__all__ = ["Notice", "find_notices"]

_LAMBDA_GROUPS = frozenset({"lambda.services.k8s.aws", "lambda.aws.upbound.io"})


class Notice(Struct, frozen=True):
    """A warning: `count` images are meant, `places` are where they stand."""

    code: Code
    message: str
    count: int
    places: tuple[str, ...]
    hint: str


def find_notices(
    used: Iterable[UsedImage], rules: RuleSet, found: Iterable[FoundRule] | None = None
) -> tuple[Notice, ...]:
    """The warnings on the images in use; `found` are the account's rules, when they are known."""
    images = tuple(used)
    missing = [] if found is None else _missing_rules(images, rules, found)
    return (*missing, *_for_lambda(images), *_unsupported(images))


def _notice(code: Code, message: str, images: list[UsedImage], hint: str) -> Notice:
    places = tuple(place for image in images for place in image.places)
    return Notice(code, message, len(images), places, hint)


def _missing_rules(
    images: tuple[UsedImage, ...], rules: RuleSet, found: Iterable[FoundRule]
) -> list[Notice]:
    there = {one.rule for one in found}
    hint = "imageshift rules validate says what is wrong; infra terraform writes the rule"
    return [
        _notice(Code.RULE_MISSING, f"the account has no rule {rule}", meant, hint)
        for rule, meant in rules_in_use(rules, images).items()
        if rule not in there
    ]


def _for_lambda(images: tuple[UsedImage, ...]) -> list[Notice]:
    meant = [
        image
        for image in images
        if image.target is not None
        and any(resource.partition("/")[0] in _LAMBDA_GROUPS for resource in image.resources)
    ]
    message = "Lambda functions can't pull through the cache"
    hint = "copy their images into repositories of your own"
    return [_notice(Code.LAMBDA, message, meant, hint)] if meant else []


def _unsupported(images: tuple[UsedImage, ...]) -> list[Notice]:
    by_host: dict[str, list[UsedImage]] = {}
    for image in images:
        host = image.upstream.registry
        if image.target is None and find_upstream(host) is None:
            by_host.setdefault(host, []).append(image)
    return [
        _notice(Code.UNSUPPORTED_UPSTREAM, f"ECR can't cache {host}", meant, remedy(host))
        for host, meant in sorted(by_host.items())
    ]
