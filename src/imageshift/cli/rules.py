"""imageshift rules: the rules in force, those that are somewhere, and whether ECR accepts them."""

import json
from typing import Annotated, Any

from imageshift.aws import FoundRule, RuleImport, find_upstream, import_rules
from imageshift.aws.compare import Difference, compare_rules, rules_in_use
from imageshift.aws.notices import find_notices
from imageshift.aws.validate import Finding, RuleVerdict, Validation, validate_rules
from imageshift.cli.aws import (
    AwsCommon,
    Usage,
    UsedPaths,
    emit_json,
    end,
    notice_rows,
    read_usage,
    say_notices,
)
from imageshift.cli.declare import argument, option
from imageshift.cli.exits import Exit
from imageshift.cli.options import Format, with_options
from imageshift.cli.output import emit, new_page, put_page, say
from imageshift.reports.lines import Page
from imageshift.reports.words import counted, visible

_LISTED = 100


@with_options(AwsCommon, without=("strict",))
def list_(*, common: AwsCommon, paths: UsedPaths = None) -> None:
    """List the rules in force, and how many images use each."""
    usages = read_usage(paths or [], common)
    notices = [one for usage in usages for one in find_notices(usage.images, usage.rules)]
    if common.format is Format.JSON:
        rows = [row for usage in usages for row in _rule_rows(usage)]
        emit_json("rules list", usages, rules=rows, warnings=notice_rows(notices))
        end(usages)
    page = new_page()
    for usage in usages:
        for row in _rule_rows(usage):
            page.line((_rule_line(usage, row), ""))
    put_page(page)
    if not common.quiet:
        say_notices(notices, verbose=common.verbose)
    end(usages)


def _rule_rows(usage: Usage) -> list[dict[str, Any]]:
    busy = rules_in_use(usage.rules, usage.images)
    rows = []
    for rule in usage.rules.rules:
        upstream = find_upstream(rule.upstream)
        rows.append(
            {
                "prefix": rule.prefix,
                "upstream": rule.upstream,
                "upstream_prefix": rule.upstream_prefix,
                "origin": rule.origin.value,
                "kind": None if upstream is None else upstream.kind,
                "needs_secret": upstream is not None and upstream.needs_secret,
                "images": len(busy.get(rule, ())),
            }
        )
    return rows


def _rule_line(usage: Usage, row: dict[str, Any]) -> str:
    upstream = "/".join(filter(None, (row["upstream"], row["upstream_prefix"])))
    secret = ", needs a secret" if row["needs_secret"] else ""
    used = f", {counted(row['images'], 'image')}" if usage.images else ""
    known = "" if row["kind"] else ", ECR can't cache it"
    host = usage.rules.registry.host
    path = host if row["prefix"] == "ROOT" else f"{host}/{row['prefix']}"
    return f"{upstream} → {path} ({row['origin']}{secret}{used}{known})"


@with_options(AwsCommon, without=("strict",))
def import_(
    *,
    common: AwsCommon,
    source: Annotated[str, argument(help="aws, or a file or folder that contains rules.")],
    paths: UsedPaths = None,
) -> None:
    """Print the rules of an account or a file as configuration.

    What differs from the rules in force goes to standard error.
    """
    usages = read_usage(paths or [], common)
    rules = usages[0].rules
    found = import_rules(source, common.aws_options(rules))
    images = [image for usage in usages for image in usage.images]
    differences = compare_rules(rules, found.rules, images if paths else None)
    if common.format is Format.JSON:
        _emit_import(found, differences, usages)
    else:
        emit(_configuration(found))
        _say_import(found, differences, quiet=common.quiet)
    end(usages, Exit.UNSAFE if found.problems else Exit.DONE)


def _configuration(found: RuleImport) -> str:
    lines = ["rules:" if found.rules else "rules: []"]
    for one in found.rules:
        lines.append(f"  - upstream: {json.dumps(one.rule.upstream)}  # {visible(one.place)}")
        if one.rule.upstream_prefix is not None:
            lines.append(f"    upstream_prefix: {json.dumps(one.rule.upstream_prefix)}")
        lines.append(f"    prefix: {json.dumps(one.rule.prefix)}")
    return "\n".join(lines) + "\n"


