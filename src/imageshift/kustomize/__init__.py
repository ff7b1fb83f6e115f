"""From the inventory to decisions about kustomize: what to change together, and what not at all."""

from imageshift.kustomize.remote import remote_bases, remote_rows
from imageshift.kustomize.render import remote_images, remote_sites
from imageshift.kustomize.solve import Decisions, solve
from imageshift.kustomize.trace import BuildTrace, Tracer, TraceStep

__all__ = [
    "BuildTrace",
    "Decisions",
    "TraceStep",
    "Tracer",
    "remote_bases",
    "remote_images",
    "remote_rows",
    "remote_sites",
    "solve",
]
