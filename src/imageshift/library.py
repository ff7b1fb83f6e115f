"""The names of the package: all that `import imageshift` offers."""

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
