"""Rows of the custom-resource table by kind, and the words by which a text may need one."""

from collections.abc import Iterable
from functools import cache

from msgspec import Struct

from imageshift.data.custom_resources import CUSTOM_RESOURCES
from imageshift.data.image_field import FieldShape, ImageField
from imageshift.sites.model import Resource
from imageshift.words import has_any

__all__ = ["IMAGE_WORDS", "Rows", "built_in_rows"]

IMAGE_WORDS = (
    *("mage", "registry", "repository", "_IMAGE", "_REPOSITORY", "oci://", "newName"),
    *("lowedRepos", "taskRef", "pipelineRef", "emplateRef"),
)
"""The words of which one stands in any text that may hold an image."""

_SCALARS = frozenset({FieldShape.REFERENCE, FieldShape.NAME_WITHOUT_TAG, FieldShape.PREFIX})


class Rows(Struct, frozen=True):
    """Rows by their kind.

    `words` are kinds with the last keys of those of their paths in which no word refers to an
    image: where such a kind and such a key stand in a text, it may hold an image all the same.
    """

    by_kind: dict[str, tuple[ImageField, ...]] = {}
    words: tuple[tuple[bytes, tuple[bytes, ...]], ...] = ()

    @classmethod
    def made(cls, rows: Iterable[ImageField]) -> "Rows":
        """Return the table of some rows."""
        table: dict[str, list[ImageField]] = {}
        words: dict[str, dict[str, None]] = {}
        for row in rows:
            table.setdefault(row.kind, []).append(row)
            if row.shape in _SCALARS and not has_any(row.path, IMAGE_WORDS):
                words.setdefault(row.kind, {})[_last_key(row.path)] = None
        return cls(
            {kind: tuple(found) for kind, found in table.items()},
            tuple((kind.encode(), tuple(map(str.encode, keys))) for kind, keys in words.items()),
        )

    def of(self, resource: Resource) -> list[ImageField]:
        """Return the rows of a kind in its group."""
        rows = self.by_kind.get(resource.kind, ())
        return [row for row in rows if row.group in {"*", resource.group}]

    def may_name_images(self, content: bytes) -> bool:
        """Return whether a text may hold an image of a row although no word refers to it."""
        return any(kind in content and has_any(content, keys) for kind, keys in self.words)


def _last_key(path: str) -> str:
    keys = [step.replace("[]", "") for step in path.split(".")]
    return next((key for key in reversed(keys) if key not in {"", "*"}), "")


@cache
def built_in_rows() -> Rows:
    """Return the built-in table."""
    return Rows.made(CUSTOM_RESOURCES)
