"""The program of the container that keeps the files of another: it waits until it is killed.

A volume in memory exists for as long as a container that has it runs. This one is there before the stage's
and is removed after it, so that secrets are never on a disk, and the output is not lost when a program ends
while no worker looks. Its image is Cronny's own, one file, given to an Engine that does not have it.
"""

import io
import struct
import tarfile

HOLDER = "cronny-hold:1"
PROGRAM = "hold"
LOADED_AT = 0x400000

_HEADER, _SEGMENT = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")
_MACHINES = {
    # pause(), again and again: mov eax, 34; syscall; jmp
    "amd64": (62, bytes.fromhex("b822000000 0f05 ebf7")),
    # ppoll(0, 0, 0, 0, 0): movz x0…x4, 0; movz x8, 73; svc 0; b
    "arm64": (
        183,
        struct.pack("<8I", *(0xD2800000 + n for n in range(5)), 0xD2800928, 0xD4000001, 0x17FFFFF9),
    ),
}


def holder_image(architecture: str) -> bytes:
    """The image's content for an Engine's architecture; raises LookupError for one that is not known."""
    content = _elf(*_MACHINES[architecture])
    member = tarfile.TarInfo(PROGRAM)
    member.mode, member.size = 0o555, len(content)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as members:
        members.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def _elf(machine: int, code: bytes) -> bytes:
    """An executable of one segment: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html."""
    start = _HEADER.size + _SEGMENT.size
    size = start + len(code)
    identity = b"\x7fELF\x02\x01\x01"  # 64 bits, little-endian
    sizes = (_HEADER.size, _SEGMENT.size, 1, 0, 0, 0)
    header = _HEADER.pack(identity, 2, machine, 1, LOADED_AT + start, _HEADER.size, 0, 0, *sizes)
    return header + _SEGMENT.pack(1, 5, 0, LOADED_AT, LOADED_AT, size, size, 0x1000) + code
