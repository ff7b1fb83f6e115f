"""Two names trade places in one step, where the system can do that."""

import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

__all__ = ["exchange"]

_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE
_UNKNOWN = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}


def exchange(one: Path, other: Path) -> bool:
    """Lets two names trade places; False where the system or file system has no such step.

    Raises:
        OSError: as `os.rename`.
    """
    rename = _renameat2()
    if rename is None:
        return False
    number = rename(os.fsencode(one), os.fsencode(other))
    if number and number not in _UNKNOWN:
        raise OSError(number, os.strerror(number))
    return number == 0


@cache
def _renameat2() -> Callable[[bytes, bytes], int] | None:
    """Linux's call, which returns the number of its error or 0."""
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 only for runs that write

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return None

    def rename(one: bytes, other: bytes) -> int:
        return ctypes.get_errno() if call(_HERE, one, _HERE, other, _EXCHANGE) else 0

    return rename
