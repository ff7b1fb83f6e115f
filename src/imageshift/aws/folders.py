"""Which files of a folder may hold rules, and from which Terraform modules to read them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from imageshift.aws.terraform import RESOURCE

__all__ = ["find_documents", "find_modules"]

_DOCUMENTS = frozenset({".json", ".yaml", ".yml", ".tfstate", ".template"})
_SKIPPED = frozenset({".git", ".terraform", "node_modules"})
_WORDS = ("PullThroughCacheRule", "pullThroughCacheRules", "registryMappings", RESOURCE)
_TERRAFORM_WORDS = (RESOURCE, "upstream_registry_url")
_LOCAL_SOURCE = re.compile(r'^\s*source\s*=\s*"(\.{1,2}/[^"]*)"', re.MULTILINE)


def find_documents(folder: Path) -> Iterator[Path]:
    """The YAML and JSON files below a folder that mention rules, in path order."""
    for path in _walk(folder):
        if path.suffix in _DOCUMENTS and any(word in _text(path) for word in _WORDS):
            yield path


def find_modules(folder: Path) -> list[Path]:
    """The Terraform modules below a folder to read rules from.

    A module that another one calls is left to its callers, who give it its variables.
    """
    texts: dict[Path, str] = {}
    for path in _walk(folder):
        if path.suffix == ".tf":
            texts[path.parent] = texts.get(path.parent, "") + _text(path) + "\n"
    callers: dict[Path, set[Path]] = {}
    for module, text in texts.items():
        for source in _LOCAL_SOURCE.findall(text):
            called = Path(os.path.normpath(module / source))
            callers.setdefault(called, set()).add(module)
    holders = [module for module, text in texts.items() if _has_rules(text)]
    return sorted({root for module in holders for root in _roots(module, callers, set())})


def _has_rules(text: str) -> bool:
    return any(word in text for word in _TERRAFORM_WORDS)


def _roots(module: Path, callers: dict[Path, set[Path]], seen: set[Path]) -> set[Path]:
    if module in seen:
        return set()
    above = callers.get(module, set()) - {module}
    if not above:
        return {module}
    return {root for one in above for root in _roots(one, callers, seen | {module})}


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _SKIPPED)
        paths = (Path(root, name) for name in sorted(files))
        yield from (path for path in paths if path.is_file())  # a pipe would never end


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ""
