"""imageshift map: references to targets, one a line."""

import json
import sys
from typing import Annotated, Any

import typer

from imageshift.cache import Cached, Mapped, Outcome, RuleSet, Unmapped
from imageshift.cli.exits import Exit, say
from imageshift.cli.options import Format, RegistryOptions, with_options
from imageshift.config import RuleOptions, build_rules, load_config
from imageshift.errors import InvalidReferenceError
from imageshift.reference import ImageReference
from imageshift.reports.summary import SCHEMA, registry_row
from imageshift.rewrite import Backward, Mapper, Forward, Status
from imageshift.run import find_config


@with_options(RegistryOptions)
def map_(
    *,
    common: RegistryOptions,
    references: Annotated[
        list[str] | None, typer.Argument(metavar="[REF]…", help="References; stdin without any.")
    ] = None,
    inverse: Annotated[
        bool, typer.Option("--inverse", help="From the cache back to the upstream.")
    ] = False,
    format_: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TEXT,
) -> None:
    """Print where each reference goes; one without a rule comes back unchanged."""
    rules = _rules(common)
    mapper: Mapper = Backward(rules) if inverse else Forward(rules)
    texts = references or [line.strip() for line in sys.stdin if line.strip()]
    rows = [_row(text, mapper) for text in texts]
    if format_ is Format.JSON:
        typer.echo(json.dumps(_report(rules, rows), indent=2, ensure_ascii=False))
    else:
        for row in rows:
            _print_row(row)
    if any(row["status"] == Status.INVALID for row in rows):
        raise typer.Exit(Exit.UNSAFE)


def _rules(common: RegistryOptions) -> RuleSet:
    config = load_config(common.config or find_config())
    options = RuleOptions(
        account=common.account,
        region=common.region,
        registry_host=common.registry_host,
        preset=None if common.rules is None else common.rules.value,
        rules=tuple(common.rule or ()),
        aliases=tuple(common.alias or ()),
    )
    entry = config.registries[0] if config.registries else None
    return build_rules(config, options, entry)


def _row(text: str, mapper: Mapper) -> dict[str, Any]:
    try:
        reference = mapper.parse(text)
    except InvalidReferenceError as error:
        return _image(text, None, None, Status.INVALID, "not-a-reference", str(error))
    return _outcome_row(text, reference, mapper, mapper.map(reference))


def _outcome_row(
    text: str, reference: ImageReference, mapper: Mapper, outcome: Outcome
) -> dict[str, Any]:
    if isinstance(outcome, Mapped):
        target = mapper.whole_name(outcome.target) + outcome.target.identifier
        return _image(text, reference, target, Status.REWRITE, None, None, outcome.rule.prefix)
    if isinstance(outcome, Cached):
        return _image(text, reference, text, Status.CACHED, None, None, outcome.rule.prefix)
    status = Status.NO_RULE if outcome.reason == "no-rule" else Status.SKIPPED
    return _image(text, reference, None, status, outcome.reason.value, outcome.detail)


def _image(
    text: str,
    reference: ImageReference | None,
    target: str | None,
    status: Status,
    reason: str | None,
    detail: str | None,
    rule: str | None = None,
) -> dict[str, Any]:
    return {
        "original": text,
        "normalized": None if reference is None else reference.normalized,
        "target": target,
        "status": status,
        "rule": rule,
        "reason": reason,
        "detail": detail,
    }


def _print_row(row: dict[str, Any]) -> None:
    if row["status"] == Status.INVALID:
        say(f"imageshift: {row['detail']}")
        return
    if row["target"] is None:
        say(f"imageshift: {row['original']}: {row['detail']}")
    typer.echo(row["target"] or row["original"])


def _report(rules: RuleSet, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "command": "map",
        "registries": [registry_row(rules, (".",))],
        "images": rows,
    }
