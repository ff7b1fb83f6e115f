"""GitLab's code quality report, which is a JSON array of findings with a path."""

import json

from imageshift.reports.findings import Finding, Level
from imageshift.reports.fingerprints import fingerprints
from imageshift.reports.words import visible

__all__ = ["render"]

_SEVERITIES = {Level.ERROR: "major", Level.WARNING: "minor"}


def render(_command: str, findings: list[Finding]) -> str:
    """The errors and warnings that have a file, since GitLab shows no others."""
    rows = [
        {
            "description": visible(f"{finding.message}{_hint(finding)}"),
            "check_name": str(finding.code),
            "fingerprint": digest,
            "severity": _SEVERITIES[finding.level],
            "location": {
                "path": finding.file,
                "lines": {"begin": finding.start.line if finding.start else 1},
            },
        }
        for finding, digest in fingerprints(findings)
        if finding.level in _SEVERITIES and finding.file is not None
    ]
    return json.dumps(rows, indent=2) + "\n"


def _hint(finding: Finding) -> str:
    return f" (hint: {finding.hint})" if finding.hint else ""
