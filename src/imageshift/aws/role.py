"""What a role may not do that pulling through the cache needs, by IAM's simulation.

Source: ECR User Guide, "IAM permissions required to sync an upstream registry" (facts 6);
IAM's `SimulatePrincipalPolicy`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from imageshift.aws.arn import repository_arn, role_arn
from imageshift.aws.client import AwsOptions, aws_errors
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
    with aws_errors("iam:SimulatePrincipalPolicy", options):
        return [
            (str(result["EvalActionName"]), resource)
            for actions, resource in asked
            for result in _simulate(client, principal, actions, resource)
            if result.get("EvalDecision") != "allowed"
        ]


def _simulate(
    client: Any, principal: str, actions: tuple[str, ...], resource: str
) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=principal, ActionNames=list(actions), ResourceArns=[resource]
    )
    for page in pages:
        yield from page.get("EvaluationResults", ())
