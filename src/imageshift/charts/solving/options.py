"""Where charts are found, and how those who ask want releases to be solved."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from imageshift.charts.rendering.history import History
from imageshift.charts.rendering.tracestore import TraceStore
from imageshift.net import Transport

__all__ = ["ChartOptions"]


class ChartOptions(Struct, frozen=True, kw_only=True):
    """Where charts are found in addition to their sources, and how many renders run at once.

    `allow_insecure_images` is the overrider's; `prune` removes overrides that do nothing,
    `mend_stale` fixes all that may be stale, not only those that `history` knows to be.
    """

    sources: Mapping[str, Path] = field(default_factory=dict)
    jobs: int = 1
    traces: TraceStore | None = None
    transport: Transport = field(default_factory=Transport)
    allow_insecure_images: bool = False
    prune: bool = False
    history: History = History()
    mend_stale: bool = False
