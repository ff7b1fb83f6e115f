"""What a run knows of the files: the graph's index, their mappers and sites, what may change."""

from collections.abc import Callable

from msgspec import Struct

from imageshift.inventory import FileScan, Index
from imageshift.rewrite import Mapper

__all__ = ["RunFiles"]


class RunFiles(Struct, frozen=True):
    """The files of a run.

    `mapper_of` gives the mapper for what a file says, `scan` its sites, and `writable` whether
    this run may change it.
    """

    index: Index
    mapper_of: Callable[[str], Mapper]
    scan: Callable[[str], FileScan]
    writable: Callable[[str], bool]
