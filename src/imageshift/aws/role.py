"""What a role may not do that pulling through the cache needs, according to IAM's policy simulator.

Source: ECR User Guide, "IAM permissions required to sync an upstream registry" (facts 6);
IAM's `SimulatePrincipalPolicy`.
"""

from collections.abc import Sequence
from typing import Any

from imageshift.aws.arn import repository_arn, role_arn
from imageshift.aws.client import AwsOptions, ask_rows
from imageshift.cache import Rule
from imageshift.ecr import Registry

__all__ = ["LOGIN_ACTION", "PULL_ACTIONS", "denied_actions", "lacking_policies"]

LOGIN_ACTION = "ecr:GetAuthorizationToken"
"""Allowed on `*` only: it has no resource."""

_BOTH = "neither ecr:BatchImportUpstreamImage nor ecr:CreateRepository"

PULL_ACTIONS = (
    "ecr:BatchGetImage",
    "ecr:BatchImportUpstreamImage",
    "ecr:CreateRepository",
    "ecr:GetDownloadUrlForLayer",
)
"""What pulling through the cache takes, on the repositories of a rule's prefix."""


LACKING = {
    "AmazonEC2ContainerRegistryPullOnly": "no ecr:CreateRepository",
    "AmazonEC2ContainerRegistryReadOnly": _BOTH,
    "AmazonEC2ContainerRegistryPowerUser": _BOTH,
    "AmazonEKSFargatePodExecutionRolePolicy": _BOTH,
    "AmazonECSTaskExecutionRolePolicy": _BOTH,
}
"""AWS's managed policies that look enough and aren't (facts 6, 12.5)."""


def lacking_policies(client: Any, role: str, options: AwsOptions) -> list[str]:
    """The managed policies of a role that don't let it pull through, and what each lacks.

    Raises:
        ToolError: AWS refused or can't be reached.
    """
    rows = ask_rows(
        client,
        "list_attached_role_policies",
        "AttachedPolicies",
        options,
        RoleName=role.rpartition("/")[2],
    )
    names = {str(row.get("PolicyName")) for row in rows}
    return [f"{name} has {lack}" for name, lack in LACKING.items() if name in names]


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
