"""JUnit's XML, which most CI servers show: a test case for each finding, failed by errors."""

from html import escape

from imageshift.reports.findings import Finding, Level
from imageshift.reports.words import visible

__all__ = ["render"]


def render(command: str, findings: list[Finding]) -> str:
    """One suite; where there is no error and no warning, it has one case, which passes."""
    told = [finding for finding in findings if finding.level is not Level.NOTE]
    failures = sum(finding.level is Level.ERROR for finding in told)
    cases = [_case(finding) for finding in told] or [
        '    <testcase classname="imageshift" name="every image comes from the cache"/>\n'
    ]
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0"'
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f"<testsuites {counts}>\n"
        f'  <testsuite name="imageshift {escape(command)}" {counts}>\n'
        f"{''.join(cases)}"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


def _case(finding: Finding) -> str:
    start = finding.start
    place = "" if start is None else f"{start.line}:{start.column} "
    name = f"{place}{finding.code} {finding.subject}".strip()
    attributes = f'classname="{_text(finding.file or "imageshift")}" name="{_text(name)}"'
    lines = [finding.message, *([f"hint: {finding.hint}"] if finding.hint else [])]
    text = "\n".join(_text(line) for line in lines)
    if finding.level is Level.ERROR:
        inner = (
            f'<failure type="{finding.code}" message="{_text(finding.message)}">{text}</failure>'
        )
    else:
        inner = f"<system-out>{finding.level}: {text}</system-out>"
    return f"    <testcase {attributes}>{inner}</testcase>\n"


def _text(text: str) -> str:
    return escape(visible(text))
