"""APScheduler 3 with its jobs in PostgreSQL, as its user guide has it; late fires are run, not dropped."""

import asyncio
import os
import time
from datetime import UTC, datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from bench.peers.control import DATABASE, obey, sink

SINK = sink()
SCHEDULER = BackgroundScheduler(
    jobstores={"default": SQLAlchemyJobStore(url=os.environ.get(DATABASE, "sqlite://"))},
    executors={"default": ThreadPoolExecutor(20)},
    job_defaults={"coalesce": False, "misfire_grace_time": None, "max_instances": 100},
    timezone=UTC,
)


def mark(fire: str, due: float) -> None:
    SINK.hit(fire, due)


def mark_again(name: str, start: float, every: float) -> None:
    """APScheduler does not tell the due: the last one that has passed is taken for it."""
    number = int((time.time() - start) // every)
    SINK.hit(f"{name}/{number}", start + number * every)


async def once(prefix: str, dues: list[float]) -> None:
    for number, due in enumerate(dues):
        at = datetime.fromtimestamp(due, UTC)
        SCHEDULER.add_job(
            mark, "date", run_date=at, args=[f"{prefix}-{number}", due], id=f"{prefix}-{number}"
        )


async def recurring(rules: list[tuple[str, float, float, int]]) -> None:
    for name, start, every, times in rules:
        SCHEDULER.add_job(
            mark_again,
            "interval",
            seconds=int(every),
            start_date=datetime.fromtimestamp(start, UTC),
            end_date=datetime.fromtimestamp(start + (times - 1) * every, UTC),
            args=[name, start, every],
            id=name,
        )


async def main() -> None:
    SCHEDULER.start()
    await obey({"once": once, "recurring": recurring})


if __name__ == "__main__":
    asyncio.run(main())
