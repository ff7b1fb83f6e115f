"""ConfigMaps and Secrets: Helm values, images of programs that are known, and pods as text."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec.structs import replace

from imageshift.data.config_map_keys import CONFIG_MAP_KEYS
from imageshift.sites.context import FinderContext
from imageshift.sites.custom import select
from imageshift.sites.generic import find_embedded_pods
from imageshift.sites.model import ImageSite, Path, Resource, SiteKind, below
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.sites.workloads import whole_site
from imageshift.source import Document, Mapping, Scalar, parse_embedded

__all__ = ["find_config_map_images", "find_secret_images", "may_name_images"]

_POD_LIST = re.compile(r"\b(?:c|initC|ephemeralC)ontainers\b")
_WORDS = sorted({row.config_map if row.config_map != "*" else row.key for row in CONFIG_MAP_KEYS})
_KNOWN = re.compile("|".join(map(re.escape, _WORDS)))


def may_name_images(text: str, context: FinderContext) -> bool:
    """Whether a ConfigMap can name images, judged by its text alone."""
    return (
        bool(context.values_maps or context.copied_keys)
        or _KNOWN.search(text) is not None
        or _POD_LIST.search(text) is not None
    )


def find_config_map_images(
    document: Document, root: Mapping, resource: Resource, path: Path, context: FinderContext
) -> Iterator[ImageSite]:
    """The images in a ConfigMap's data.

    Raises:
        SourceError: the values of a release can't be followed.
    """
    values_keys = context.values_maps.get(resource.name, {})
    for key, text in _filled(root, "data"):
        at = (*path, "data", key)
        paths = _paths(resource.name, key)
        if key in values_keys:
            yield from _values(document, resource, text, at, free=values_keys[key])
        elif (resource.name, key) in context.copied_keys:
            yield from _copied(document, resource, text, at, context)
        elif paths:
            yield from _known(document, text, resource, at, paths)
        else:
            yield from find_embedded_pods(document, text, resource, at)


def find_secret_images(
    document: Document, root: Mapping, resource: Resource, path: Path, context: FinderContext
) -> Iterator[ImageSite]:
    """The images in a Secret's clear text that a release takes as its values.

    Raises:
        SourceError: the values can't be followed.
    """
    values_keys = context.values_secrets.get(resource.name, {})
    for key, text in _filled(root, "stringData"):
        at = (*path, "stringData", key)
        if key in values_keys:
            yield from _values(document, resource, text, at, free=values_keys[key])
        elif (resource.name, key) in context.copied_keys:
            yield from _copied(document, resource, text, at, context)


def _filled(root: Mapping, name: str) -> Iterator[tuple[str, Scalar]]:
    for key, text in below(root, name).pairs():
        if isinstance(text, Scalar) and not text.is_empty:
            yield key.value, text


def _values(
    document: Document, resource: Resource, text: Scalar, at: Path, *, free: bool
) -> Iterator[ImageSite]:
    for inner in parse_embedded(document, text):
        yield from find_values_images(ValuesContext(inner, resource, free), inner.mapping, at)


def _copied(
    document: Document, resource: Resource, text: Scalar, at: Path, context: FinderContext
) -> Iterator[ImageSite]:
    """A text that something puts into an image elsewhere, and maybe into other things."""
    role, note = context.copied_keys[resource.name, str(at[-1])]
    for site in whole_site(document, resource, text, at, SiteKind.CUSTOM):
        yield replace(site, parts=(replace(site.main, role=role),)).doubtful(note)


def _paths(config_map: str, key: str) -> list[str]:
    return [
        row.path
        for row in CONFIG_MAP_KEYS
        if row.config_map in {config_map, "*"} and fnmatchcase(key, row.key)
    ]


def _known(
    document: Document, text: Scalar, resource: Resource, at: Path, paths: list[str]
) -> Iterator[ImageSite]:
    if paths == [""]:
        yield from whole_site(document, resource, text, at, SiteKind.CUSTOM)
        return
    for path in paths:
        for found in select(document, text, path):
            at_inner = at + found.path
            yield from whole_site(found.document, resource, found.node, at_inner, SiteKind.CUSTOM)
