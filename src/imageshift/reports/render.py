"""Findings in the format that a terminal, a forge or a CI server reads."""

from collections.abc import Callable, Iterable
from importlib import import_module

from imageshift.reports.findings import Finding, Level
from imageshift.reports.words import visible

__all__ = ["FORMATS", "finding_lines", "render"]

FORMATS = ("sarif", "github", "gitlab", "junit", "markdown")
"""The formats of findings; each has a module with a function `render`."""


def render(name: str, command: str, findings: Iterable[Finding]) -> str:
    """The findings of a command in one of `FORMATS`."""
    made: Callable[[str, list[Finding]], str]
    made = import_module(f"imageshift.reports.{name}").render
    return made(command, list(findings))


def finding_lines(finding: Finding) -> Iterable[str]:
    """A finding for a terminal: its place and message, and the hint on a line of its own."""
    start = finding.start
    place = "" if start is None else f":{start.line}:{start.column}"
    where = f"{finding.file}{place}: " if finding.file is not None else ""
    yield visible(f"{where}{finding.message}")
    if finding.level is Level.ERROR and finding.hint:
        yield visible(f"  hint: {finding.hint}")
