"""What a workspace holds: an index of what decides over what, and the sites of each file."""

from imageshift.inventory.index import Index, build_index
from imageshift.inventory.objects import FluxKustomization, KustomizationFile, Release
from imageshift.inventory.readers import is_definition
from imageshift.inventory.scan import FileScan, FileSkip, is_ignored, is_kept, scan_file

__all__ = [
    "FileScan",
    "FileSkip",
    "FluxKustomization",
    "Index",
    "KustomizationFile",
    "Release",
    "build_index",
    "is_definition",
    "is_ignored",
    "is_kept",
    "scan_file",
]
