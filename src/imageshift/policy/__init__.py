"""Admission policies that map images as the rules do, for pods that no file names."""

from imageshift.policy.admission import Action, mutating_policy, validating_policy
from imageshift.policy.kyverno import kyverno_policy
from imageshift.policy.options import PolicyOptions
from imageshift.policy.steps import Step, steps_of

__all__ = [
    "Action",
    "PolicyOptions",
    "Step",
    "kyverno_policy",
    "mutating_policy",
    "steps_of",
    "validating_policy",
]
