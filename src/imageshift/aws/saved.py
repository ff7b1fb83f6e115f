"""Rules in saved answers and in objects: the AWS CLI's JSON, HealthOmics, ACK, our own report.

Sources: botocore's ECR model (`DescribePullThroughCacheRulesResponse`) and HealthOmics model
(`registryMappings`); the custom resource PullThroughCacheRule of AWS Controllers for Kubernetes,
ecr.services.k8s.aws/v1alpha1.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from imageshift.aws.documents import PlacedDict
from imageshift.aws.found import Problem, RuleImport, build_found, merge_imports
from imageshift.aws.shapes import mapping_of, rows_of

__all__ = ["read_ack", "read_saved"]

_LISTS = ("pullThroughCacheRules", "registryMappings", "registries")


def read_saved(data: Mapping[str, Any], path: str, text: str) -> RuleImport | None:
    """The rules of a saved answer, or None when it is none.

    Known are `aws ecr describe-pull-through-cache-rules`, HealthOmics' `registryMappings` (also
    inside a `parameters` or `containerRegistryMap` object) and `imageshift rules --format json`.
    """
    for key in _LISTS:
        rows = data.get(key)
        if isinstance(rows, list):
            return merge_imports(_read_rows(key, rows, path, text))
    inner = data.get("containerRegistryMap")
    return read_saved(inner, path, text) if isinstance(inner, Mapping) else None


def read_ack(document: Mapping[str, Any], path: str) -> RuleImport | None:
    """The rule of an ACK object, or None when it is another object."""
    group = str(document.get("apiVersion", "")).partition("/")[0]
    kind = str(document.get("kind", ""))
    if group == "ecr.services.k8s.aws" and kind == "PullThroughCacheRule":
        return _read_ack_rule(document, path)
    if kind.endswith("List"):
        found = [read_ack(item, path) for item in rows_of(document.get("items"))]
        return merge_imports(one for one in found if one is not None)
    return None


def _read_rows(key: str, rows: list[Any], path: str, text: str) -> Iterable[RuleImport]:
    for row in rows:
        if not isinstance(row, Mapping):
            yield RuleImport((), (Problem(f"{path}:1:1", f"a row of {key} is no object"),))
        elif key == "registries":
            yield from (_read_own(one, row, path, text) for one in rows_of(row.get("rules")))
        else:
            yield _read_row(row, path, text)


def _read_row(row: Mapping[str, Any], path: str, text: str) -> RuleImport:
    prefix = row.get("ecrRepositoryPrefix")
    return build_found(
        prefix,
        row.get("upstreamRegistryUrl"),
        place=_place(row, path, text, prefix),
        upstream_prefix=row.get("upstreamRepositoryPrefix"),
        kind=row.get("upstreamRegistry"),
        credential=row.get("credentialArn"),
        role=row.get("customRoleArn"),
        account=row.get("registryId") or row.get("ecrAccountId"),
    )


def _read_own(
    row: Mapping[str, Any], registry: Mapping[str, Any], path: str, text: str
) -> RuleImport:
    return build_found(
        row.get("prefix"),
        row.get("upstream"),
        place=_place(row, path, text, row.get("prefix")),
        upstream_prefix=row.get("upstream_prefix"),
        account=registry.get("account"),
    )


def _read_ack_rule(document: Mapping[str, Any], path: str) -> RuleImport:
    fields = mapping_of(document.get("spec"))
    return build_found(
        fields.get("ecrRepositoryPrefix"),
        fields.get("upstreamRegistryURL"),
        place=_place(document, path, "", None),
        upstream_prefix=fields.get("upstreamRepositoryPrefix"),
        kind=fields.get("upstreamRegistry"),
        credential=fields.get("credentialARN") or fields.get("credentialRef"),
        role=fields.get("customRoleARN") or fields.get("customRoleRef"),
        account=fields.get("registryID"),
    )


def _place(row: Mapping[str, Any], path: str, text: str, prefix: object) -> str:
    if isinstance(row, PlacedDict):
        return f"{path}:{row.line}:{row.column}"
    pattern = rf'"(?:ecrRepositoryPrefix|prefix)"\s*:\s*"{re.escape(str(prefix))}"'
    found = re.search(pattern, text)
    start = 0 if found is None else found.start()
    line = text.count("\n", 0, start) + 1
    return f"{path}:{line}:{start - text.rfind(chr(10), 0, start)}"
