"""A comment for a pull request: one folded table for each file, short enough for GitHub."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from imageshift.lazy import lazy_re
from imageshift.reports.codes import page_of
from imageshift.reports.findings import Finding, Level
from imageshift.reports.words import counted, visible

__all__ = ["LIMIT", "render"]

LIMIT = 65_000
"""The longest comment in bytes, a little less than what GitHub takes."""

_MARK = "<!-- imageshift: the comment of one run replaces that of the last one -->\n"
_SPECIAL = lazy_re(r"[^\w ./:-]|_")


def render(command: str, findings: list[Finding]) -> str:
    """The comment; findings beyond GitHub's limit are only counted."""
    told = [finding for finding in findings if finding.level is not Level.NOTE]
    notes = [finding for finding in findings if finding.level is Level.NOTE]
    head, tail = f"{_MARK}{_title(command, told)}", _left_alone(notes)
    room = LIMIT - _size(head) - _size(tail) - _size(_more(len(told)))
    parts, listed = [], 0
    for section, number in _sections(told):
        room -= _size(section)
        if room < 0:
            break
        parts.append(section)
        listed += number
    return f"{head}{''.join(parts)}{_more(len(told) - listed)}{tail}"


def _title(command: str, told: list[Finding]) -> str:
    levels = Counter(finding.level for finding in told)
    if not told:
        return f"### imageshift {command}: every image comes from the cache\n"
    counts = [
        counted(levels[level], level.value)
        for level in (Level.ERROR, Level.WARNING)
        if levels[level]
    ]
    return f"### imageshift {command}: {', '.join(counts)}\n"


def _sections(told: list[Finding]) -> Iterator[tuple[str, int]]:
    """The folded tables with the number of findings in each; a long one is several."""
    for file, group in groupby(sorted(told, key=_file), key=_file):
        found = list(group)
        for start in range(0, len(found), _ROWS):
            part = found[start : start + _ROWS]
            yield _section(file, part), len(part)


_ROWS = 50
_LONGEST = 600


def _file(finding: Finding) -> str:
    return finding.file or ""


def _section(file: str, found: list[Finding]) -> str:
    title = _code(file) if file else "The whole run"
    return (
        f"\n<details><summary>{title}: {counted(len(found), 'finding')}</summary>\n\n"
        "| line | finding | hint |\n|---:|---|---|\n"
        f"{''.join(_row(finding) for finding in found)}\n</details>\n"
    )


def _row(finding: Finding) -> str:
    line = "" if finding.start is None else str(finding.start.line)
    subject = finding.subject
    rest = finding.message.removeprefix(subject)
    text = f"{_code(subject)}{_plain(rest)}" if subject else _plain(finding.message)
    hint = "" if finding.hint is None else finding.hint
    shown = _code(hint) if finding.fixes or " " not in hint else _plain(hint)
    return f"| {line} | {text} ([{finding.code}]({page_of(finding.code)})) | {shown} |\n"


def _left_alone(notes: Iterable[Finding]) -> str:
    counts = Counter(finding.code for finding in notes)
    if not counts:
        return ""
    rows = [
        f"| [{code}]({page_of(code)}) | {number} |\n" for code, number in sorted(counts.items())
    ]
    return (
        f"\n<details><summary>Left alone: {counted(counts.total(), 'place')}</summary>\n\n"
        f"| reason | places |\n|---|---:|\n{''.join(rows)}\n</details>\n"
    )


def _more(number: int) -> str:
    return f"\n… and {counted(number, 'more finding')}.\n" if number else ""


def _code(text: str) -> str:
    return f"<code>{_plain(text)}</code>" if text else ""


def _plain(text: str) -> str:
    """A text in which nothing is HTML, Markdown or the name of somebody to notify."""
    shown = visible(text)
    short = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", short)


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
