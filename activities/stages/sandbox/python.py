"""Python, in the interpreter Monty: it has no files, no network, no clock and no way to our own Python."""

import json
from collections.abc import Callable
from datetime import date, time
from typing import Any

from pydantic_monty import (
    Monty,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySession,
    MontySyntaxError,
    OSPolicy,
    ResourceLimits,
)

from activities.stages.sandbox.confinement import end_forking, limit_memory
from activities.stages.sandbox.job import Fault, Job, timeout
from activities.stages.sandbox.programs import Program

OVERHEAD = 128 << 20  # bytes that the interpreter itself may use, above the limit of the tenant's values
_SOURCE = "<python-input-0>"  # what the interpreter calls the first text that it is fed
_NO_CLOCK: OSPolicy = {"datetime": "call_host", "sleep": "call_host", "process_time": "zero"}
_CALL = """\
_result = main(inputs)
if type(_result).__name__ == "coroutine":
    _result = await _result
_result
"""


def run_python(program: Program, job: Job, log: Callable[[str], None], begin: Callable[[], None]) -> str:
    """The result as JSON; raises Fault. Calls `begin` when the code, and so its time, begins."""
    # The interpreter is ended by the end of this process: closing it first would only cost time.
    pool = Monty(
        binary_path=program.command, min_processes=1, max_processes=1, feed_duration_limit_grace=None
    )
    pool.__enter__()
    limits: ResourceLimits = {"max_memory": job.memory, "max_feed_duration_secs": job.seconds}
    session = pool.checkout(limits=limits, os_policy=_NO_CLOCK)
    session.__enter__()
    if session.worker_pid is not None:
        end_forking(session.worker_pid)
        limit_memory(session.worker_pid, job.memory + OVERHEAD)
    begin()
    try:
        result = _evaluated(session, job, log)
    except MontyError as error:
        raise _fault(error, job) from None
    return _json(result, job.max_bytes)


def _evaluated(session: MontySession, job: Job, log: Callable[[str], None]) -> Any:
    inputs = {"inputs": job.inputs}

    def write(_stream: str, text: str) -> None:
        log(text)

    value = session.feed_run(job.source, inputs=inputs, print_callback=write)
    if session.feed_run("main is None", external_lookup={"main": None}, print_callback=write) is not False:
        return value
    return session.feed_run(_CALL, inputs=inputs, print_callback=write)


def _fault(error: MontyError, job: Job) -> Fault:
    if isinstance(error, MontyCrashedError):
        return Fault("memory", "the interpreter ran out of memory, or of room for nested calls")
    cause = error.exception()
    frames = error.traceback() if isinstance(error, MontyRuntimeError | MontySyntaxError) else []
    own = [frame for frame in frames if frame.filename == _SOURCE]
    line = own[-1].line if own else None
    # What never began has no function that it was in, not even that of the module.
    if own and own[-1].function_name is None and isinstance(cause, SyntaxError | NotImplementedError):
        return Fault("syntax", str(cause), line)
    # Raised by the tenant's code they have a place in it; the interpreter's own limits have none.
    if isinstance(cause, MemoryError):
        return Fault("memory", f"the values need more than {job.memory >> 20} MB", line)
    if isinstance(cause, TimeoutError) and not frames:
        return timeout(job)
    text = str(cause)
    return Fault("error", f"{type(cause).__name__}: {text}" if text else type(cause).__name__, line)


def _json(value: Any, max_bytes: int) -> str:
    pieces, size = [], 0
    try:
        for piece in json.JSONEncoder(
            default=_plain, allow_nan=False, ensure_ascii=False, separators=(",", ":")
        ).iterencode(value):
            size += len(piece.encode(errors="replace"))
            if size > max_bytes:
                raise Fault("output", f"the result is larger than {max_bytes} bytes")
            pieces.append(piece)
    except RecursionError:
        raise Fault("output", "the result is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise Fault("output", f"the result is no JSON: {error}") from None
    return "".join(pieces)


def _plain(value: object) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    name = getattr(value, "name", type(value).__name__)
    raise TypeError(f"it holds a value of type {name}; give texts, numbers, lists and mappings")
