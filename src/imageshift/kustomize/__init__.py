"""From the inventory to decisions about kustomize: what to change together, and what not at all."""

from imageshift.kustomize.solve import Decisions, solve

__all__ = ["Decisions", "solve"]
