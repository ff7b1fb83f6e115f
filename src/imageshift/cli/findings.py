"""Findings, printed one by one."""

from imageshift.cli.output import new_page, put, put_page, shows_colours
from imageshift.reports.findings import Finding
from imageshift.reports.render import finding_lines, finding_parts

__all__ = ["put_finding"]


def put_finding(finding: Finding, host: str = "", *, bare: bool = False) -> None:
    """Prints a finding as every terminal and editor knows it: place, message, and a hint below."""
    if not shows_colours():
        for line in finding_lines(finding):
            put(line)
        return
    page = new_page(host, bare=bare)
    place, message, hint = finding_parts(finding)
    if place:
        page.row(place, page.short(message))
    else:
        page.line((page.short(message), ""))
    if hint:
        page.line(("hint: ", "dim"), (page.short(hint), "green"), indent=2)
    put_page(page)
