"""DBOS on PostgreSQL, as its documentation has it: durable sleeps, delayed queue entries, schedules."""

import asyncio
import os
import time
from datetime import datetime
from typing import Any

from dbos import DBOS, SetEnqueueOptions

from bench.peers.control import DATABASE, obey, sink

SINK = sink()
QUEUE = "bench"


@DBOS.step()
async def mark(fire: str, due: float) -> None:
    SINK.hit(fire, due)


@DBOS.step()
async def noop() -> None:
    return


@DBOS.workflow()
async def sleeper(name: str, due: float, every: float, times: int) -> None:
    for number in range(times):
        at = due + number * every
        # Never left out, or a recovery would find the step after it under another number.
        await DBOS.sleep_async(max(0.001, at - time.time()))
        await mark(f"{name}/{number}", at)


@DBOS.workflow()
async def delayed(fire: str, due: float) -> None:
    await mark(fire, due)


@DBOS.workflow()
async def scheduled(due: datetime, context: Any) -> None:
    await mark(f"{context}/{due.timestamp():.0f}", due.timestamp())


@DBOS.workflow()
async def row(length: int) -> None:
    for _ in range(length):
        await noop()


async def sleep_once(prefix: str, dues: list[float]) -> None:
    for number, due in enumerate(dues):
        await DBOS.start_workflow_async(sleeper, f"{prefix}-{number}", due, 0.0, 1)


async def delay_once(prefix: str, dues: list[float]) -> None:
    queue = await DBOS.retrieve_queue_async(QUEUE)
    for number, due in enumerate(dues):
        with SetEnqueueOptions(delay_seconds=due - time.time()):
            await queue.enqueue_async(delayed, f"{prefix}-{number}", due)


async def sleep_recurring(rules: list[tuple[str, float, float, int]]) -> None:
    for name, start, every, times in rules:
        await DBOS.start_workflow_async(sleeper, name, start, every, times)


async def schedule_recurring(rules: list[tuple[str, float, float, int]]) -> None:
    for name, start, every, _ in rules:
        seconds = ",".join(str(second) for second in sorted(_seconds(int(start), int(every))))
        await DBOS.create_schedule_async(
            schedule_name=name, workflow_fn=scheduled, schedule=f"{seconds} * * * * *", context=name
        )


async def chain(length: int, times: int) -> list[float]:
    seconds = []
    for _ in range(times):
        began = time.monotonic()
        handle = await DBOS.start_workflow_async(row, length)
        await handle.get_result(polling_interval_sec=0.01)
        seconds.append(time.monotonic() - began)
    return seconds


def _seconds(start: int, every: int) -> set[int]:
    """The seconds of a minute at which a schedule of a divisor of 60 seconds fires."""
    return {(start + number * every) % 60 for number in range(60 // every)}


async def main() -> None:
    config = {"name": "bench", "system_database_url": os.environ[DATABASE], "application_version": "1"}
    DBOS(config=config)
    DBOS.launch()
    await DBOS.register_queue_async(QUEUE)
    await obey(
        {
            "sleep_once": sleep_once,
            "delay_once": delay_once,
            "sleep_recurring": sleep_recurring,
            "schedule_recurring": schedule_recurring,
            "chain": chain,
        }
    )


if __name__ == "__main__":
    asyncio.run(main())
