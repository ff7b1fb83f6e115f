"""Images in a container's arguments and environment, under names that are known for it."""

import re
from collections.abc import Iterator

from imageshift.data.flags import ENVIRONMENT, ENVIRONMENT_LISTS, ENVIRONMENT_PREFIXES, FLAGS
from imageshift.errors import InvalidReferenceError
from imageshift.lazy import lazy_re
from imageshift.reference import has_host, parse_reference
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
)
from imageshift.source import Document, Mapping, Node, Scalar, Sequence, embedded_text

__all__ = [
    "find_argument",
    "find_flag_values",
    "find_flags",
    "find_list",
    "find_variable",
    "is_image_env",
    "is_spelled_out",
    "names_image_env",
]

_FLAGS = frozenset(option.name for option in FLAGS)
_ENV = frozenset(option.name for option in ENVIRONMENT)
_ENV_LISTS = frozenset(option.name for option in ENVIRONMENT_LISTS)
_VERSION = lazy_re(r"(?<!\S)[^\s=]+=(?P<image>\S+)")
_ENV_PREFIXES = tuple(option.name for option in ENVIRONMENT_PREFIXES)

_ANY_ENV = lazy_re("|".join(map(re.escape, (*_ENV_PREFIXES, *sorted(_ENV)))))
_IMAGE_FLAG = lazy_re(r"(?:^|[-_.])image(?:$|[-_.])|[a-z0-9]Image$")

_ARGUMENT_KEYS = {"args", "command", "extraArgs", "additionalArgs", "extraArguments"}
_ENV_KEYS = {"env", "extraEnv", "extraEnvs", "extraEnvVars"}


def find_flags(
    document: Document, resource: Resource, container: Mapping, path: Path
) -> Iterator[ImageSite]:
    """The images in `args`, `command` and `env` of a container, or of values shaped like one.

    Under a name that isn't known but refers to an image, one that is spelled out is doubtful: it
    may as well be a name to push to.
    """
    keys = container.keys()
    for key in sorted((_ARGUMENT_KEYS | _ENV_KEYS) & keys):
        items = container.get(key)
        if isinstance(items, Sequence):
            yield from find_list(document, resource, (key, items), (*path, key))


def find_list(
    document: Document, resource: Resource, entry: tuple[str, Sequence], path: Path
) -> Iterator[ImageSite]:
    """The images in a list of arguments or variables, which its key tells."""
    key, found = entry
    for index, item in enumerate(found.items):
        if key in _ENV_KEYS:
            yield from find_variable(document, resource, item, (*path, index))
        else:
            before = found.items[index - 1] if index else None
            yield from find_argument(document, resource, item, (*path, index), before)


def find_argument(
    document: Document, resource: Resource, item: Node, path: Path, before: Node | None = None
) -> Iterator[ImageSite]:
    """The image in one argument, `--flag=REF`, or `REF` behind a flag."""
    if not isinstance(item, Scalar):
        return
    flag, equals, text = item.value.partition("=")
    lead = len(flag) + 1
    if not (flag.startswith("-") and equals and text):
        flag, lead = before.value if isinstance(before, Scalar) else "", 0
        if not flag.startswith("-") or item.value.startswith("-"):
            return
    name = flag.lstrip("-")
    known = name in _FLAGS
    if known or _IMAGE_FLAG.search(name):
        yield from _judged(document, resource, Part(Role.REFERENCE, item, path, lead), known=known)


def find_variable(
    document: Document, resource: Resource, item: Node, path: Path
) -> Iterator[ImageSite]:
    """The image in one variable, a mapping with `name` and `value`."""
    value = item.get("value") if isinstance(item, Mapping) else None
    if not isinstance(item, Mapping) or not isinstance(value, Scalar) or not value.is_string:
        return
    name = item.text("name") or ""
    if name in _ENV_LISTS:
        yield from _versions(document, resource, value, (*path, "value"))
        return
    known = is_image_env(name)
    if known or "IMAGE" in name.upper():
        part = Part(Role.REFERENCE, value, (*path, "value"))
        yield from _judged(document, resource, part, known=known)


def _versions(
    document: Document, resource: Resource, value: Scalar, path: Path
) -> Iterator[ImageSite]:
    """The images of lines `version=image`."""
    inner = embedded_text(document, value)
    for found in _VERSION.finditer(inner.source.text):
        start, end = found.span("image")
        part = Part(Role.REFERENCE, Scalar(start, end, None, found["image"], "", None), path)
        yield from _judged(inner, resource, part, known=True)


def find_flag_values(
    document: Document, resource: Resource, name: str, value: Scalar, path: Path
) -> Iterator[ImageSite]:
    """The image that a key of values names by being a known flag or variable itself."""
    if (name.lstrip("-") in _FLAGS or is_image_env(name)) and value.is_string:
        yield from _judged(document, resource, Part(Role.REFERENCE, value, path), known=True)


def is_image_env(name: str) -> bool:
    """Whether an environment variable of this name is known to hold an image."""
    return name in _ENV or name.startswith(_ENV_PREFIXES)


def names_image_env(text: str) -> bool:
    """Whether the name of a variable that is known to hold an image stands in a text."""
    return _ANY_ENV.search(text) is not None


def _judged(
    document: Document, resource: Resource, part: Part, *, known: bool
) -> Iterator[ImageSite]:
    if known and _is_reference(part.text):
        yield _site(document, resource, part)
    elif not known and is_spelled_out(part.text):
        yield _site(document, resource, part).doubtful(
            "not a flag or variable that imageshift knows"
        )


def is_spelled_out(text: str) -> bool:
    """Whether a text is an image for sure: a reference with a registry and a tag or digest."""
    try:
        reference = parse_reference(text)
    except InvalidReferenceError:
        return False
    return has_host(text) and (reference.tag is not None or reference.digest is not None)


def _is_reference(text: str) -> bool:
    # Short names of flags prove little, so what no image can be is no site.
    try:
        reference = parse_reference(text)
    except InvalidReferenceError:
        return "$" in text
    return "/" in text or reference.tag is not None


def _site(document: Document, resource: Resource, part: Part) -> ImageSite:
    return ImageSite(
        kind=SiteKind.FLAG,
        document=document,
        path=part.path,
        parts=(part,),
        resource=resource,
        confidence=Confidence.LIKELY,
    )
