"""Verdicts as rows of the JSON report (`renders`)."""

from collections.abc import Callable
from typing import Any

from imageshift.verify.model import (
    MISSING,
    ObjectDifference,
    Proof,
    Verdict,
    spell_object,
    spell_path,
)

__all__ = ["problem_rows", "render_rows"]


def render_rows(proof: Proof, shown: Callable[[str], str]) -> list[dict[str, Any]]:
    """One row per build, release and file that could be compared."""
    return [_row(verdict, shown) for verdict in proof.verdicts if verdict.problem is None]


def problem_rows(proof: Proof, shown: Callable[[str], str]) -> list[dict[str, Any]]:
    """One row per build and release that couldn't be compared."""
    return [
        {"place": shown(problem.place), "message": problem.message, "hint": problem.hint}
        for problem in proof.problems
    ]


def _row(verdict: Verdict, shown: Callable[[str], str]) -> dict[str, Any]:
    return {
        "name": verdict.key.name,
        "namespace": verdict.key.namespace or None,
        "kind": verdict.key.kind.value,
        "file": shown(verdict.file),
        "place": verdict.key.place,
        "objects": verdict.objects,
        "equal": verdict.is_equal,
        "images": [
            {"before": pair.before, "after": pair.after, "ok": pair.ok} for pair in verdict.images
        ],
        "other_differences": [_difference_row(item) for item in verdict.differences],
        "diffs": [
            {"object": spell_object(name), "diff": text} for name, text in verdict.diffs.items()
        ],
    }


def _difference_row(item: ObjectDifference) -> dict[str, Any]:
    return {
        "object": spell_object(item.object),
        "path": spell_path(item.path),
        "before": None if item.before is MISSING else item.before,
        "after": None if item.after is MISSING else item.after,
        "class": item.kind.value,
        "reason": item.reason or None,
    }
