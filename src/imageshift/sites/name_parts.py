"""Whether values say all of an image's name: charts put organisations and prefixes into it.

A key such as `organization` beside a repository, or `imageNamespace` above it, is likely to stand
between the registry and the repository. Only the chart knows.
"""

from collections.abc import Container, Iterable

from imageshift.lazy import lazy_re
from imageshift.reference import has_host
from imageshift.source import Mapping, Scalar

__all__ = ["is_host", "part_around", "part_beside", "part_in"]

_WORD = lazy_re(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_STRONG = frozenset({"org", "organization", "organisation"})
_PARTS = _STRONG | {"namespace", "project", "prefix", "suffix", "user", "username", "owner"}
_PARTS |= {"group", "account", "team", "vendor", "path", "hub", "host", "fqdn", "domain", "server"}
_IMAGE = frozenset({"image", "images", "img", "registry", "repository", "repo", "docker"})
_DEFAULTS = ("global", "image", "images")


def is_host(registry: str) -> bool:
    """Whether the value of a `registry` key begins with a host, for all that can be told.

    >>> is_host("ghcr.io/org"), is_host("kubedb"), is_host("${REGISTRY}")
    (True, False, True)
    """
    return has_host(f"{registry.rstrip('/')}/name") or "$" in registry or "{{" in registry


def part_beside(block: Mapping, taken: Container[str]) -> str | None:
    """The key of an image's own map, other than those `taken`, that may be a part of its name."""
    found = (key for key in _filled(block) if _words(key)[-1:] and _words(key)[-1] in _PARTS)
    return next((key for key in found if key not in taken), None)


def part_around(maps: Iterable[Mapping]) -> str | None:
    """The key in the maps around an image that may be a part of its name, as a path in its map."""
    return next(filter(None, map(part_in, maps)), None)


def part_in(around: Mapping) -> str | None:
    """The key of one map that may be a part of the names of the images in it.

    Such keys say that they are about images, or stand in maps of defaults for images.
    """
    return next(filter(_is_about_images, _filled(around)), None) or _default(around, ())


def _default(around: Mapping, path: tuple[str, ...]) -> str | None:
    """The key of a part of names in `image` and `global` below a map."""
    for name in _DEFAULTS if len(path) < len(_DEFAULTS) - 1 else ():
        inner = around.mapping(name)
        if inner is not None:
            at = (*path, name)
            about = next(filter(_is_about_images, _filled(inner)), None)
            found = about or (None if name == "global" else part_beside(inner, ()))
            if found is not None:
                return ".".join((*at, found))
            deeper = _default(inner, at)
            if deeper is not None:
                return deeper
    return None


def _filled(node: Mapping) -> Iterable[str]:
    """The keys of a map that have a text."""
    for key, value in node.pairs():
        if isinstance(value, Scalar) and not value.is_empty and value.is_string:
            yield key.value


def _is_about_images(key: str) -> bool:
    words = _words(key)
    last = words[-1] if words else ""
    return last in _STRONG or (last in _PARTS and bool(_IMAGE & set(words)))


def _words(key: str) -> list[str]:
    """The words of a key: `imageOrg` and `image_org` have two."""
    return [word.lower() for word in _WORD.findall(key)]
