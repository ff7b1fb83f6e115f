"""A sync file for images whose registry ECR can't cache: copied instead, by regsync or skopeo.

Sources: regclient's documentation of regsync.yml (version 1); skopeo-sync(1), "YAML file content".
ECR makes no repository on a push by itself: they must exist, or a creation template for
CREATE_ON_PUSH (facts 7).
"""

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum

from imageshift.aws.used import UsedImage
from imageshift.data.upstreams import find_upstream
from imageshift.ecr import Registry
from imageshift.reference import ImageReference
from imageshift.warm.plan import has_variable

__all__ = ["SyncTool", "render_sync", "unsupported_images"]


class SyncTool(StrEnum):
    """The tool that a sync file is for."""

    REGSYNC = "regsync"
    SKOPEO = "skopeo"


def unsupported_images(used: Iterable[UsedImage]) -> tuple[ImageReference, ...]:
    """The images in use that no rule could take, each once, without variables."""
    found = {
        image.upstream
        for image in used
        if image.target is None
        and find_upstream(image.upstream.registry) is None
        and not has_variable(str(image.upstream))
    }
    return tuple(sorted(found, key=str))


def render_sync(images: Iterable[ImageReference], registry: Registry, tool: SyncTool) -> str:
    """The sync file that copies images to `HOST/<their registry>/<their repository>`."""
    lines = _regsync if tool is SyncTool.REGSYNC else _skopeo
    return "\n".join(lines(tuple(images), registry)) + "\n"


def _regsync(images: tuple[ImageReference, ...], registry: Registry) -> Iterator[str]:
    yield "# regsync once --config THIS-FILE"
    yield "# The repositories must exist, or a creation template for CREATE_ON_PUSH."
    yield "version: 1"
    yield "creds:"
    yield f"  - registry: {json.dumps(registry.host)}"
    yield "    credHelper: docker-credential-ecr-login"
    yield "sync:" if images else "sync: []"
    for image in images:
        identifier = f"@{image.digest}" if image.digest else f":{image.tag or 'latest'}"
        # A digest keeps its tag at the target, where nothing else would hold the image.
        tag = image.tag or (None if image.digest else "latest")
        copied = f":{tag}" if tag else f"@{image.digest}"
        yield f"  - source: {json.dumps(f'{image.full_name}{identifier}')}"
        yield f"    target: {json.dumps(f'{registry.host}/{_flat(image)}{copied}')}"
        yield "    type: image"


def _skopeo(images: tuple[ImageReference, ...], registry: Registry) -> Iterator[str]:
    yield "# skopeo sync --all --scoped --src yaml --dest docker THIS-FILE " + registry.host
    yield "# The repositories must exist, or a creation template for CREATE_ON_PUSH."
    by_registry: dict[str, dict[str, list[str]]] = {}
    for image in images:
        repositories = by_registry.setdefault(image.registry, {})
        wanted = image.digest or image.tag or "latest"
        repositories.setdefault(image.repository, []).append(wanted)
    for host, repositories in by_registry.items():
        if ":" in host:
            yield f"# Left out, since skopeo sync --scoped takes no port: {host} (regsync does)."
            continue
        yield f"{json.dumps(host)}:"
        yield "  images:"
        for repository, wanted_list in repositories.items():
            yield f"    {json.dumps(repository)}:"
            yield from (f"      - {json.dumps(wanted)}" for wanted in dict.fromkeys(wanted_list))


def _flat(image: ImageReference) -> str:
    # A repository's name takes no port's colon.
    return f"{image.registry.replace(':', '-')}/{image.repository}"
