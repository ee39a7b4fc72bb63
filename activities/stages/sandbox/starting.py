"""The nursery as the worker sees it: started when it is first needed, and again when it has died."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Sequence

COMMAND = (sys.executable, "-P", "-m", "activities.stages.sandbox.nursery")
KEPT = ("PYTHONPATH", "LD_LIBRARY_PATH")  # all that another Python may need to find what this one found

log = logging.getLogger("activities.sandbox")


class Nursery:
    """The process that forks keepers."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._noted: Sequence[str] | None = None

    def hand_over(self, end: socket.socket) -> None:
        """Have a keeper forked that serves the other side of this socket; raises OSError."""
        try:
            socket.send_fds(self._running(), [b"k"], [end.fileno()])
        except OSError:  # It died, or is stuck.
            self.end()
            socket.send_fds(self._running(), [b"k"], [end.fileno()])

    def note_missing(self, layers: Sequence[str]) -> None:
        """Say once which walls around the interpreters this system does not offer."""
        if layers and layers != self._noted:
            log.warning("tenants' code is confined by less than it could be", extra={"missing": list(layers)})
        self._noted = layers

    def end(self) -> None:
        """End the process, and with it every run."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    def _running(self) -> socket.socket:
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        self.end()
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        with theirs:
            # Not tied to this process by the kernel: it ends when the socket does, and ends its runs before.
            self._process = subprocess.Popen(  # noqa: S603 - the program is ours
                COMMAND,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
                env={name: os.environ[name] for name in KEPT if name in os.environ},
                start_new_session=True,
            )
        return self._control
