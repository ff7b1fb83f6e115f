"""From the inventory to decisions about kustomize: what to change together, and what not at all."""

from imageshift.kustomize.render import RemoteBase, remote_bases, remote_images
from imageshift.kustomize.solve import Decisions, solve
from imageshift.kustomize.trace import BuildTrace, TraceStep, trace

__all__ = [
    "BuildTrace",
    "Decisions",
    "RemoteBase",
    "TraceStep",
    "remote_bases",
    "remote_images",
    "solve",
    "trace",
]
