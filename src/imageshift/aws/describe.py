"""The rules of an account, by DescribePullThroughCacheRules.

Source: botocore's ECR model; no output field is required, and an absent upstream prefix is ROOT
(facts 1.3).
"""

from typing import Any

from imageshift.aws.client import AwsOptions, ask_rows, open_client
from imageshift.aws.found import RuleImport, build_found, merge_imports

__all__ = ["describe_rules", "describe_with"]


def describe_rules(options: AwsOptions) -> RuleImport:
    """The rules of the account and region that the options name.

    Raises:
        ConfigError: boto3 isn't installed, or no region is known.
        ToolError: AWS refused or can't be reached.
    """
    return describe_with(open_client("ecr", options), options)


def describe_with(client: Any, options: AwsOptions) -> RuleImport:
    """The rules that an ECR client of boto3 lists, all pages.

    Raises:
        ToolError: AWS refused or can't be reached.
    """
    place = f"aws:{client.meta.region_name}"
    operation, key = "describe_pull_through_cache_rules", "pullThroughCacheRules"
    rows = ask_rows(client, operation, key, options, **options.registry_id)
    return merge_imports(
        build_found(
            row.get("ecrRepositoryPrefix"),
            row.get("upstreamRegistryUrl"),
            place=place,
            upstream_prefix=row.get("upstreamRepositoryPrefix"),
            kind=row.get("upstreamRegistry"),
            credential=row.get("credentialArn"),
            role=row.get("customRoleArn"),
            account=row.get("registryId"),
        )
        for row in rows
    )
