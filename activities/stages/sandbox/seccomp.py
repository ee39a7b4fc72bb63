"""System calls that a confined process may not make: a filter that the kernel keeps for good (Linux only)."""

import ctypes
import platform
import struct
import sys
from collections.abc import Iterable, Mapping

from activities.stages.sandbox.kernel import prctl

_SET_SECCOMP, _FILTER = 22, 2
_KILL_PROCESS, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_EPERM, _ENOSYS = 1, 38
_LOAD, _JUMP_EQUAL, _JUMP_LEAST, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CLONE_THREAD = 0x00010000
_X32 = 0x40000000  # on x86-64, a second numbering of the same calls

#: The kernel's name of the machine, and the column of the table below.
_MACHINES: Mapping[str, tuple[int, int]] = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

_NUMBERS: Mapping[str, tuple[int | None, int | None]] = {
    # Connections of any family.
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242),
    # Other processes: their memory, their descriptors, signals to them.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "kcmp": (312, 272), "pidfd_getfd": (438, 438),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424),
    # Namespaces and mounts.
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    # What attacks on kernels are made of, and no interpreter needs.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "personality": (135, 92),
    # Memory that outlives the process or is not counted as its own.
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    # The file rules: a process may still make them stricter.
    "landlock_create_ruleset": (444, 444),
    # New processes.
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435),
}  # fmt: skip
_SPAWNING = ("fork", "vfork")
_SPECIAL = (*_SPAWNING, "clone", "clone3", "landlock_create_ruleset")  # not refused by `deny_outside`


def is_available() -> bool:
    """Whether this machine's calls are known here."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def deny_outside() -> None:
    """Refuse connections, other processes, mounts and the like, to this thread and whatever it starts."""
    deny(*(name for name in _NUMBERS if name not in _SPECIAL))


def deny(*names: str) -> None:
    """Refuse some calls."""
    _install(_refusals(names, _EPERM))


def deny_new_processes() -> None:
    """Refuse new processes; threads stay allowed."""
    threads_only = [
        *_when_equal(number("clone"), 4),
        _op(_LOAD, 16),  # The flags, which clone takes first.
        _op(_JUMP_BITS, _CLONE_THREAD, 1, 0),
        _op(_RETURN, _ERRNO | _EPERM),
        _op(_RETURN, _ALLOW),
    ]
    # A filter cannot read the flags of clone3; where there is none, libraries use clone.
    _install([*_refusals(_SPAWNING, _EPERM), *_refusals(["clone3"], _ENOSYS), *threads_only])


def _refusals(names: Iterable[str], errno: int) -> list[bytes]:
    numbers = [found for name in names if (found := number(name)) is not None]
    return [op for each in numbers for op in (*_when_equal(each, 1), _op(_RETURN, _ERRNO | errno))]


def number(name: str) -> int | None:
    """The number of a system call on this machine, or None if it has no such call."""
    return _NUMBERS[name][_MACHINES[platform.machine()][1]]


def _when_equal(call: int | None, count: int) -> list[bytes]:
    """Passes over the next `count` operations unless the call has this number."""
    return [_op(_JUMP_EQUAL, call or 0, 0, count)]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


def _install(rules: list[bytes]) -> None:
    machine = platform.machine()
    program = b"".join(
        [
            _op(_LOAD, 4),  # Calls of another architecture would have other numbers.
            _op(_JUMP_EQUAL, _MACHINES[machine][0], 1, 0),
            _op(_RETURN, _KILL_PROCESS),
            _op(_LOAD, 0),
            *([_op(_JUMP_LEAST, _X32, 0, 1), _op(_RETURN, _ERRNO | _ENOSYS)] if machine == "x86_64" else []),
            *rules,
            _op(_RETURN, _ALLOW),
        ]
    )
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(code)))
    prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(header))
