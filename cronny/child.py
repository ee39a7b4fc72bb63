"""A child process that ends with its parent, whatever ends the parent."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

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


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
    """Starts a program in a process group of its own, tied to this process; `options` are those of Popen."""
    return subprocess.Popen(  # noqa: S603 - the programs are ours
        command,
        text=True,
        errors="replace",
        start_new_session=True,
        preexec_fn=tied_to_parent(),  # noqa: PLW1509 - it takes no lock and imports nothing
        **options,
    )
