"""Rules in saved answers and in objects: the AWS CLI's JSON, HealthOmics, ACK, our own report.

Sources: botocore's ECR model (`DescribePullThroughCacheRulesResponse`) and HealthOmics model
(`registryMappings`); the custom resource PullThroughCacheRule of AWS Controllers for Kubernetes,
ecr.services.k8s.aws/v1alpha1.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from imageshift.aws.documents import PlacedDict
from imageshift.aws.found import Problem, RuleImport, build_found, merge_imports
from imageshift.aws.shapes import mapping_of, rows_of
from imageshift.lazy import lazy_re
from imageshift.source import SourceText

__all__ = ["SavedText", "read_ack", "read_saved"]

_LISTS = ("pullThroughCacheRules", "registryMappings", "registries")
_PREFIX = lazy_re(r'"(?:ecrRepositoryPrefix|prefix)"\s*:\s*"([^"\\]*)"')


class SavedText:
    """The text of a file, in which JSON's rows are found by their prefix."""

    def __init__(self, path: str, text: str) -> None:
        """Keeps the text; it is looked through when the first place is asked for."""
        self.path = path
        self._source = SourceText(text)

    def place(self, row: Mapping[str, Any], prefix: object = None) -> str:
        """Where a row stands, as `path:line:col`; without its place that of the file."""
        if isinstance(row, PlacedDict):
            return f"{self.path}:{row.line}:{row.column}"
        place = self._source.place(self._prefixes.get(str(prefix), 0))
        return f"{self.path}:{place.line}:{place.column}"

    @cached_property
    def _prefixes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in _PREFIX.finditer(self._source.text):
            found.setdefault(one[1], one.start())
        return found


def read_saved(data: Mapping[str, Any], text: SavedText) -> RuleImport | None:
    """The rules of a saved answer, or None when it is none.

    Known are `aws ecr describe-pull-through-cache-rules`, HealthOmics' `registryMappings` (also
    inside a `containerRegistryMap` object) and `imageshift rules --format json`.
    """
    for holder in (data, mapping_of(data.get("containerRegistryMap"))):
        for key in _LISTS:
            rows = holder.get(key)
            if isinstance(rows, list):
                return merge_imports(_read_rows(key, rows, text))
    return None


def read_ack(document: Mapping[str, Any], text: SavedText) -> RuleImport | None:
    """The rule of an ACK object, or those of a List of them; None when it is another object."""
    if str(document.get("kind", "")).endswith("List"):
        items = rows_of(document.get("items"))
        return merge_imports(_read_ack_rule(one, text) for one in items if _is_ack(one))
    return _read_ack_rule(document, text) if _is_ack(document) else None


def _is_ack(document: Mapping[str, Any]) -> bool:
    group = str(document.get("apiVersion", "")).partition("/")[0]
    return group == "ecr.services.k8s.aws" and document.get("kind") == "PullThroughCacheRule"


def _read_rows(key: str, rows: list[Any], text: SavedText) -> Iterator[RuleImport]:
    for row in rows:
        if not isinstance(row, Mapping):
            yield RuleImport((), (Problem(text.place({}), f"a row of {key} isn't an object"),))
        elif key == "registries":
            yield from (_read_own(one, row, text) for one in rows_of(row.get("rules")))
        else:
            yield _read_row(row, text)


def _read_row(row: Mapping[str, Any], text: SavedText) -> RuleImport:
    prefix = row.get("ecrRepositoryPrefix")
    return build_found(
        prefix,
        row.get("upstreamRegistryUrl"),
        place=text.place(row, prefix),
        upstream_prefix=row.get("upstreamRepositoryPrefix"),
        kind=row.get("upstreamRegistry"),
        credential=row.get("credentialArn"),
        role=row.get("customRoleArn"),
        account=row.get("registryId") or row.get("ecrAccountId"),
    )


def _read_own(row: Mapping[str, Any], registry: Mapping[str, Any], text: SavedText) -> RuleImport:
    return build_found(
        row.get("prefix"),
        row.get("upstream"),
        place=text.place(row, row.get("prefix")),
        upstream_prefix=row.get("upstream_prefix"),
        account=registry.get("account"),
    )


def _read_ack_rule(document: Mapping[str, Any], text: SavedText) -> RuleImport:
    fields = mapping_of(document.get("spec"))
    return build_found(
        fields.get("ecrRepositoryPrefix"),
        fields.get("upstreamRegistryURL"),
        place=text.place(document),
        upstream_prefix=fields.get("upstreamRepositoryPrefix"),
        kind=fields.get("upstreamRegistry"),
        credential=fields.get("credentialARN") or fields.get("credentialRef"),
        role=fields.get("customRoleARN") or fields.get("customRoleRef"),
        account=fields.get("registryID"),
    )
