"""Findings in the format that a terminal, a forge or a CI server reads."""

from collections.abc import Callable, Iterable
from importlib import import_module

from imageshift.reports.findings import Finding, Level
from imageshift.reports.words import visible

__all__ = ["FORMATS", "finding_lines", "finding_parts", "render"]

FORMATS = ("sarif", "github", "gitlab", "junit", "markdown")
"""The formats of findings; each has a module with a function `render`."""


def render(name: str, command: str, findings: Iterable[Finding]) -> str:
    """The findings of a command in one of `FORMATS`."""
    made: Callable[[str, list[Finding]], str]
    made = import_module(f"imageshift.reports.{name}").render
    return made(command, list(findings))


def finding_parts(finding: Finding) -> tuple[str, str, str]:
    """The place, the message, and what to do about it; each may be empty but the message."""
    start = finding.start
    at = "" if start is None else f":{start.line}:{start.column}"
    place = "" if finding.file is None else f"{finding.file}{at}"
    hint = finding.hint if finding.level is Level.ERROR else None
    return place, finding.message, hint or ""


def finding_lines(finding: Finding) -> Iterable[str]:
    """A finding for a terminal: its place and message, and the hint on a line of its own."""
    place, message, hint = finding_parts(finding)
    yield visible(f"{place}: {message}" if place else message)
    if hint:
        yield visible(f"  hint: {hint}")
