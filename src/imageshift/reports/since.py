"""Which findings stand on lines that changed since a revision."""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from imageshift.errors import SourceError
from imageshift.git import Revision
from imageshift.repo.workspace import Workspace
from imageshift.reports.findings import Finding

__all__ = ["changed_lines", "changed_since"]

_MOST_LINES = 20_000


def changed_since(
    findings: Iterable[Finding], revision: str, workspace: Workspace
) -> list[Finding]:
    """The findings in files or lines that differ from the commit where HEAD left a revision.

    A finding that refers to a whole file stays if the file differs, and one without a file stays.

    Raises:
        ConfigError: the revision doesn't exist.
        ToolError: Git can't be run.
    """
    given = list(findings)
    names = {finding.name for finding in given if finding.name is not None}
    before = Revision.find(workspace.root, revision).base().read(names)
    lines = {name: _changed_in(name, before.get(name), workspace) for name in names}
    return [finding for finding in given if _is_changed(finding, lines)]


def changed_lines(before: bytes, after: bytes) -> frozenset[int]:
    r"""The 1-based lines of a text that are new or changed, or follow deleted ones.

    >>> sorted(changed_lines(b"a\nb\nc\nd\n", b"a\nB\nc\n"))
    [2, 4]
    """
    old, new = before.split(b"\n"), after.split(b"\n")
    start = _common(old, new)
    end = _common(reversed(old[start:]), reversed(new[start:]))
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(old), len(new)) > _MOST_LINES:
        return frozenset(range(start + 1, start + len(new) + 2))
    found = SequenceMatcher(None, old, new).get_opcodes()
    return frozenset(
        start + number + 1
        for tag, _, _, first, last in found
        if tag != "equal"
        for number in range(first, max(last, first + 1))
    )


def _common(one: Iterable[bytes], other: Iterable[bytes]) -> int:
    """How many items two sequences have in common from their start."""
    return sum(1 for _ in _equal(one, other))


def _equal(one: Iterable[bytes], other: Iterable[bytes]) -> Iterator[None]:
    for left, right in zip(one, other, strict=False):
        if left != right:
            return
        yield


def _changed_in(name: str, before: bytes | None, workspace: Workspace) -> frozenset[int] | None:
    """The changed lines of a file; None where all of it counts."""
    if before is None:
        return None
    try:
        return changed_lines(before, workspace.read(name))
    except SourceError:
        return None


def _is_changed(finding: Finding, lines: dict[str, frozenset[int] | None]) -> bool:
    changed = None if finding.name is None else lines[finding.name]
    if changed is None:
        return True
    return bool(changed.intersection(finding.lines) if finding.lines else changed)
