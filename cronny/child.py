"""A child process that ends with its parent, whatever ends the parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: the child of a threaded process may not load libraries.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def tied_to_parent() -> Callable[[], None]:
    """A `preexec_fn` that makes the kernel kill the child when this process dies (on Linux)."""
    parent = os.getpid()

    def tie() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # It died before the call above.
            os._exit(1)

    return tie


def signal_group(pid: int, number: signal.Signals) -> bool:
    """Whether the process group led by `pid` still had a process to send the signal to."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return False
    return True
