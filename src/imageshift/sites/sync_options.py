"""Argo CD's sync options, as far as they decide whether a Job may change."""

from collections.abc import Iterable

from imageshift.source import Mapping, Scalar

__all__ = ["SYNC_OPTIONS", "application_options", "parse_options", "remakes_jobs", "sync_options"]

SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
"""The annotation that gives an object options of its own."""

_REMAKING = frozenset({"Force=true", "Replace=true"})


def sync_options(annotations: Mapping) -> frozenset[str]:
    """The options that an object's annotations give it."""
    return parse_options(annotations.text(SYNC_OPTIONS) or "")


def parse_options(text: str) -> frozenset[str]:
    """The options in the text of an annotation."""
    return _options(text.split(","))


def application_options(spec: Mapping) -> frozenset[str]:
    """The options that an Application's spec gives all its objects."""
    policy = spec.mapping("syncPolicy")
    items = [] if policy is None else policy.items("syncOptions")
    return _options(item.value for item in items if isinstance(item, Scalar))


def remakes_jobs(options: frozenset[str]) -> bool:
    """Whether with these options Argo CD deletes and creates what it can't change."""
    return options >= _REMAKING


def _options(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.strip() for text in texts)
