"""What `cronny up` makes sure of before it starts anything."""

import errno
import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cronny.cli.client_file import write_private
from cronny.cli.exits import CannotRun, Exit
from cronny.secrets import new_key
from cronny.settings import Settings


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Holds the data folder: a second `cronny up` on it would run a second Temporal on the same file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "up.lock").open("a+")
    except OSError as error:
        raise CannotRun(Exit.FOLDER, f"cannot write the data folder {folder}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotRun(Exit.RUNNING, f"another `cronny up` is running on {folder}") from error
        yield


def require_free(host: str, port: int, what: str, flag: str) -> None:
    """Raises unless a server could listen on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            busy = error.errno == errno.EADDRINUSE
            why = "is taken by another program" if busy else f"cannot be used: {error.strerror}"
            raise CannotRun(
                Exit.BUSY_PORT, f"port {port} of {host} for {what} {why}; choose another with {flag}"
            ) from error


def ensure_key_file(settings: Settings) -> None:
    """Makes the key that seals secrets, unless keys are given or there already is one."""
    if settings.secret_keys is None and not settings.key_file.exists():
        write_private(settings.key_file, f"{new_key()}\n")
