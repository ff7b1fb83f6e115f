"""Images in a container's arguments and environment, under names that are known for it."""

from collections.abc import Iterator

from imageshift.data.flags import IMAGE_ENV, IMAGE_FLAGS
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

_ARGUMENT_KEYS = ("args", "command", "extraArgs", "additionalArgs", "extraArguments")
_ENV_KEYS = ("env", "extraEnv", "extraEnvs", "extraEnvVars")


def find_flags(
    document: Document, resource: Resource, container: Mapping, path: Path
) -> Iterator[ImageSite]:
    """The images in `args`, `command` and `env` of a container, or of values shaped like one."""
    for key in _ARGUMENT_KEYS:
        items = container.items(key)
        for index, item in enumerate(items):
            before = items[index - 1] if index else None
            part = _argument(item, before, (*path, key, index))
            if part is not None:
                yield _site(document, resource, part)
    for key in _ENV_KEYS:
        for index, item in enumerate(container.items(key)):
            value = item.get("value") if isinstance(item, Mapping) else None
            if isinstance(item, Mapping) and is_image_env(item.text("name") or ""):
                yield from _whole(document, resource, value, (*path, key, index, "value"))


def find_flag_values(
    document: Document, resource: Resource, name: str, value: Scalar, path: Path
) -> Iterator[ImageSite]:
    """The image that a key of values names by being a known flag or variable itself."""
    if name.lstrip("-") in IMAGE_FLAGS or is_image_env(name):
        yield from _whole(document, resource, value, path)


def is_image_env(name: str) -> bool:
    """Whether an environment variable of this name holds an image."""
    return name in IMAGE_ENV or name.startswith("RELATED_IMAGE_")


def _argument(item: Node, before: Node | None, path: Path) -> Part | None:
    if not isinstance(item, Scalar):
        return None
    flag, equals, text = item.value.partition("=")
    if flag.startswith("-") and flag.lstrip("-") in IMAGE_FLAGS and equals and text:
        return Part(Role.REFERENCE, item, path, lead=len(flag) + 1)
    name = before.value if isinstance(before, Scalar) else ""
    if name.startswith("-") and name.lstrip("-") in IMAGE_FLAGS and not flag.startswith("-"):
        return Part(Role.REFERENCE, item, path)
    return None


def _whole(
    document: Document, resource: Resource, value: Node | None, path: Path
) -> Iterator[ImageSite]:
    if isinstance(value, Scalar) and not value.is_empty and "/" in value.value:
        yield _site(document, resource, Part(Role.REFERENCE, value, path))


def _site(document: Document, resource: Resource, part: Part) -> ImageSite:
    return ImageSite(
        kind=SiteKind.FLAG,
        document=document,
        path=part.path,
        parts=(part,),
        resource=resource,
        confidence=Confidence.LIKELY,
    )
