"""SARIF 2.1.0, which GitHub's code scanning and others read.

Findings that have no file are notifications of the run, since a result needs a location.
"""

import json
from typing import Any
from urllib.parse import quote

from imageshift.reports.codes import CODES, page_of
from imageshift.reports.findings import Finding, Fix
from imageshift.reports.fingerprints import fingerprints
from imageshift.reports.words import visible
from imageshift.source import Place

__all__ = ["render"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HOME = "https://github.com/imageshift/imageshift"


def render(command: str, findings: list[Finding]) -> str:
    """A SARIF log with one run."""
    placed = [finding for finding in findings if finding.file is not None]
    codes = sorted({finding.code for finding in findings}, key=list(CODES).index)
    run = {
        "tool": {"driver": _driver(codes)},
        "automationDetails": {"id": f"imageshift/{command}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    _notification(finding) for finding in findings if finding.file is None
                ],
            }
        ],
        "results": [
            _result(finding, digest, codes.index(finding.code))
            for finding, digest in fingerprints(placed)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _driver(codes: list[str]) -> dict[str, Any]:
    from importlib.metadata import version  # noqa: PLC0415 slow to import

    return {
        "name": "imageshift",
        "semanticVersion": version("imageshift"),
        "informationUri": _HOME,
        "rules": [_rule(code) for code in codes],
    }


def _rule(code: str) -> dict[str, Any]:
    words = CODES[code]
    return {
        "id": str(code),
        "shortDescription": {"text": words.title},
        "fullDescription": {"text": words.means},
        "help": {
            "text": f"{words.means} {words.remedy}",
            "markdown": f"{words.means}\n\n{words.remedy}\n\n[More]({page_of(code)})",
        },
        "helpUri": page_of(code),
    }


def _notification(finding: Finding) -> dict[str, Any]:
    return {
        "descriptor": {"id": str(finding.code)},
        "level": finding.level.value,
        "message": {"text": visible(finding.message)},
    }


def _result(finding: Finding, digest: str, index: int) -> dict[str, Any]:
    hint = f": use {finding.hint}" if finding.fixes and finding.hint else ""
    made = {
        "ruleId": str(finding.code),
        "ruleIndex": index,
        "level": finding.level.value,
        "message": {"text": visible(finding.message + hint)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(finding),
                    "region": _region(finding.start or Place(1, 1), finding.end),
                }
            }
        ],
        "partialFingerprints": {"imageshift/v1": digest},
    }
    if finding.fixes:
        made["fixes"] = [_fix(finding)]
    return made


def _artifact(finding: Finding) -> dict[str, Any]:
    name = (finding.file or "").encode(errors="surrogateescape")
    return {"uri": quote(name, safe="/"), "uriBaseId": "%SRCROOT%"}


def _region(start: Place, end: Place | None) -> dict[str, int]:
    region = {"startLine": start.line, "startColumn": start.column}
    if end is not None and end > start:
        region |= {"endLine": end.line, "endColumn": end.column}
    return region


def _fix(finding: Finding) -> dict[str, Any]:
    replacements = [_replacement(fix) for fix in finding.fixes]
    return {
        "description": {"text": f"Use {visible(finding.hint or '')}"},
        "artifactChanges": [{"artifactLocation": _artifact(finding), "replacements": replacements}],
    }


def _replacement(fix: Fix) -> dict[str, Any]:
    deleted = _region(fix.start, None) | {"endLine": fix.end.line, "endColumn": fix.end.column}
    return {"deletedRegion": deleted, "insertedContent": {"text": fix.text}}
