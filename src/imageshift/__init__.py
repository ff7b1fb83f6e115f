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

from imageshift.api import Plan, migrate_text, plan_migration, plan_revert, revert_text
from imageshift.cache import (
    ARTICLE_RULES,
    CONSOLE_RULES,
    Cached,
    Mapped,
    Registry,
    Rule,
    RuleSet,
    Unmapped,
)
from imageshift.errors import (
    BusyError,
    ChangedError,
    ConfigError,
    ImageshiftError,
    InvalidReferenceError,
    RuleError,
    SourceError,
    ToolError,
)
from imageshift.plan import FilePlan
from imageshift.reference import ImageReference, parse_reference
from imageshift.rewrite import Change, Kept, Status
from imageshift.run import Run, RunOptions, Target
from imageshift.sites import Confidence, ImageSite, SiteKind, SkipReason

__all__ = [
    "ARTICLE_RULES",
    "CONSOLE_RULES",
    "BusyError",
    "Cached",
    "Change",
    "ChangedError",
    "Confidence",
    "ConfigError",
    "FilePlan",
    "ImageReference",
    "ImageSite",
    "ImageshiftError",
    "InvalidReferenceError",
    "Kept",
    "Mapped",
    "Plan",
    "Registry",
    "Rule",
    "RuleError",
    "RuleSet",
    "Run",
    "RunOptions",
    "SiteKind",
    "SkipReason",
    "SourceError",
    "Status",
    "Target",
    "ToolError",
    "Unmapped",
    "migrate_text",
    "parse_reference",
    "plan_migration",
    "plan_revert",
    "revert_text",
]
