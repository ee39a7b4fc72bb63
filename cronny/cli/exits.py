"""How `cronny up` ends: an exit code and one line for each reason."""

from enum import IntEnum

from cronny.errors import CronnyError


class Exit(IntEnum):
    """The exit codes of `cronny up`."""

    STOPPED = 0  #: Asked to stop, and everything did.
    FAILED = 1  #: A service failed again and again.
    USAGE = 2  #: A flag or a setting is wrong.
    BUSY_PORT = 3  #: Another program listens where a service should.
    NO_TEMPORAL = 4  #: No `temporal` binary, and no way to obtain one.
    UNREACHABLE = 5  #: The Temporal that was named does not answer.
    FOLDER = 6  #: The data folder cannot be written.
    RUNNING = 7  #: Another `cronny up` has the data folder.
    DATABASE = 8  #: The database cannot be reached or brought up to date.
    INTERRUPTED = 130  #: Stopped by Ctrl-C before anything was started.


class CannotRun(CronnyError):
    """Cronny cannot run here."""

    def __init__(self, code: Exit, message: str) -> None:
        self.code = code
        super().__init__(message)
