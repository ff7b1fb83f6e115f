"""What a finder is told about the rest of the repository."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from enum import Enum, auto

from imageshift.data.image_field import ImageField
from imageshift.sites.model import Resource

__all__ = ["FileRole", "FinderContext"]


class FileRole(Enum):
    """What another file makes of one that says nothing about itself."""

    OBJECTS = auto()
    KUSTOMIZATION = auto()
    VALUES = auto()
    PATCH = auto()
    TEMPLATE = auto()


@dataclass(frozen=True, slots=True)
class FinderContext:
    """Facts that one document can't hold, all optional.

    `known_releases` are the HelmReleases whose chart's source stands in the tree, and
    `prefix_free_releases` those of them whose chart puts no registry before a repository;
    `values_maps` gives, by name, the keys of ConfigMaps that are Helm values, and
    whether their chart is prefix-free; `rows` are the user's own image paths.
    """

    role: FileRole = FileRole.OBJECTS
    prefix_free: bool = False
    prefix_free_releases: frozenset[Resource] = frozenset()
    known_releases: frozenset[Resource] = frozenset()
    values_maps: MappingType[str, MappingType[str, bool]] = field(default_factory=dict)
    rows: tuple[ImageField, ...] = ()
    chart_sources: bool = False
