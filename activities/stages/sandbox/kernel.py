"""Calls of the kernel that Python has no function for (Linux only)."""

import ctypes
import os
import signal
import sys

_NO_NEW_PRIVILEGES, _ADOPT, _DEATH_SIGNAL = 38, 36, 1
# Loaded before any fork: nothing is loaded in a process that is being confined.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def prctl(option: int, *arguments: int) -> None:
    """`prctl(2)`; raises OSError."""
    if _LIBC is None:
        raise OSError("not on this platform")
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_LIBC.prctl(ctypes.c_int(option), *padded))


def syscall(number: int, *arguments: object) -> int:
    """`syscall(2)` with ctypes values; raises OSError."""
    if _LIBC is None:
        raise OSError("not on this platform")
    return _checked(_LIBC.syscall(ctypes.c_long(number), *arguments))


def unshare(flags: int) -> None:
    """`unshare(2)`; raises OSError."""
    if _LIBC is None:
        raise OSError("not on this platform")
    _checked(_LIBC.unshare(ctypes.c_int(flags)))


def renounce_privileges() -> None:
    """Let no program that is executed from now on gain rights, as by set-user-id; raises OSError."""
    prctl(_NO_NEW_PRIVILEGES, 1)


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent, started by this one, has ended (on Linux)."""
    if _LIBC is not None:
        prctl(_ADOPT, 1)


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent has died."""
    prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(result)
