"""What a keeper is asked and what it answers: each a line of JSON on the socket between it and the worker."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import JsonValue

Language = Literal["python", "javascript", "typescript"]

LOG_LIMIT = 64 * 1024  # characters of one run's prints, as much as a stage's log keeps
STARTING = 60.0  # seconds that an interpreter may take to start on a busy machine
CUT = "… what is printed from here on is left out\n"
PIECE = 8 * 1024  # characters of prints in one line


@dataclass(frozen=True)
class Job:
    """One run of a tenant's code."""

    language: Language
    source: str
    inputs: JsonValue
    memory: int  #: Bytes.
    seconds: float
    max_bytes: int  #: Of the result as JSON.

    def line(self) -> bytes:
        """The job as it is sent."""
        return json.dumps(asdict(self), separators=(",", ":")).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Job":
        """The job that was sent."""
        return cls(**json.loads(line))


class Fault(Exception):
    """The run has no result; the code is one of the family `code.`, without it."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line  #: Of the tenant's source, from 1.


def timeout(job: Job) -> Fault:
    """The fault of a run that took too long."""
    return Fault("timeout", f"the code took longer than {job.seconds:g} s")
