"""What the operating system takes away from a process before it meets a tenant's code."""

import os
import resource
import sys
from collections.abc import Callable, Sequence

from activities.stages.sandbox import landlock, seccomp
from activities.stages.sandbox.kernel import renounce_privileges, unshare

FIRST_UID = 1_900_000_000  # Nobody owns files or processes there; the process's own id is added.
NICENESS = 5  # A loop of a tenant must not keep the worker from its dues.
FILES = 64  # open ones
PROCESSORS = 2  # of the machine
PROCESSES = 64  # of a user of its own, threads included; deno has about 20
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")

_NEW_NETWORK, _NEW_IPC, _NEW_NAMES, _NEW_USER = 0x40000000, 0x08000000, 0x04000000, 0x10000000


def leave_network() -> bool:
    """Move this process into a network that has no interface; whether the system allowed it."""
    apart = _NEW_NETWORK | _NEW_IPC | _NEW_NAMES
    return _done(lambda: unshare(apart)) or _done(lambda: unshare(apart | _NEW_USER))


def missing_layers(*, is_without_network: bool) -> Sequence[str]:
    """What this system does not offer of the walls around the interpreters, in words."""
    offered = {
        "system call filter": seccomp.is_available(),
        "file rules (Landlock)": landlock.version() > 0,
        "network namespace": is_without_network,
        "memory limit": sys.platform == "linux",
    }
    return [name for name, is_there in offered.items() if not is_there]


def confine(program: int, *more: str, seconds: int, memory: int) -> None:
    """Take from this process, and from what it starts, all that an interpreter does not need.

    It keeps what it has open, may start the `program`, read `more` places, and use `memory` bytes of data.
    """
    os.nice(NICENESS)
    os.chdir("/")
    os.umask(0o077)
    _stay_on_few_processors()
    has_own_user = _become_nobody()
    for kind, most in _limits(seconds, memory, has_own_user=has_own_user).items():
        _limit(kind, most)
    _done(renounce_privileges)
    if landlock.version():
        landlock.allow_only([*LIBRARIES, program, *more])
    if seccomp.is_available():
        seccomp.deny_outside()


def confine_further(program: int, *own: int) -> None:
    """Take from this process the making of other processes, and all files but libraries and `own`."""
    if landlock.version():
        landlock.allow_only([*LIBRARIES, program, *own])
    if seccomp.is_available():
        seccomp.deny_new_processes()


def end_forking(pid: int) -> None:
    """Take from a running process the making of threads and processes; root is above such limits."""
    if sys.platform == "linux":
        resource.prlimit(pid, resource.RLIMIT_NPROC, (0, 0))


def limit_memory(pid: int, most: int) -> None:
    """Lower the limit of a running process's data."""
    if sys.platform == "linux":
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def _stay_on_few_processors() -> None:
    """Keep the interpreter's own threads few, however large the machine; they take memory."""
    if sys.platform == "linux":
        ours = sorted(os.sched_getaffinity(0))
        first = os.getpid() % len(ours)
        os.sched_setaffinity(0, {ours[(first + n) % len(ours)] for n in range(PROCESSORS)})


def _become_nobody() -> bool:
    """Give up root; False if this process is not root, or may not change its user."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    own = FIRST_UID + os.getpid()
    try:
        os.setgroups([])
        os.setresgid(own, own, own)
        os.setresuid(own, own, own)
    except OSError:  # A container may have taken this right from root.
        return False
    return True


def _limits(seconds: int, memory: int, *, has_own_user: bool) -> dict[int, int]:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: FILES,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_DATA: memory,
    }
    # Counted by user: of a shared one, it would count the worker's threads as well.
    return limits | ({resource.RLIMIT_NPROC: PROCESSES} if has_own_user else {})


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = most if hard == resource.RLIM_INFINITY else min(most, hard)
    _done(lambda: resource.setrlimit(kind, (value, value)))


def _done(act: Callable[[], None]) -> bool:
    try:
        act()
    except (OSError, ValueError):
        return False
    return True
