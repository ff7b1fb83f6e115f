"""What a role may not do that pulling through the cache needs, by IAM's simulation.

Source: ECR User Guide, "IAM permissions required to sync an upstream registry" (facts 6);
IAM's `SimulatePrincipalPolicy`.
"""

from collections.abc import Sequence
from typing import Any

from imageshift.aws.arn import repository_arn, role_arn
from imageshift.aws.client import AwsOptions, ask_rows
from imageshift.cache import Rule
from imageshift.ecr import Registry

__all__ = ["LOGIN_ACTION", "PULL_ACTIONS", "denied_actions"]

LOGIN_ACTION = "ecr:GetAuthorizationToken"
"""Allowed on `*` only: it has no resource."""

PULL_ACTIONS = (
    "ecr:BatchGetImage",
    "ecr:BatchImportUpstreamImage",
    "ecr:CreateRepository",
    "ecr:GetDownloadUrlForLayer",
)
"""What pulling through the cache takes, on the repositories of a rule's prefix."""


def denied_actions(
    client: Any, role: str, registry: Registry, rules: Sequence[Rule], options: AwsOptions
) -> list[tuple[str, str]]:
    """The actions, with their resource, that IAM's simulation doesn't allow the role.

    Raises:
        ToolError: AWS refused or can't be reached.
    """
    principal = role_arn(role, registry)
    asked: list[tuple[tuple[str, ...], str]] = [((LOGIN_ACTION,), "*")]
    asked += [(PULL_ACTIONS, repository_arn(registry, rule.prefix)) for rule in rules]
    return [
        (action, resource)
        for actions, resource in asked
        for action in _denied(client, principal, actions, resource, options)
    ]


def _denied(
    client: Any, principal: str, actions: tuple[str, ...], resource: str, options: AwsOptions
) -> list[str]:
    rows = ask_rows(
        client,
        "simulate_principal_policy",
        "EvaluationResults",
        options,
        PolicySourceArn=principal,
        ActionNames=list(actions),
        ResourceArns=[resource],
    )
    allowed = {row.get("EvalActionName") for row in rows if row.get("EvalDecision") == "allowed"}
    # An action without a verdict isn't known to be allowed.
    return [action for action in actions if action not in allowed]
