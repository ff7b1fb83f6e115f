"""Signals that end a run wait until what must not be left half done is done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ENDING", "uninterrupted"]

ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""The signals that ask a run to end: Ctrl-C, a supervisor, a terminal that is closed."""


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Puts off the signals that would end the run; the first one is raised again at the end.

    One that is ignored stays so. Outside the main thread there is nothing to put off.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {
        number: handler
        for number in ENDING
        if (handler := signal.getsignal(number)) not in {signal.SIG_IGN, None}
    }
    for number in handlers:
        signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
