"""The list of the ledger at 100 000 rows: each filter, its first page and one far behind it."""

import asyncio
import time
from collections.abc import Iterator
from statistics import median, quantiles
from typing import Any

from httpx import AsyncClient

from bench.ledger import ROWS, START, STEP, database_of, fill
from bench.report import Row
from cronny.heap import freeze_heap
from cronny.names import instant_text
from tests.api.server import serving

TIMES = 100  # each question
FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "schedule": {"schedule": "schedule-0"},
    "rare schedule": {"schedule": "schedule-39"},
    "action": {"action": "action-0"},
    "rare action": {"action": "action-19"},
    "completed": {"state": "completed"},
    "failed": {"state": "failed"},
    "cancelled": {"state": "cancelled"},
    "executing": {"state": "executing"},
    "skipped, missed": {"state": ["skipped", "missed"]},
    "schedule + failed": {"schedule": "schedule-0", "state": "failed"},
    "rare schedule + failed": {"schedule": "schedule-39", "state": "failed"},
    "schedule + executing": {"schedule": "schedule-0", "state": "executing"},
    "action + cancelled": {"action": "action-19", "state": "cancelled"},
    "reason": {"reason": "superseded"},
    "rare reason": {"reason": "workflow_lost"},
    "schedule + reason": {"schedule": "schedule-39", "reason": "paused"},
    "by hand": {"kind": "manual"},
    "scheduled only": {"kind": "scheduled"},
    "a day": {
        "from": instant_text(START + ROWS // 2 * STEP),
        "to": instant_text(START + (ROWS // 2 + 4320) * STEP),
    },
    "a day + failed": {"state": "failed", "to": instant_text(START + ROWS // 10 * STEP)},
    "nothing": {"schedule": "schedule-39", "reason": "nothing"},
}


def all_lists() -> Iterator[Row]:
    """The lists on both kinds of database."""
    for kind in ("sqlite", "postgres"):
        yield from asyncio.run(lists(kind))


async def lists(kind: str, rows: int = ROWS) -> list[Row]:
    """p50 and p99 of each filter, in ms, through the API."""
    with database_of(kind) as url:
        async with serving(url) as server, await server.tenant("bench") as client:
            await fill(server.parts.database, "bench", rows)
            freeze_heap()  # as the process of the API does
            found = [await _measured(kind, name, query, client) for name, query in FILTERS.items()]
            return [*found, await _statistics(kind, client)]


async def _measured(kind: str, name: str, query: dict[str, Any], client: AsyncClient) -> Row:
    row = Row(f"list of {kind}", name, "p99_ms", "all")
    first = await _times(client, query)
    row.add(p50_ms=median(first), p99_ms=quantiles(first, n=100)[98])
    deep = await _deep(client, query)
    if deep is not None:
        later = await _times(client, {**query, "cursor": deep})
        row.add(deep_p50_ms=median(later), deep_p99_ms=quantiles(later, n=100)[98])
    return row


async def _statistics(kind: str, client: AsyncClient) -> Row:
    """Of the busiest schedule, as many rows as are looked at."""
    row = Row(f"statistics on {kind}", "10 000 rows", "p99_ms", "10 000 rows")
    query = {"from": instant_text(START), "to": instant_text(START + ROWS * STEP)}
    took = await _times(client, query, "/v1/schedules/schedule-0/stats")
    row.add(p50_ms=median(took), p99_ms=quantiles(took, n=100)[98])
    return row


async def _times(client: AsyncClient, query: dict[str, Any], path: str = "/v1/triggers") -> list[float]:
    took = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        answer = await client.get(path, params=query)
        took.append((time.perf_counter() - begin) * 1000)
        assert answer.status_code == 200, answer.text
    return took


async def _deep(client: AsyncClient, query: dict[str, Any]) -> str | None:
    """The cursor some thousand rows behind, or at the last page before."""
    cursor: str | None = None
    for _ in range(10):
        page = (
            await client.get("/v1/triggers", params={**query, "limit": 500, "cursor": cursor or []})
        ).json()
        if page["next"] is None:
            break
        cursor = page["next"]
    return cursor
