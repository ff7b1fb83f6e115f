"""Finders: one per dialect, each from a document to the places that name an image."""

from imageshift.sites.context import FileRole, FinderContext
from imageshift.sites.dispatch import find_images, may_hold_images
from imageshift.sites.kustomization import is_kustomization
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Origin,
    Part,
    Resource,
    Role,
    SiteKind,
    SkipReason,
    resource_of,
)
from imageshift.sites.tekton import parameter_of

__all__ = [
    "Confidence",
    "FileRole",
    "FinderContext",
    "ImageSite",
    "Origin",
    "Part",
    "Resource",
    "Role",
    "SiteKind",
    "SkipReason",
    "find_images",
    "is_kustomization",
    "may_hold_images",
    "parameter_of",
    "resource_of",
]
