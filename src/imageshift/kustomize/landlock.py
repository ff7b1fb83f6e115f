"""Starts a program that can read named folders alone, write others, and connect to nothing.

Run as a script by its path: `landlock.py READ… -w WRITE… -- PROGRAM…`. It uses nothing but the
standard library. Linux's Landlock holds the program and all that it starts to these folders;
where the kernel has none, the program starts without it.
"""

import ctypes
import os
import sys

_CREATE, _ADD, _RESTRICT = 444, 445, 446
"""The numbers of the system calls, the same on all machines."""
_VERSION = 1
_NO_NEW_PRIVILEGES = 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_READ = _READ_FILE | _READ_DIR
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights over files each version of Landlock knows."""
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
_WITH_NETWORK, _TCP = 4, 3
_PROGRAMS = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/nix",
    "/snap",
    "/etc/ld.so.cache",
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


def restrict(read: list[str], write: list[str], program: str) -> bool:
    """Holds this process to some folders from now on; whether the kernel can."""
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    rights = (1 << _RIGHTS.get(version, _RIGHTS[5])) - 1
    rules = _Ruleset(rights, _TCP if version >= _WITH_NETWORK else 0)
    size = ctypes.c_size_t(ctypes.sizeof(rules) if version >= _WITH_NETWORK else 8)
    ruleset = libc.syscall(_CREATE, ctypes.byref(rules), size, 0)
    if ruleset < 0:
        return False
    allowed = [(path, _READ | _EXECUTE) for path in (*_PROGRAMS, program)]
    allowed += [(path, _READ) for path in read]
    allowed += [(path, _READ_FILE | _WRITE_FILE) for path in _DEVICES]
    allowed += [(path, rights & ~_EXECUTE) for path in write]
    for path, some in allowed:
        _allow(libc, ruleset, path, some & rights)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    return bool(libc.syscall(_RESTRICT, ruleset, 0) == 0)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):  # noqa: PTH112 pathlib takes longer to load than all else here
        rights &= _FILE_RIGHTS
    rule = _Beneath(rights, handle)
    libc.syscall(_ADD, ruleset, 1, ctypes.byref(rule), 0)
    os.close(handle)


def main(arguments: list[str]) -> None:
    """Restricts itself, and becomes the program."""
    words, at = arguments, arguments.index("--")
    split = words.index("-w")
    command = words[at + 1 :]
    if sys.platform == "linux":
        restrict(words[:split], words[split + 1 : at], command[0])
    os.execv(command[0], command)  # noqa: S606 what it was started for


if __name__ == "__main__":
    main(sys.argv[1:])