def _say_import(found: RuleImport, differences: tuple[Difference, ...], *, quiet: bool) -> None:
    for problem in found.problems[:_LISTED]:
        say(str(problem))
        if problem.hint:
            say(f"  hint: {problem.hint}")
    if len(found.problems) > _LISTED:
        say(f"and {counted(len(found.problems) - _LISTED, 'more problem')}")
    if quiet:
        return
    for difference in differences:
        place = f"{difference.places[0]}: " if difference.places else ""
        say(f"{place}{difference.kind}: {difference.message}")
    rules, others = counted(len(found.rules), "rule"), counted(len(differences), "difference")
    say(f"{rules}, {others} from those in force")


def _emit_import(
    found: RuleImport,
    differences: tuple[Difference, ...],
    usages: list[Usage],
) -> None:
    emit_json(
        "rules import",
        usages,
        rules=[_found_row(one) for one in found.rules],
        problems=[
            {"place": one.place, "message": one.message, "hint": one.hint} for one in found.problems
        ],
        differences=[
            {
                "kind": one.kind,
                "subject": one.subject,
                "message": one.message,
                "breaks_pulls": one.breaks_pulls,
                "places": list(one.places),
            }
            for one in differences
        ],
    )


def _found_row(found: FoundRule) -> dict[str, Any]:
    return {
        "prefix": found.rule.prefix,
        "upstream": found.rule.upstream,
        "upstream_prefix": found.rule.upstream_prefix,
        "account": found.account,
        "has_credential": found.has_credential,
        "credential_arn": found.credential_arn,
        "custom_role_arn": found.custom_role_arn,
        "place": found.place,
    }


@with_options(AwsCommon, without=("strict",))
def validate(
    *,
    common: AwsCommon,
    paths: UsedPaths = None,
    every: Annotated[
        bool, option("--all", help="All rules in force, not only those in use.")
    ] = False,
    role: Annotated[
        str | None, option("--role", help="The nodes' role, whose permissions to check.")
    ] = None,
) -> None:
    """Ask AWS whether the rules in use exist and work.

    Exits with 1 if one doesn't.
    """
    usages = read_usage(paths or [], common)
    validations = [
        validate_rules(
            usage.rules,
            usage.images,
            common.aws_options(usage.rules),
            every=every or not paths,
            role=role,
        )
        for usage in usages
    ]
    if common.format is Format.JSON:
        rows = [_validation_row(one) for one in validations]
        emit_json("rules validate", usages, validations=rows)
    else:
        page = new_page()
        for one in validations:
            _print_validation(page, one)
        put_page(page)
        if not common.quiet:
            _say_notes(validations)
    clean = all(one.is_clean for one in validations)
    end(usages, Exit.DONE if clean else Exit.FINDINGS)


def _validation_row(validation: Validation) -> dict[str, Any]:
    return {
        "host": validation.registry.host,
        "rules": [
            {
                "prefix": one.rule.prefix,
                "upstream": one.rule.upstream,
                "upstream_prefix": one.rule.upstream_prefix,
                "images": one.images,
                "is_valid": one.is_valid,
                "findings": [_finding_row(finding) for finding in one.findings],
            }
            for one in validation.verdicts
        ],
        "findings": [_finding_row(finding) for finding in validation.findings],
        "notes": list(validation.notes),
    }


def _finding_row(finding: Finding) -> dict[str, Any]:
    return {"code": finding.code, "message": finding.message, "hint": finding.hint}


def _print_validation(page: Page, validation: Validation) -> None:
    rows = [("rule", "images", "ECR says", "findings")]
    for one in validation.verdicts:
        codes = ", ".join(finding.code.value for finding in one.findings) or "none"
        rows.append((str(one.rule), str(one.images), _answer(one), codes))
    page.table(rows, numbers=(1,))
    for line in _finding_lines(validation):
        hint = line.startswith(" ")
        page.line((line.strip(), "dim" if hint else ""), indent=2 if hint else 0)


def _answer(verdict: RuleVerdict) -> str:
    return {True: "valid", False: "not valid", None: "not asked"}[verdict.is_valid]


def _finding_lines(validation: Validation) -> list[str]:
    pairs = [(one.rule.prefix, finding) for one in validation.verdicts for finding in one.findings]
    pairs += [(validation.registry.host, finding) for finding in validation.findings]
    return [
        line
        for subject, finding in pairs
        for line in (
            f"{subject}: {finding.code}: {finding.message}",
            *([f"  hint: {finding.hint}"] if finding.hint else []),
        )
    ]


def _say_notes(validations: list[Validation]) -> None:
    for validation in validations:
        for note in validation.notes:
            say(f"{validation.registry.host}: {note}")
