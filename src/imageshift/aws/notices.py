"""What a plan should warn about on AWS's side (the codes are design §6's closed list).

Sources: ECR User Guide, "Sync an upstream registry with an Amazon ECR private registry"
(24 hours, first-pull route, Lambda); aws/containers-roadmap#2837 for cold digest pulls, which
AWS's own text contradicts, so they are only *reported* to fail (facts 5, 11).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from imageshift.aws.compare import rules_in_use
from imageshift.aws.found import FoundRule
from imageshift.aws.upstreams import find_upstream, remedy
from imageshift.aws.used import UsedImage
from imageshift.cache import RuleSet
from imageshift.ecr import parse_ecr_host

__all__ = ["Notice", "NoticeCode", "find_notices"]


class NoticeCode(StrEnum):
    """The warnings of the published list that are about AWS."""

    RULE_MISSING = "rule-missing"
    LAMBDA = "lambda"
    DIGEST_FIRST_PULL = "digest-first-pull"
    MUTABLE_TAG = "mutable-tag"
    FIRST_PULL_ROUTE = "first-pull-route"
    UNSUPPORTED_UPSTREAM = "unsupported-upstream"
    CONTROLLER_PULL = "controller-pull"


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning: `count` images are meant, `places` are where they stand."""

    code: NoticeCode
    message: str
    count: int
    places: tuple[str, ...] = ()
    hint: str | None = None


_FLOATING = frozenset({"latest", "stable", "edge", "main", "master", "nightly", "dev", "develop"})

_LAMBDA_GROUPS = frozenset({"lambda.services.k8s.aws", "lambda.aws.upbound.io"})

_CONTROLLERS = {
    "serving.knative.dev": "Knative",
    "tekton.dev": "Tekton",
    "argoproj.io": "Argo Workflows",
}
_WORKFLOWS = frozenset({"Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate"})


def find_notices(
    used: Iterable[UsedImage], rules: RuleSet, found: Iterable[FoundRule] | None = None
) -> tuple[Notice, ...]:
    """The warnings on the images in use; `found` are the account's rules, when they are known."""
    images = tuple(used)
    moved = [image for image in images if image.target is not None]
    notices = [
        *_missing_rules(moved, rules, found),
        *_unsupported(images),
        _one(NoticeCode.LAMBDA, moved, _for_lambda, _LAMBDA_TEXT, _LAMBDA_HINT),
        _one(NoticeCode.DIGEST_FIRST_PULL, moved, _is_pinned, _DIGEST_TEXT, _DIGEST_HINT),
        _one(NoticeCode.MUTABLE_TAG, moved, _is_floating, _FLOATING_TEXT, None),
        _one(
            NoticeCode.CONTROLLER_PULL, moved, _for_controller, _CONTROLLER_TEXT, _CONTROLLER_HINT
        ),
        _one(NoticeCode.FIRST_PULL_ROUTE, moved, lambda _: True, _ROUTE_TEXT, _ROUTE_HINT),
    ]
    return tuple(notice for notice in notices if notice is not None)


_LAMBDA_TEXT = "Lambda functions can't pull through the cache"
_LAMBDA_HINT = "copy their images into repositories of your own"
_DIGEST_TEXT = (
    "images are pinned by digest: pulling a digest that isn't cached yet is reported to fail"
)
_DIGEST_HINT = "pull their tags first: imageshift warm PATH"
_FLOATING_TEXT = "tags that move are looked up at their upstream once in 24 hours only"
_CONTROLLER_TEXT = (
    "controllers read the registry of these images themselves: the nodes' permissions don't help"
)
_CONTROLLER_HINT = "give their roles the policy that imageshift infra terraform writes"
_ROUTE_TEXT = (
    "the first pull of an image may need a route to the internet (NAT), with PrivateLink too"
)
_ROUTE_HINT = "warm the cache from a place that has one: imageshift warm PATH"


def _one(
    code: NoticeCode,
    images: list[UsedImage],
    concerns: Callable[[UsedImage], bool],
    text: str,
    hint: str | None,
) -> Notice | None:
    meant = [image for image in images if concerns(image)]
    places = tuple(place for image in meant for place in image.places)
    return Notice(code, text, len(meant), places, hint) if meant else None


def _is_pinned(image: UsedImage) -> bool:
    return image.upstream.digest is not None


def _is_floating(image: UsedImage) -> bool:
    reference = image.upstream
    return reference.digest is None and (reference.tag is None or reference.tag in _FLOATING)


def _groups(image: UsedImage) -> set[tuple[str, str]]:
    pairs = (resource.rpartition("/") for resource in image.resources)
    return {(group.partition("/")[0], kind) for group, _, kind in pairs}


def _for_lambda(image: UsedImage) -> bool:
    return any(group in _LAMBDA_GROUPS for group, _ in _groups(image))


def _for_controller(image: UsedImage) -> bool:
    return any(
        group in _CONTROLLERS and (group != "argoproj.io" or kind in _WORKFLOWS)
        for group, kind in _groups(image)
    )


def _missing_rules(
    moved: list[UsedImage], rules: RuleSet, found: Iterable[FoundRule] | None
) -> list[Notice]:
    if found is None:
        return []
    there = {one.rule for one in found}
    return [
        Notice(
            NoticeCode.RULE_MISSING,
            f"the account has no rule {rule}",
            len(images),
            tuple(place for image in images for place in image.places),
            "imageshift rules validate tells what is wrong, infra terraform writes the rule",
        )
        for rule, images in rules_in_use(rules, moved).items()
        if rule not in there
    ]


def _unsupported(images: tuple[UsedImage, ...]) -> list[Notice]:
    by_host: dict[str, list[UsedImage]] = {}
    for image in images:
        host = image.upstream.registry
        known = find_upstream(host) is not None or parse_ecr_host(host) is not None
        if image.target is None and not known:
            by_host.setdefault(host, []).append(image)
    return [
        Notice(
            NoticeCode.UNSUPPORTED_UPSTREAM,
            f"ECR can't cache {host}",
            len(meant),
            tuple(place for image in meant for place in image.places),
            remedy(host),
        )
        for host, meant in sorted(by_host.items())
    ]
