"""How workflows call the ports that need but a few statements: as local activities, until they succeed."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

LIMIT = timedelta(seconds=30)  # for one try
# A longer delay is a timer: a port that keeps failing must not keep one of the worker's few workflow tasks.
IN_TASK = timedelta(milliseconds=500)

# Tries of the machine, not of the tenant: those are counted in the stage record.
RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=10))

Call = TypeVar("Call")
Answer = TypeVar("Answer")


async def ask(port: Callable[[Call], Awaitable[Answer]], call: Call, summary: str | None = None) -> Answer:
    """What the port answers; raises ActivityError if that is not to be had, ever."""
    return await workflow.execute_local_activity(
        port,
        call,
        start_to_close_timeout=LIMIT,
        retry_policy=RETRY,
        local_retry_threshold=IN_TASK,
        summary=summary,
    )
