"""Workflow commands, which GitHub shows as annotations beside the lines of a pull request."""

from imageshift.reports.codes import CODES
from imageshift.reports.findings import Finding, Level
from imageshift.reports.words import visible

__all__ = ["render"]

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning"}


def render(_command: str, findings: list[Finding]) -> str:
    """One command for each error and warning; GitHub shows the first ten of each kind."""
    return "".join(_line(finding) for finding in findings if finding.level in _COMMANDS)


def _line(finding: Finding) -> str:
    properties: dict[str, str | int] = {}
    if finding.file is not None:
        properties["file"] = finding.file
    if finding.start is not None:
        properties |= {"line": finding.start.line, "col": finding.start.column}
    if finding.end is not None and finding.start is not None and finding.end > finding.start:
        properties |= {"endLine": finding.end.line, "endColumn": finding.end.column}
    properties["title"] = f"{CODES[finding.code].title} ({finding.code})"
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    hint = f"\nhint: {visible(finding.hint)}" if finding.hint else ""
    text = _data(f"{visible(finding.message)}{hint}")
    return f"::{_COMMANDS[finding.level]} {listed}::{text}\n"


def _data(text: str) -> str:
    """A message with the escapes that the runner undoes."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
