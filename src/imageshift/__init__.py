"""Move a GitOps repository onto an Amazon ECR pull-through cache.

The library does what the command line does, on the same values:

    >>> import imageshift
    >>> rules = imageshift.RuleSet(
    ...     imageshift.Registry.of("123456789012", "eu-west-2"), imageshift.ARTICLE_RULES
    ... )
    >>> rules.map(imageshift.parse_reference("grafana/grafana:12.0.1")).target.normalized
    '123456789012.dkr.ecr.eu-west-2.amazonaws.com/docker-hub/grafana/grafana:12.0.1'

It never prints, exits or configures logging.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imageshift import library
    from imageshift.library import *  # noqa: F403 its `__all__` is ours

    __all__ = library.__all__
else:

    def __getattr__(name: str) -> Any:
        """One of the library's names, loaded when asked for: the command line needs none."""
        library = import_module("imageshift.library")
        if name in {"__all__", *library.__all__}:
            return getattr(library, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
