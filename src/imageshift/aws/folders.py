"""Which files of a folder may hold rules, and from which Terraform modules to read them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, field

from imageshift.aws.sources import SourceFiles, walk_files
from imageshift.errors import SourceError
from imageshift.lazy import lazy_re
from imageshift.words import has_any

__all__ = ["RESOURCE", "FolderSurvey", "survey_folder"]

RESOURCE = "aws_ecr_pull_through_cache_rule"
"""The resource of Terraform's AWS provider."""

_DOCUMENTS = frozenset({".json", ".yaml", ".yml", ".tfstate", ".template"})
_WORDS = (b"PullThroughCacheRule", b"pullThroughCacheRules", b"registryMappings", RESOURCE.encode())
_TERRAFORM_WORDS = (RESOURCE.encode(), b"upstream_registry_url")
_LOCAL_SOURCE = lazy_re(rb'^[ \t]*source[ \t]*=[ \t]*"(\.{1,2}/[^"\n]*)"', re.MULTILINE)


class FolderSurvey(Struct):
    """What a folder holds: documents that mention rules, Terraform modules, what can't be read.

    `calls` has the local modules that each module names; `holders` are those with rules.
    """

    documents: list[Path] = field(default_factory=list)
    problems: list[tuple[Path, SourceError]] = field(default_factory=list)
    calls: dict[Path, set[Path]] = field(default_factory=dict)
    holders: set[Path] = field(default_factory=set)

    def modules(self) -> list[Path]:
        """The modules to read rules from; one that another calls is left to its callers.

        They give it its variables.
        """
        callers: dict[Path, set[Path]] = {}
        for module, called in self.calls.items():
            for one in called - {module}:
                callers.setdefault(one, set()).add(module)
        seen, waiting = set(self.holders), list(self.holders)
        while waiting:
            new = callers.get(waiting.pop(), set()) - seen
            seen |= new
            waiting += new
        return sorted(module for module in seen if module not in callers)

    def add_terraform(self, path: Path, content: bytes) -> None:
        """Notes what a `.tf` file calls, and whether it holds rules."""
        module = path.parent
        sources = {os.fsdecode(one) for one in _LOCAL_SOURCE.findall(content)}
        called = {Path(os.path.normpath(module / source)) for source in sources}
        self.calls.setdefault(module, set()).update(called)
        if has_any(content, _TERRAFORM_WORDS):
            self.holders.add(module)


def survey_folder(folder: Path, files: SourceFiles) -> FolderSurvey:
    """What the files below a folder hold."""
    survey = FolderSurvey()
    for path in _wanted(folder, survey):
        try:
            content = files.read(path)
        except SourceError as error:
            survey.problems.append((path, error))
            continue
        if path.suffix == ".tf":
            survey.add_terraform(path, content)
        elif has_any(content, _WORDS):
            survey.documents.append(path)
    return survey


def _wanted(folder: Path, survey: FolderSurvey) -> Iterator[Path]:
    for found in walk_files(folder, survey.problems):
        if found.suffix in _DOCUMENTS or found.suffix == ".tf":
            yield found
