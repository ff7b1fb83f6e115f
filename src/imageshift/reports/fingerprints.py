"""What a finding is recognized by in another run, when lines have moved meanwhile."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from imageshift.reports.findings import Finding

__all__ = ["fingerprints", "identity"]


def identity(finding: Finding) -> tuple[str, str, str]:
    """The code, file and image of a finding, which several findings of one file may share."""
    return finding.code, finding.name or "", finding.subject or finding.message


def fingerprints(findings: Iterable[Finding]) -> Iterator[tuple[Finding, str]]:
    """Each finding with a digest that no other one of the run has."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for finding in findings:
        key = identity(finding)
        seen[key] += 1
        text = "\0".join((*key, str(seen[key])))
        yield finding, hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
