"""How `cronny up` sees that a service does its work."""

import asyncio
import http.client
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from cronny.errors import Unavailable
from cronny.names import SYSTEM_QUEUE
from cronny.temporal.connection import check

ASK_EVERY = 0.2  # seconds between two questions
SAY_EVERY = 50  # questions without an answer before the log says what is being waited for
ANSWER_LIMIT = 5.0  # seconds for one answer

Question = Callable[[], Awaitable[bool]]


async def wait_for(question: Question, what: str, say: Callable[[str], None]) -> None:
    """Returns once the answer is yes; says now and then that it still waits."""
    asked = 0
    while not await question():
        asked += 1
        if asked % SAY_EVERY == 0:
            say(f"still waiting for {what}")
        await asyncio.sleep(ASK_EVERY)


def temporal_answers(client: Client) -> Question:
    """Asks whether Temporal answers and has the namespace."""

    async def ask() -> bool:
        try:
            await check(client)
        except Unavailable:
            return False
        return True

    return ask


def api_is_ready(url: str) -> Question:
    """Asks `/readyz` of the API."""

    async def ask() -> bool:
        return await asyncio.to_thread(_status, f"{url}/readyz") == http.client.OK

    return ask


def worker_polls(client: Client, since: datetime) -> Question:
    """Asks Temporal whether a worker polled the system queue after `since`."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=SYSTEM_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )

    async def ask() -> bool:
        try:
            answer = await client.workflow_service.describe_task_queue(request)
        except RPCError:
            return False
        # Temporal lists the pollers of the last five minutes, those of an earlier `cronny up` too.
        return any(poller.last_access_time.ToDatetime(UTC) >= since for poller in answer.pollers)

    return ask


def _status(url: str) -> int:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_LIMIT)
    try:
        connection.request("GET", address.path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
