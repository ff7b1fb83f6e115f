"""Which cached repositories have immutable tags, and so never get an upstream's update.

Source: ECR User Guide, "Sync an upstream registry" (facts 5): immutable tags block updates; its
"Image tag mutability exclusion filters" (facts 12.13): which tags a mode with exclusions means.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from imageshift.aws.client import AwsOptions, ask_rows
from imageshift.aws.shapes import rows_of
from imageshift.ecr import ROOT

__all__ = ["MutabilityFacts", "immutable_problems", "read_mutability"]

_MOVING = "latest"


class MutabilityFacts(Struct, frozen=True):
    """The names of repositories, and the prefixes of creation templates, with immutable tags."""

    repositories: tuple[str, ...] = ()
    immutable_templates: frozenset[str] = frozenset()
    templates: frozenset[str] = frozenset()


def read_mutability(client: Any, options: AwsOptions) -> MutabilityFacts:
    """What an ECR client of boto3 tells of repositories and creation templates, all pages.

    Raises:
        ToolError: AWS refused or can't be reached.
    """
    repositories = ask_rows(
        client, "describe_repositories", "repositories", options, **options.registry_id
    )
    templates = [
        row
        for row in ask_rows(
            client,
            "describe_repository_creation_templates",
            "repositoryCreationTemplates",
            options,
        )
        if "PULL_THROUGH_CACHE" in (row.get("appliedFor") or ())
    ]
    return MutabilityFacts(
        tuple(sorted(_name(row, "repositoryName") for row in repositories if _is_immutable(row))),
        frozenset(_name(row, "prefix") for row in templates if _is_immutable(row)),
        frozenset(_name(row, "prefix") for row in templates),
    )


def _name(row: Mapping[str, Any], key: str) -> str:
    return str(row.get(key, "")).rstrip("/")


def immutable_problems(prefix: str, facts: MutabilityFacts) -> list[str]:
    """Why updates can't reach a rule's repositories, or those that its creation template makes."""
    inside = [name for name in facts.repositories if prefix == ROOT or _is_under(name, prefix)]
    problems = []
    if prefix != ROOT and inside:
        more = f" and {len(inside) - 1} more" if len(inside) > 1 else ""
        problems.append(f"tags are immutable in {inside[0]}{more}: updates don't reach the cache")
    template = _template_for(prefix, facts.templates)
    if template in facts.immutable_templates:
        problems.append(f"the creation template {template} makes repositories with immutable tags")
    return problems


def _is_immutable(row: Mapping[str, Any]) -> bool:
    """Whether the tag that always moves may not move here."""
    mode = str(row.get("imageTagMutability", ""))
    filters = rows_of(row.get("imageTagMutabilityExclusionFilters"))
    excluded = any(_fits(str(one.get("filter", "")), _MOVING) for one in filters)
    return mode.startswith("IMMUTABLE") != (mode.endswith("_WITH_EXCLUSION") and excluded)


def _fits(wildcard: str, tag: str) -> bool:
    # Only single stars: ECR takes up to two in a filter.
    pattern = ".*".join(re.escape(part) for part in re.split(r"\*+", wildcard)[:6])
    return re.fullmatch(pattern, tag) is not None


def _is_under(name: str, prefix: str) -> bool:
    return name.startswith(f"{prefix}/")


def _template_for(prefix: str, templates: frozenset[str]) -> str | None:
    fitting = [one for one in templates if one == prefix or _is_under(prefix, one)]
    return max(fitting, key=len, default=ROOT if ROOT in templates else None)
