"""Images in a container's arguments and environment, under names that are known for it."""

from collections.abc import Iterator

from imageshift.data.flags import ENVIRONMENT, ENVIRONMENT_PREFIXES, FLAGS
from imageshift.errors import InvalidReferenceError
from imageshift.reference import parse_reference
from imageshift.sites.model import (
    Confidence,
    ImageSite,
    Part,
    Path,
    Resource,
    Role,
    SiteKind,
)
from imageshift.source import Document, Mapping, Node, Scalar

__all__ = ["find_flag_values", "find_flags"]

_FLAGS = frozenset(option.name for option in FLAGS)
_ENV = frozenset(option.name for option in ENVIRONMENT)
_ENV_PREFIXES = tuple(option.name for option in ENVIRONMENT_PREFIXES)

_ARGUMENT_KEYS = {"args", "command", "extraArgs", "additionalArgs", "extraArguments"}
_ENV_KEYS = {"env", "extraEnv", "extraEnvs", "extraEnvVars"}


def find_flags(
    document: Document, resource: Resource, container: Mapping, path: Path
) -> Iterator[ImageSite]:
    """The images in `args`, `command` and `env` of a container, or of values shaped like one."""
    keys = container.keys()
    for key in sorted(_ARGUMENT_KEYS & keys):
        items = container.items(key)
        for index, item in enumerate(items):
            before = items[index - 1] if index else None
            part = _argument(item, before, (*path, key, index))
            if part is not None and _is_reference(part.text):
                yield _site(document, resource, part)
    for key in sorted(_ENV_KEYS & keys):
        for index, item in enumerate(container.items(key)):
            value = item.get("value") if isinstance(item, Mapping) else None
            if isinstance(item, Mapping) and is_image_env(item.text("name") or ""):
                yield from _whole(document, resource, value, (*path, key, index, "value"))


def find_flag_values(
    document: Document, resource: Resource, name: str, value: Scalar, path: Path
) -> Iterator[ImageSite]:
    """The image that a key of values names by being a known flag or variable itself."""
    if name.lstrip("-") in _FLAGS or is_image_env(name):
        yield from _whole(document, resource, value, path)


def is_image_env(name: str) -> bool:
    """Whether an environment variable of this name holds an image."""
    return name in _ENV or name.startswith(_ENV_PREFIXES)


def _argument(item: Node, before: Node | None, path: Path) -> Part | None:
    if not isinstance(item, Scalar):
        return None
    flag, equals, text = item.value.partition("=")
    if flag.startswith("-") and flag.lstrip("-") in _FLAGS and equals and text:
        return Part(Role.REFERENCE, item, path, lead=len(flag) + 1)
    name = before.value if isinstance(before, Scalar) else ""
    if name.startswith("-") and name.lstrip("-") in _FLAGS and not flag.startswith("-"):
        return Part(Role.REFERENCE, item, path)
    return None


def _whole(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    if isinstance(value, Scalar) and value.is_string and _is_reference(value.value):
        yield _site(document, resource, Part(Role.REFERENCE, value, path))


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
