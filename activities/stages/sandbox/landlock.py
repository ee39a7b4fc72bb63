"""Files that a confined process may open, by Landlock (Linux 5.13 and newer)."""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from activities.stages.sandbox.kernel import syscall

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same on every machine
_VERSION = 1  # the flag that asks for the version
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 2, 1 << 3
_FIRST_RIGHTS = (1 << 13) - 1  # every right of version 1
_LATER_RIGHTS = ((2, 1 << 13), (3, 1 << 14), (5, 1 << 15))  # linking elsewhere, truncating, device controls
_TCP = 0b11  # bind and connect, from version 4
_SCOPES = 0b11  # abstract sockets and signals of processes outside, from version 6


def version() -> int:
    """The version that the kernel offers; 0 if it has none."""
    try:
        return syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))
    except OSError:
        return 0


def allow_only(readable: Iterable[str | int]) -> None:
    """Leave to this thread, and to whatever it starts, only reading and executing what is named.

    A name is a path or an open file; a path that does not exist is passed over. Raises OSError.
    """
    offered = version()
    rights = _FIRST_RIGHTS
    for since, right in _LATER_RIGHTS:
        rights |= right if offered >= since else 0
    attributes = struct.pack("QQQ", rights, _TCP if offered >= 4 else 0, _SCOPES if offered >= 6 else 0)
    # An older kernel refuses attributes that it does not know.
    size = 24 if offered >= 6 else 16 if offered >= 4 else 8
    ruleset = syscall(
        _CREATE, ctypes.create_string_buffer(attributes), ctypes.c_size_t(size), ctypes.c_uint(0)
    )
    for place in readable:
        _allow(ruleset, place)
    syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint(0))
    os.close(ruleset)


def _allow(ruleset: int, place: str | int) -> None:
    try:
        file = os.dup(place) if isinstance(place, int) else os.open(place, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    rights = _EXECUTE | _READ_FILE
    if stat.S_ISDIR(os.fstat(file).st_mode):
        rights |= _READ_FOLDER
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, file))
    syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint(0))
    os.close(file)
