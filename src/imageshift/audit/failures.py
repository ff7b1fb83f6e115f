"""Why a pull failed, in terms of rules, permissions and paths: from the kubelet's own message.

Sources: ECR User Guide, "Troubleshooting pull through cache issues" (facts 6); containerd's and
the kubelet's messages (`ErrImagePull`, `ImagePullBackOff`, `InvalidImageName`).
"""

import re

from msgspec import Struct

from imageshift.cache import Cached, Mapped, RuleSet
from imageshift.errors import InvalidReferenceError
from imageshift.reference import ImageReference

__all__ = ["PULL_REASONS", "explain_pull"]

PULL_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "RegistryUnavailable",
        "ImageInspectError",
        "SignatureValidationFailed",
    }
)
"""The reasons for which a container waits that have to do with its image."""


class _Sign(Struct, frozen=True):
    """A part of a message, and what it means for an image on the cache, or for any other."""

    pattern: re.Pattern[str]
    cached: str
    other: str


# A status of HTTP's, and no digits of a name, tag or digest.
_STATUS = r"(?<![\w.:@/+-])(?:{})(?![\w-]|\.\w)"


def _sign(pattern: str, cached: str, other: str = "") -> _Sign:
    return _Sign(re.compile(pattern, re.IGNORECASE), cached, other or cached)


_SIGNS = (
    _sign(
        r"no match for platform|no matching manifest",
        "the image isn't built for the node's platform",
    ),
    _sign(
        rf"too ?many ?requests|{_STATUS.format(429)}|rate limit",
        "{upstream}'s rate limit is reached: give the rule {prefix} a secret of a paid account",
        "the registry's rate limit is reached, which the cache would avoid{move}",
    ),
    _sign(
        r"BatchImportUpstreamImage",
        "the node's role lacks ecr:BatchImportUpstreamImage for {repository}",
    ),
    _sign(r"CreateRepository", "the node's role lacks ecr:CreateRepository for {repository}"),
    _sign(
        r"not authorized to perform:? (ecr:\w+)",
        "the node's role lacks {action} for {repository}",
    ),
    _sign(
        r"no basic auth credentials",
        "the node has no login for the registry: the kubelet's ECR credential provider must know "
        "it, and the node's role needs ecr:GetAuthorizationToken",
        "the registry needs a login, and the pod has none",
    ),
    _sign(
        rf"manifest unknown|name unknown|not found|{_STATUS.format(404)}|does not exist",
        "{path}",
        "the registry has no such image: {image}",
    ),
    _sign(
        rf"{_STATUS.format(403)}|forbidden|denied",
        "ECR denies it: {path}; or the rule's secret can't read it from {upstream}, or the node's "
        "role or a repository policy denies it",
        "the registry denies it: the image is private, or doesn't exist",
    ),
    _sign(
        rf"{_STATUS.format(401)}|unauthori[sz]ed",
        "the login was rejected: check the node's role, or the secret of the rule {prefix}",
        "the registry rejected the login",
    ),
    _sign(
        r"no such host|server misbehaving",
        "the host can't be resolved: are the account and Region right, and does the VPC have a "
        "DNS resolver?",
        "the host can't be resolved",
    ),
    _sign(
        r"i/o timeout|deadline exceeded|connection refused|no route|unreachable|connection reset",
        "the registry can't be reached: the node needs a route or the VPC endpoints ecr.dkr, "
        "ecr.api and s3",
        "the registry can't be reached from the node{move}",
    ),
    _sign(r"x509|certificate", "the node doesn't trust the registry's certificate"),
)


def explain_pull(image: str, reason: str, message: str, rules: RuleSet) -> str:
    """What a failed pull means; the kubelet's own message if it isn't recognized."""
    try:
        reference = rules.normalize(rules.parse(image))
    except InvalidReferenceError as error:
        return f"the image's name isn't valid: {error}"
    if reason == "ErrImageNeverPull":
        return "the pod may not pull (imagePullPolicy: Never), and the node doesn't have it"
    own = reference.registry == rules.registry.host
    for sign in _SIGNS:
        found = sign.pattern.search(message)
        if found is not None:
            words = _words(reference, rules, found[1] if found.re.groups else "")
            return (sign.cached if own else sign.other).format_map(words)
    return " ".join(message.split())[:300] or reason


def _words(reference: ImageReference, rules: RuleSet, action: str) -> dict[str, str]:
    upstream, rule = rules.unmap(reference), rules.rule_of(reference)
    outcome = rules.map(reference)
    move = f": as {outcome.target.normalized}" if isinstance(outcome, Mapped) else ""
    return {
        "image": reference.normalized,
        "repository": reference.repository,
        "upstream": "the upstream" if upstream is None else upstream.registry,
        "prefix": "" if rule is None else rule.prefix,
        "path": _path(reference, rules),
        "action": action,
        "move": move,
    }


def _path(reference: ImageReference, rules: RuleSet) -> str:
    """What is wrong with a path on the target registry, as far as the rules tell."""
    outcome = rules.map(reference)
    if isinstance(outcome, Mapped):
        return f"the path is wrong and should be {outcome.target.full_name}"
    if not isinstance(outcome, Cached):
        return f"no rule covers {reference.repository}, and there is no such repository or image"
    return (
        f"{outcome.upstream.normalized} isn't cached and wasn't fetched: it doesn't exist "
        f"upstream, the rule {outcome.rule.prefix} doesn't exist, or the node's role lacks "
        "ecr:BatchImportUpstreamImage and ecr:CreateRepository"
    )
