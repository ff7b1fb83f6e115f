"""The steps in CEL, as Kubernetes has it: `matches` is core, `substring` of its strings library."""

from collections.abc import Sequence
from itertools import groupby

from imageshift.policy.steps import Step

__all__ = ["moves", "quoted", "target"]


def target(steps: Sequence[Step], image: str) -> str:
    """An expression for where an image goes: its own text where it stays."""
    lines = [f"{image}.matches({quoted(step.pattern)}) ? {_put(step, image)} :" for step in steps]
    return "\n".join([*lines, image])


def moves(steps: Sequence[Step], image: str) -> str:
    """An expression for whether an image goes elsewhere."""
    lines = []
    for does, group in groupby(steps, key=lambda step: step.put is not None):
        patterns = "|".join(step.pattern for step in group)
        lines.append(f"{image}.matches({quoted(patterns)}) ? {str(does).lower()} :")
    return "\n".join([*lines, "false"])


def quoted(text: str) -> str:
    """A text as a literal; none of ours holds a quote or a backslash."""
    return f"'{text}'"


def _put(step: Step, image: str) -> str:
    if step.put is None:
        return image
    return f"{quoted(step.put)} + {image}.substring({len(step.strip)})"
