"""The proof: renders and builds a tree before and after, and judges every difference.

It knows the rules (`cache`), and never what was planned, so that it catches the rewriter's own
mistakes too.
"""

from imageshift.verify.model import (
    DifferenceClass,
    ImagePair,
    ObjectDifference,
    Problem,
    Proof,
    Verdict,
)
from imageshift.verify.proof import VerifyOptions, verify_trees, with_unread
from imageshift.verify.snapshot import Snapshot

__all__ = [
    "DifferenceClass",
    "ImagePair",
    "ObjectDifference",
    "Problem",
    "Proof",
    "Snapshot",
    "Verdict",
    "VerifyOptions",
    "verify_trees",
    "with_unread",
]
