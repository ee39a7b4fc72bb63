"""The nursery: a process that forks a keeper for each run, and ends what is left of a run with its keeper.

Started by the worker with a socket as standard input; each message is one byte with a socket for the keeper.
"""

import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType

from activities.stages.sandbox.confinement import leave_network, missing_layers
from activities.stages.sandbox.keeper import keep
from activities.stages.sandbox.kernel import adopt_orphans
from activities.stages.sandbox.programs import Program, ProgramMissing, find_programs, opened

Programs = Mapping[str, Program]

_keepers: set[int] = set()


def main() -> None:
    """Fork keepers until the worker lets go."""
    control = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    _silence(0)
    os.closerange(3, control.fileno())
    os.closerange(control.fileno() + 1, 1 << 16)  # Whatever else was left open to this process.
    programs = {name: opened(path) for name, path in find_programs().items()}
    missing = missing_layers(is_without_network=leave_network())
    signal.signal(signal.SIGCHLD, _reap)
    adopt_orphans()  # An interpreter outlives its keeper for a moment; in a container nobody would bury it.
    while True:
        message, files, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            break
        for file in files:
            _fork(control, file, programs, missing)
            os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for keeper in _keepers:
        _end_group(keeper)
    with suppress(ChildProcessError):
        while True:
            os.wait()


def _fork(control: socket.socket, file: int, programs: Programs, missing: Sequence[str]) -> None:
    # A keeper that ends at once must be known before it is reaped.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    keeper = os.fork()
    if keeper == 0:
        _become_keeper(control, file, programs, missing)
    _keepers.add(keeper)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


def _become_keeper(control: socket.socket, file: int, programs: Programs, missing: Sequence[str]) -> None:
    """Does not return, whatever happens: two processes must not go on as the nursery."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        os.setsid()
        control.close()
        _silence(2)
        os.set_inheritable(file, False)
        keep(socket.socket(fileno=file), programs, missing)
    finally:
        os._exit(0)


def _reap(_number: int, _frame: FrameType | None) -> None:
    with suppress(ChildProcessError):  # There is none left.
        while ended := os.waitpid(-1, os.WNOHANG)[0]:
            if ended in _keepers:
                _keepers.discard(ended)
                _end_group(ended)


def _end_group(keeper: int) -> None:
    """Kill what is left of a keeper's session; while something is, its number is given to nobody else."""
    try:
        os.killpg(keeper, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _silence(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, descriptor)
    os.close(null)


if __name__ == "__main__":
    try:
        main()
    except ProgramMissing as error:
        raise SystemExit(f"cronny: {error}") from None
