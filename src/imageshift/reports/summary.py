"""What a report counts and lists, gathered plan by plan."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from posixpath import dirname
from typing import Any

from msgspec import Struct, field

from imageshift.advice import Advice, is_unsafe
from imageshift.cache import Rule, RuleSet
from imageshift.inventory import FileSkip
from imageshift.plan import FilePlan
from imageshift.reports.account import Account, rows_of
from imageshift.rewrite import Change, Kept, Status
from imageshift.sites import Origin, Part, SkipReason
from imageshift.source import Place

__all__ = ["SCHEMA", "Summary", "namer", "registry_row"]

SCHEMA = "imageshift/v1"


def namer(root: Path) -> Callable[[str], str]:
    """A function from a workspace's names to paths relative to the working directory."""
    prefix = os.path.relpath(root)
    if prefix == ".":
        return lambda name: name or prefix
    return lambda name: f"{prefix}/{name}" if name else prefix


class Summary(Struct):
    """The counts of a run, and what its reports list.

    Rows of images are kept only where `clusters` is there to say which clusters take a file in;
    otherwise memory stays flat.
    `back_from` are the registries of a revert, None on the way into the cache: back, warnings say
    nothing, and of what stays only what is on these registries is worth telling.
    """

    shown: Callable[[str], str]
    advice: Advice
    clusters: Callable[[str], tuple[str, ...]] | None = None
    back_from: tuple[str, ...] | None = None
    files: int = 0
    counts: Counter[Status] = field(default_factory=Counter)
    upstreams: Counter[tuple[str, str]] = field(default_factory=Counter)
    folders: Counter[tuple[str, Status]] = field(default_factory=Counter)
    post_rendered: int = 0
    changed: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    stays: list[tuple[str, Kept]] = field(default_factory=list)
    skips: list[FileSkip] = field(default_factory=list)
    unsafe: bool = False
    account: Account = field(default_factory=Account)
    used: set[Rule] = field(default_factory=set)

    def where(self, file: str, place: Place) -> str:
        """A place of a file, as reports name it."""
        return f"{self.shown(file)}:{place.line}:{place.column}"

    def add(self, plan: FilePlan) -> None:
        """Counts one file's plan."""
        shown = self.shown(plan.file)
        for result, uses in rows_of(plan.results):
            self.account.add(result, uses)
            self._add_result(result, uses, plan.file, shown)
        for skip in plan.skips:
            self.account.add_skip(skip)
            self.skips.append(skip)
            self.unsafe = self.unsafe or is_unsafe(skip.reason)
        if plan.before != plan.after:
            self.changed.append(shown)
        if self.back_from is None:
            self.advice.look_at(plan, shown)

    def _add_result(self, result: Change | Kept, uses: int, file: str, shown: str) -> None:
        self.counts[result.status] += 1
        self.folders[dirname(shown), result.status] += 1
        if result.rule is not None:
            self.used.add(result.rule)
        if self.clusters is not None:
            self.rows.append(_image_row(result, shown, uses, self.clusters(file)))
        if isinstance(result, Change):
            self.upstreams[result.rule.upstream, result.rule.prefix] += 1
            self.post_rendered += result.site.origin is Origin.POST_RENDERER
        elif self.is_told(result):
            self.stays.append((file, result))
            self.unsafe = self.unsafe or is_unsafe(result.reason)

    def is_told(self, kept: Kept) -> bool:
        """Whether an image that stays is worth a line."""
        if self.back_from is None:
            return kept.status is not Status.CACHED
        here = any(host in kept.site.text for host in self.back_from)
        return here or kept.reason in _OTHER_REGISTRIES

    def data(self, command: str, targets: list[tuple[RuleSet, tuple[str, ...]]]) -> dict[str, Any]:
        """The report as the published JSON schema has it."""
        return {
            "schema": SCHEMA,
            "command": command,
            "registries": [registry_row(rules, paths) for rules, paths in targets],
            "images": sorted(self.rows, key=_row_order),
            "skipped": [self._skip_row(skip) for skip in sorted(self.skips, key=_skip_order)],
            "warnings": [
                {"code": w.code, "message": w.message, "count": w.count, "places": w.places}
                for w in self.advice.warnings()
            ],
            "summary": self.numbers(),
            "account": self.account.data(),
        }

    def numbers(self) -> dict[str, int]:
        """The counts that every report ends with."""
        by_status = {status.value: self.counts[status] for status in _COUNTED}
        total = {"files": self.files, "changed": len(self.changed), "images": self.counts.total()}
        return total | by_status

    def _skip_row(self, skip: FileSkip) -> dict[str, Any]:
        return {
            "file": self.shown(skip.file),
            "line": skip.line,
            "reason": skip.reason,
            "detail": skip.detail,
        }


_OTHER_REGISTRIES = frozenset({SkipReason.OTHER_ECR, SkipReason.BAD_ACCOUNT})
_COUNTED = (Status.REWRITE, Status.CACHED, Status.NO_RULE, Status.DOUBTFUL, Status.SKIPPED)


def _image_row(
    result: Change | Kept, shown: str, uses: int, clusters: tuple[str, ...]
) -> dict[str, Any]:
    """One text as a row of the report; its place is null where nothing is written.

    `uses` is how many places take it, each of which would be a row if it were written twice;
    `clusters` are those that take its file in.
    """
    site = result.site
    place = site.place
    written = site.is_written
    before, after, rule = result.before, result.after, result.rule
    return {
        "file": shown,
        "line": place.line if written else None,
        "column": place.column if written else None,
        "document": site.document.file.index,
        "resource": {
            "apiVersion": site.resource.api_version,
            "kind": site.resource.kind,
            "namespace": site.resource.namespace or None,
            "name": site.resource.name or None,
        },
        "path": list(site.path),
        "kind": site.kind,
        "origin": site.origin,
        "parts": [_part_row(site.part_place(part), part) for part in site.parts if written],
        "original": site.text,
        "normalized": None if before is None else before.normalized,
        "target": None if after is None else after.normalized,
        "status": result.status,
        "confidence": site.confidence,
        "rule": None if rule is None else rule.prefix,
        "reason": result.reason,
        "detail": result.detail,
        "uses": uses,
        "clusters": list(clusters),
    }


def _part_row(place: Place, part: Part) -> dict[str, Any]:
    return {
        "role": part.role,
        "path": list(part.path),
        "line": place.line,
        "column": place.column,
    }


def registry_row(rules: RuleSet, paths: tuple[str, ...]) -> dict[str, Any]:
    """A target registry as a row of the report."""
    registry = rules.registry
    return {
        "host": registry.host,
        "account": registry.account,
        "region": registry.region,
        "paths": list(paths),
        "rules": [
            {
                "prefix": rule.prefix,
                "upstream": rule.upstream,
                "upstream_prefix": rule.upstream_prefix,
            }
            for rule in rules.rules
        ],
    }


def _row_order(row: dict[str, Any]) -> tuple[str, int, int]:
    return row["file"], row["line"] or 0, row["column"] or 0


def _skip_order(skip: FileSkip) -> tuple[str, int]:
    return skip.file, skip.line or 0
