"""Rules in Terraform's JSON: `terraform show -json` of a state or a plan, or a state file.

Source: Terraform's documentation, "JSON Output Format" (format_version 1) and state version 4.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from imageshift.aws.folders import RESOURCE
from imageshift.aws.found import Problem, RuleImport, build_found, merge_imports
from imageshift.aws.shapes import mapping_of, rows_of

__all__ = ["is_terraform_json", "read_terraform_json"]

_SHOWN = 200


def is_terraform_json(data: Mapping[str, Any]) -> bool:
    """Whether it is a state, a plan or a state file of Terraform (or OpenTofu)."""
    shown = "format_version" in data and ("values" in data or "planned_values" in data)
    return shown or "terraform_version" in data


def read_terraform_json(data: Mapping[str, Any], path: str) -> RuleImport:
    """The rules of a state or of what a plan will make."""
    return merge_imports(
        _build(values, f"{path}:1:1", address) for address, values in _resources(data)
    )


def _resources(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key in ("planned_values", "values"):
        if isinstance(data.get(key), Mapping):
            yield from _module(mapping_of(data[key].get("root_module")))
            return
    for resource in filter(_is_rule, rows_of(data.get("resources"))):
        for instance in rows_of(resource.get("instances")):
            yield (
                f"{RESOURCE}.{str(resource.get('name'))[:_SHOWN]}",
                mapping_of(instance.get("attributes")),
            )


def _is_rule(resource: Mapping[str, Any]) -> bool:
    return resource.get("type") == RESOURCE and resource.get("mode", "managed") == "managed"


def _module(root: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    waiting = [root]
    while waiting:
        module = waiting.pop()
        for resource in filter(_is_rule, rows_of(module.get("resources"))):
            yield _address(resource), mapping_of(resource.get("values"))
        waiting += reversed(rows_of(module.get("child_modules")))


def _address(resource: Mapping[str, Any]) -> str:
    address = resource.get("address")
    return address[:_SHOWN] if isinstance(address, str) else RESOURCE


def _build(values: Mapping[str, Any], place: str, address: str) -> RuleImport:
    found = build_found(
        values.get("ecr_repository_prefix"),
        values.get("upstream_registry_url"),
        place=place,
        upstream_prefix=values.get("upstream_repository_prefix"),
        # A plan leaves out an ARN that the same apply will make.
        credential=values.get("credential_arn"),
        role=values.get("custom_role_arn"),
        account=values.get("registry_id"),
    )
    problems = tuple(
        Problem(one.place, f"{address}: {one.message}", one.hint) for one in found.problems
    )
    return RuleImport(found.rules, problems)
