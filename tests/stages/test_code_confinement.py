"""What stays closed to an interpreter that has been taken over: native code in its place, confined alike."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from activities.stages.sandbox.confinement import missing_layers

pytestmark = pytest.mark.skipif(
    "CI" not in os.environ and missing_layers(is_without_network=True) != [],
    reason="this kernel has no file rules, or no filter of calls: nothing is closed that could be tried",
)

HEAD = """
import ctypes, errno, json, mmap, os, resource, signal, socket, subprocess, sys, threading, time
from activities.stages.sandbox import confinement, landlock, seccomp
from activities.stages.sandbox.programs import find_programs, opened
libc = ctypes.CDLL(None, use_errno=True)
outside = os.open("/etc", os.O_PATH)
parent = os.getppid()
program = opened(find_programs()["monty"])
apart = confinement.leave_network()
confinement.confine(program.file, seconds=5, memory=512 << 20)
def tried(act):
    try:
        return act()
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    except Exception as error:
        return type(error).__name__
def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    return errno.errorcode[ctypes.get_errno()] if result < 0 else result
def say(value):
    os.write(1, json.dumps(value).encode())
"""


def probe(code: str) -> JsonValue:
    """What a confined process says."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    value: JsonValue = json.loads(done.stdout)
    return value


FURTHER = "confinement.confine_further(program.file)\n"


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        ("open('/etc/passwd')", "EACCES"),
        ("open('/proc/self/environ')", "EACCES"),
        ("open(f'/proc/{parent}/environ')", "EACCES"),
        ("open(f'/proc/{parent}/mem', 'rb')", "EACCES"),
        ("open('/tmp/cronny-escape', 'w')", "EACCES"),
        ("open('/dev/shm/cronny-escape', 'w')", "EACCES"),
        ("os.listdir('/')", "EACCES"),
        ("os.mkdir('/tmp/cronny-escape')", "EACCES"),
        ("os.symlink('/etc', '/tmp/cronny-escape')", "EACCES"),
        ("os.open('passwd', os.O_RDONLY, dir_fd=outside)", "EACCES"),
        ("os.execv('/bin/sh', ['sh'])", "EACCES"),
        ("os.execv(sys.executable, ['python'])", "EACCES"),
        ("socket.socket()", "EPERM"),
        ("socket.socket(socket.AF_UNIX)", "EPERM"),
        ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "EPERM"),
        ("socket.getaddrinfo(b'example.com', 80)", "gaierror"),
        ("os.kill(parent, 0)", "EPERM"),
        ("os.kill(parent, signal.SIGKILL)", "EPERM"),
        ("os.killpg(0, signal.SIGTERM)", "EPERM"),
        ("signal.pidfd_send_signal(0, signal.SIGTERM)", "EPERM"),
        ("os.setuid(0)", "EPERM"),
        ("os.chroot('/')", "EPERM"),
        ("os.memfd_create('x')", "EPERM"),
        ("os.nice(-10)", "EPERM"),
        ("resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))", "ValueError"),
        ("mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)", "ENOMEM"),
        ("len(bytearray(1 << 30))", "MemoryError"),
        ("[os.dup(0) for _ in range(100)]", "EMFILE"),
    ],
)
def test_native_code_reaches_nothing(attempt: str, answer: str) -> None:
    assert probe(f"say(tried(lambda: {attempt}))") == answer


@pytest.mark.parametrize(
    "name",
    ["ptrace", "process_vm_readv", "process_vm_writev", "unshare", "setns", "mount", "bpf", "perf_event_open",
     "userfaultfd", "io_uring_setup", "keyctl", "open_by_handle_at", "memfd_create", "shmget", "tgkill",
     "pidfd_getfd"],
)  # fmt: skip
def test_a_call_that_no_interpreter_needs_is_refused(name: str) -> None:
    assert probe(f"say(call(seccomp.number({name!r}), 0, 0, 0, 0, 0))") == "EPERM"


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        ("os.fork()", "EPERM"),
        ("os.posix_spawn('/bin/true', ['true'], {})", "EPERM"),
        ("call(seccomp.number('clone3'), 0, 0)", "ENOSYS"),
        ("open('/proc/self/status')", "EACCES"),
        ("[thread.start() or thread.join() for thread in [threading.Thread(target=int)]]", [None]),
    ],
)
def test_an_interpreter_makes_threads_and_no_processes(attempt: str, answer: JsonValue) -> None:
    assert probe(f"{FURTHER}say(tried(lambda: {attempt}))") == answer


def test_the_calls_of_another_numbering_are_refused() -> None:
    assert probe("say(call(0x40000000 | 41, 2, 1, 0))") in {"ENOSYS", "EPERM"}


def test_a_loop_is_ended_by_the_kernel() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        probe("resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass")
    assert caught.value.returncode < 0


def test_a_running_process_loses_its_right_to_fork() -> None:
    code = "confinement.end_forking(os.getpid())\nsay(tried(os.fork))"
    assert probe(code) == "EAGAIN"


def test_a_wall_that_is_missing_is_named() -> None:
    assert missing_layers(is_without_network=False) == ["network namespace"]


def test_the_network_has_no_interface() -> None:
    code = "import os\nfrom activities.stages.sandbox.confinement import leave_network\n"
    code += "print(leave_network(), open('/proc/net/dev').read().count(':'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Only loopback, which is down; where the system forbids a network apart, all of them.
    assert done.stdout.split() == ["True", "1"] or done.stdout.startswith("False")
