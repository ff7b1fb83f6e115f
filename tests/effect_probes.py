"""Probes: small trees written as one text, and the images that a real tool makes of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from real_tools import BuildError, Object, Tree, kustomize

__all__ = ["Probe", "built_images", "images_of", "pod", "tree_of"]

_FILE = re.compile(r"^-- (\S+) --\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Probe:
    """A fact's number, what it says, a tree as one text, and what comes out.

    The tree's files stand behind lines `-- path --`. `images` are those of the built folder `.`
    in order; `refused` is a part of what the tool says instead. `newer` are the images of newer
    versions of kustomize, where those differ.
    """

    fact: str
    says: str
    tree: str
    images: tuple[str, ...] = ()
    refused: str = ""
    newer: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"{self.fact}-{self.says}"


def tree_of(text: str) -> dict[str, bytes]:
    """Return the files of a text."""
    parts = _FILE.split(text)[1:]
    return {name: body.encode() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def pod(*images: str, name: str = "p") -> str:
    """Return a Pod as YAML, its containers named a, b, c and so on."""
    containers = ", ".join(
        f'{{name: {letter}, image: "{image}"}}'
        for letter, image in zip("abcdefgh", images, strict=False)
    )
    head = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\n"
    return f"{head}spec: {{containers: [{containers}]}}\n"


def images_of(objects: list[Object]) -> tuple[str, ...]:
    """Return the texts under a key `image` or `reference`, in order."""
    return tuple(_images(objects))


def built_images(tree: Tree, *, helm: bool = False) -> tuple[str, ...] | str:
    """Return the images that kustomize builds of a tree's root, or what it says against it."""
    try:
        return images_of(kustomize(tree, helm=helm))
    except BuildError as error:
        return str(error)


def _images(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"image", "reference"} and isinstance(value, str):
                yield value
            else:
                yield from _images(value)
    elif isinstance(node, list):
        for one in node:
            yield from _images(one)
