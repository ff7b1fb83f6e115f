"""ARNs of the registry's partition.

Source: Service Authorization Reference, Amazon ECR and IAM.
"""

from imageshift.data.upstreams import SECRET_PREFIX
from imageshift.ecr import ROOT, Registry, partition_of
from imageshift.lazy import lazy_re

__all__ = ["repository_arn", "role_arn", "secret_problem"]

_SECRET = lazy_re(r"arn:[\w-]+:secretsmanager:([\w-]*):(\d*):secret:(.+)")


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
    if not name.startswith(SECRET_PREFIX):
        return f"the secret {name} isn't named {SECRET_PREFIX}…"
    if registry.region is not None and region != registry.region:
        return f"the secret is in {region}, the rule in {registry.region}"
    if registry.account is not None and account != registry.account:
        return f"the secret is in account {account}, the rule in {registry.account}"
    return None
