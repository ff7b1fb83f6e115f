"""Proposes rows for the custom-resource table, from the CustomResourceDefinitions in some files.

    python scripts/find_image_fields.py [--config] PATH…

A PATH is a file, a folder with files, or a chart (a folder or a .tgz). Without `--config` the rows
come out as the table in `src/imageshift/data/crds` has them, with it as `images:` of
`.imageshift.yaml` takes them. Fields that the table has already are left out. Every row is only a
proposal: read what the definition says of it before you take it over.
"""

import argparse
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from imageshift.data.custom_resources import CUSTOM_RESOURCES
from imageshift.data.image_field import FieldShape, ImageField
from imageshift.inventory.definitions import read_definitions

_METHODS = {
    FieldShape.CONTAINER: "containers",
    FieldShape.IMAGE_MAP: "image_maps",
    FieldShape.OBJECT: "objects",
    FieldShape.POD_SPEC: "pod_specs",
    FieldShape.POD_TEMPLATE: "pod_templates",
    FieldShape.REFERENCE: "references",
}
_BELOW = {
    FieldShape.CONTAINER: (".image",),
    FieldShape.POD_SPEC: (".containers[].image", ".initContainers[].image"),
    FieldShape.POD_TEMPLATE: (".spec.containers[].image", ".spec.initContainers[].image"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the proposals; the exit code is 1 when there are none."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--config", action="store_true", help="as `images:` of .imageshift.yaml")
    options = parser.parse_args(arguments)
    rows = [row for path in options.paths for row in proposals(path)]
    for line in as_config(rows) if options.config else as_table(rows):
        print(line)
    return 0 if rows else 1


def proposals(path: Path) -> Iterator[ImageField]:
    """The image fields of the definitions at a path that the table doesn't have."""
    known = {(row.group, row.kind, row.path) for row in CUSTOM_RESOURCES}
    for row in _definitions(path):
        if not _is_covered(row, known):
            yield row


def _definitions(path: Path) -> list[ImageField]:
    if path.suffix != ".tgz":
        return read_definitions(path)
    with tempfile.TemporaryDirectory() as folder, tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
        return read_definitions(Path(folder))


def _is_covered(row: ImageField, known: set[tuple[str, str, str]]) -> bool:
    """Whether the table has the field, or what it lies in."""
    steps = row.path.replace("[]", ".[]").split(".")
    above = (".".join(steps[:count]).replace(".[]", "[]") for count in range(1, len(steps) + 1))
    return any((row.group, row.kind, path) in known for path in above)


def as_table(rows: Iterable[ImageField]) -> Iterator[str]:
    """The rows as Python, one call for each kind and shape."""
    for (group, source, kind, shape), found in groupby(
        rows, key=lambda row: (row.group, row.source, row.kind, row.shape)
    ):
        yield f'*Definition("{group}", "OWNER/REPOSITORY {source}").{_METHODS[shape]}('
        yield f'    "{kind}",'
        for row in found:
            yield f'    "{row.path}",{_remark(row)}'
        yield "),"


def _remark(row: ImageField) -> str:
    if row.note:
        return f"  # {row.note}"
    return "  # perhaps no container's image: read the definition" if row.full_only else ""


def as_config(rows: Iterable[ImageField]) -> Iterator[str]:
    """The rows as `images:` of the configuration."""
    yield "images:"
    for row in rows:
        for path in _BELOW.get(row.shape, ("",)):
            if row.shape is not FieldShape.OBJECT:
                yield f"  - kind: {row.kind}"
                yield f"    apiVersion: {row.group}/*"
                yield f"    path: {row.path}{path}{_remark(row)}"


if __name__ == "__main__":
    sys.exit(main())
