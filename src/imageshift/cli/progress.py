"""Progress on a terminal: how many pieces of work are done, of how many, and the current one."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any

from imageshift.reports.words import visible
from imageshift.steps import watched_by

if TYPE_CHECKING:
    from imageshift.run import Run

__all__ = ["hide_progress", "progress", "settle"]

_DELAY = 1.0
"""Seconds that a run may take before it shows progress."""

_shown: list["_Bar"] = []


@contextmanager
def progress(what: str, total: int | None = None, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A function to call after each of `total` pieces of work.

    On a terminal, a bar appears when the work takes longer than a second, with the names of what
    the run works on, until something else is printed.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    bar = _Bar(what, total)
    _shown.append(bar)
    try:
        with watched_by(bar):
            yield bar.end
    finally:
        bar.close()
        _shown.remove(bar)


def settle(run: "Run", *, quiet: bool) -> None:
    """Makes a run's decisions that span files, with a bar for the charts that it renders.

    Raises:
        ChangedError: as `Run.settle`.
    """
    with progress("charts", quiet=quiet):
        run.settle()


def hide_progress() -> None:
    """Takes the bar away, since the terminal is needed for something else."""
    for bar in _shown:
        bar.close()


class _Bar:
    """The bar of one kind of work; it is drawn once the work has taken a while."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what, self._total, self._done, self._name = what, total or 0, 0, ""
        self._lock = Lock()
        self._drawn: Any = None
        self._is_closed = False
        self._timer = Timer(_DELAY, self._draw)
        self._timer.daemon = True
        self._timer.start()

    def expect(self, number: int) -> None:
        with self._lock:
            self._total += number
        self._update()

    def begin(self, name: str) -> None:
        self._name = name
        self._update()

    def end(self) -> None:
        with self._lock:
            self._done += 1
        self._update()

    def close(self) -> None:
        self._timer.cancel()
        with self._lock:
            self._is_closed = True
            if self._drawn is not None:
                self._drawn.stop()
                self._drawn = None

    def _draw(self) -> None:
        bar = _rich_bar()
        with self._lock:
            if not self._is_closed:
                bar.add_task(self._what, total=None, name="", count="")
                self._drawn = bar
                bar.start()
        self._update()

    def _update(self) -> None:
        with self._lock:
            if self._drawn is not None:
                total = max(self._total, self._done)
                self._drawn.update(
                    self._drawn.task_ids[0],
                    total=total or None,
                    completed=self._done,
                    count=f"{self._done}/{total}" if total else "",
                    name=visible(self._name),
                )


def _rich_bar() -> Any:
    from rich.console import Console  # noqa: PLC0415 heavy, and only on a terminal
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 as above
    from rich.table import Column  # noqa: PLC0415 as above

    texts = ("{task.description}", "{task.fields[count]}")
    columns = [TextColumn(text, markup=False, table_column=Column(no_wrap=True)) for text in texts]
    name = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    return Progress(
        columns[0],
        BarColumn(bar_width=20),
        columns[1],
        TextColumn("{task.fields[name]}", style="dim", markup=False, table_column=name),
        console=Console(stderr=True),
        transient=True,
        expand=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
