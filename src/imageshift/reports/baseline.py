"""A baseline: the findings that a repository had on the day when it began to check itself."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from imageshift.errors import ConfigError, SourceError
from imageshift.repo.read import read_file
from imageshift.reports.findings import Finding, Level
from imageshift.reports.fingerprints import identity
from imageshift.reports.words import counted

__all__ = ["SCHEMA", "Baseline", "baseline_text"]

SCHEMA = "imageshift-baseline/v1"
_HINT = "--write-baseline rewrites it"


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """Findings of one file that say the same of the same image."""

    code: str
    file: str
    subject: str
    count: int = 1


class _Content(Struct, frozen=True):
    schema: str
    findings: list[Entry]


class Baseline(Struct, frozen=True):
    """The known findings, by what they are recognized by."""

    known: dict[tuple[str, str, str], int]

    @classmethod
    def read(cls, path: Path) -> "Baseline":
        """The baseline of a file.

        Raises:
            ConfigError: it can't be read, or isn't a baseline.
        """
        try:
            content = msgspec.json.decode(read_file(path), type=_Content)
        except SourceError as error:
            raise ConfigError(f"{path}: {error}", hint=_HINT) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ConfigError(f"{path}: it isn't a baseline: {error}", hint=_HINT) from None
        if content.schema != SCHEMA:
            raise ConfigError(f"{path}: its schema isn't {SCHEMA}", hint=_HINT)
        known: Counter[tuple[str, str, str]] = Counter()
        for entry in content.findings:
            known[entry.code, entry.file, entry.subject] += entry.count
        return cls(dict(known))

    def of(self, wanted: Callable[[str], bool]) -> "Baseline":
        """The part that refers to the wanted files."""
        return Baseline({key: number for key, number in self.known.items() if wanted(key[1])})

    def split(self, findings: Iterable[Finding]) -> tuple[list[Finding], int, int]:
        """The findings without the known errors, how many those are, and how many are gone."""
        left = Counter(self.known)
        new = []
        for finding in findings:
            key = identity(finding)
            if finding.level is Level.ERROR and left[key] > 0:
                left[key] -= 1
            else:
                new.append(finding)
        gone = sum(number for number in left.values() if number > 0)
        return new, sum(self.known.values()) - gone, gone


def baseline_text(findings: Iterable[Finding], others: Baseline) -> tuple[str, str]:
    """A baseline with all errors among the findings, and how many they are in words.

    `others` is what it keeps of files that weren't looked at.
    """
    errors = [finding for finding in findings if finding.level is Level.ERROR]
    counts = Counter(identity(finding) for finding in errors) + Counter(others.known)
    rows = [
        {"code": code, "file": file, "subject": subject, "count": number}
        for (code, file, subject), number in sorted(counts.items(), key=_order)
    ]
    text = json.dumps({"schema": SCHEMA, "findings": rows}, indent=2) + "\n"
    return text, counted(len(errors), "finding")


def _order(item: tuple[tuple[str, str, str], int]) -> tuple[str, str, str]:
    (code, file, subject), _ = item
    return file, subject, code
