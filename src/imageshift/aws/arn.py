"""ARNs of the registry's partition.

Source: botocore's partitions file (facts 3); Service Authorization Reference, Amazon ECR and IAM.
"""

import re

from imageshift.ecr import ROOT, Registry

__all__ = ["partition_of", "repository_arn", "role_arn", "secret_problem"]

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("eusc-", "aws-eusc"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("us-iso-", "aws-iso"),
    ("eu-isoe-", "aws-iso-e"),
)

_SECRET = re.compile(r"arn:[\w-]+:secretsmanager:([\w-]*):(\d*):secret:(.+)")


def partition_of(region: str | None) -> str:
    """The partition of a region.

    >>> partition_of("eu-west-2"), partition_of("eusc-de-east-1")
    ('aws', 'aws-eusc')
    """
    found = (name for start, name in _PARTITIONS if (region or "").startswith(start))
    return next(found, "aws")


def repository_arn(registry: Registry, prefix: str) -> str:
    """The ARN pattern of all repositories under a rule's prefix."""
    path = "*" if prefix == ROOT else f"{prefix}/*"
    partition = partition_of(registry.region)
    return f"arn:{partition}:ecr:{registry.region}:{registry.account}:repository/{path}"


def role_arn(role: str, registry: Registry) -> str:
    """The ARN of a role that is given by name or by ARN."""
    if role.startswith("arn:"):
        return role
    return f"arn:{partition_of(registry.region)}:iam::{registry.account}:role/{role}"


def secret_problem(arn: str, registry: Registry) -> str | None:
    """What is wrong with a credential's ARN for rules of this registry, or None.

    Its name must begin with `ecr-pullthroughcache/`, and it must be of the rule's account and
    region (ECR User Guide, "Storing your upstream repository credentials").
    """
    found = _SECRET.fullmatch(arn)
    if found is None:
        return "it isn't the ARN of a Secrets Manager secret"
    region, account, name = found.groups()
    if not name.startswith("ecr-pullthroughcache/"):
        return f"the secret {name} isn't named ecr-pullthroughcache/…"
    if registry.region is not None and region != registry.region:
        return f"the secret is in {region}, the rule in {registry.region}"
    if registry.account is not None and account != registry.account:
        return f"the secret is in account {account}, the rule in {registry.account}"
    return None
