"""ConfigMaps and Secrets: Helm values, images of programs that are known, and pods as text."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec.structs import replace

from imageshift.data.config_map_keys import CONFIG_MAP_KEYS
from imageshift.lazy import lazy_re
from imageshift.sites.context import FinderContext
from imageshift.sites.copied import Copied
from imageshift.sites.custom import select
from imageshift.sites.flags import find_flag_values, names_image_env
from imageshift.sites.generic import find_embedded_pods
from imageshift.sites.model import ImageSite, Path, Resource, SiteKind, below, resource_of
from imageshift.sites.values import ValuesContext, find_values_images
from imageshift.sites.workloads import whole_site
from imageshift.source import Document, Mapping, Node, Scalar, parse_embedded

__all__ = [
    "data_paths",
    "find_config_map_images",
    "find_data_images",
    "find_secret_images",
    "may_name_images",
]

_CLEAR_TEXT = "a Secret's values; only the chart can tell whether they are images"
_POD_LIST = lazy_re(r"\b(?:c|initC|ephemeralC)ontainers\b")
_WORDS = sorted({row.config_map if row.config_map != "*" else row.key for row in CONFIG_MAP_KEYS})
_KNOWN = lazy_re("|".join(map(re.escape, _WORDS)))


def may_name_images(text: str, context: FinderContext) -> bool:
    """Whether a ConfigMap can name images, judged by its text alone."""
    return (
        bool(context.values_maps or context.copied_keys)
        or _KNOWN.search(text) is not None
        or names_image_env(text)
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
        paths = data_paths(resource.name, key)
        if key in values_keys:
            yield from _values(document, resource, text, at, free=values_keys[key])
        elif (copied := context.copied(resource.name, key, text.value)) is not None:
            yield from _copied(document, resource, text, at, copied)
        elif paths:
            yield from _known(document, text, resource, at, paths)
        else:
            yield from find_flag_values(document, resource, key, text, at)
            yield from find_embedded_pods(document, text, resource, at)


def find_secret_images(
    document: Document, root: Mapping, resource: Resource, path: Path, context: FinderContext
) -> Iterator[ImageSite]:
    """The images in a Secret's clear text that a release takes as its values, all doubtful.

    Raises:
        SourceError: the values can't be followed.
    """
    values_keys = context.values_secrets.get(resource.name, {})
    for key, text in _filled(root, "stringData"):
        at = (*path, "stringData", key)
        if key in values_keys:
            found = _values(document, resource, text, at, free=values_keys[key])
            yield from (site.doubtful(_CLEAR_TEXT) for site in found)
        elif (copied := context.copied(resource.name, key, text.value)) is not None:
            yield from _copied(document, resource, text, at, copied)


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
    document: Document, resource: Resource, text: Scalar, at: Path, copied: Copied
) -> Iterator[ImageSite]:
    """A text that something puts into an image elsewhere, and maybe into other things."""
    for site in whole_site(document, resource, text, at, SiteKind.CUSTOM):
        yield replace(site, parts=(replace(site.main, role=copied.role),)).doubtful(copied.why)


def find_data_images(document: Document, name: str, key: str) -> Iterator[ImageSite]:
    """The images of a file that a generator makes a key of a known program's ConfigMap."""
    resource = resource_of(document.mapping)
    yield from _selected(document, document.mapping, resource, (), data_paths(name, key))


def data_paths(config_map: str, key: str) -> list[str]:
    """The places of images in a key of a known program's ConfigMap; empty for the text itself."""
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
    yield from _selected(document, text, resource, at, paths)


def _selected(
    document: Document, root: Node, resource: Resource, at: Path, paths: list[str]
) -> Iterator[ImageSite]:
    for path in filter(None, paths):
        for found in select(document, root, path):
            at_inner = at + found.path
            yield from whole_site(found.document, resource, found.node, at_inner, SiteKind.CUSTOM)
