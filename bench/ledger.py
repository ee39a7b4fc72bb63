"""A ledger of 100 000 rows as a busy tenant has it, on either database, without any server but that."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import insert, text

from cronny.names import new_id
from cronny.settings import Settings
from cronny.store.actions import Actions
from cronny.store.database import Database
from cronny.store.migrate import upgrade
from cronny.store.schedules import Schedules, Wish
from cronny.store.tables import ScheduleRow, Tenant, TriggerRow, TriggerState
from cronny.store.tenants import Tenants
from tests.servers import postgres

ROWS = 100_000
CHUNK = 2000
SCHEDULES = 40  # the first has a third of all rows, the last one row in a thousand
START = datetime(2026, 9, 1, tzinfo=UTC)
STEP = timedelta(seconds=20)
# Of a thousand fires: how many end so, and for what reason.
ENDS = (
    (TriggerState.COMPLETED, "", 952),
    (TriggerState.FAILED, "stage_failed", 25),
    (TriggerState.FAILED, "workflow_lost", 1),
    (TriggerState.SKIPPED, "paused", 10),
    (TriggerState.SKIPPED, "superseded", 5),
    (TriggerState.MISSED, "catchup", 4),
    (TriggerState.CANCELLED, "requested", 1),
    (TriggerState.EXECUTING, "", 1),
    (TriggerState.SCHEDULED, "", 1),
)


@contextmanager
def database_of(kind: str) -> Iterator[str]:
    """The URL of a new, migrated database."""
    with TemporaryDirectory(prefix="cronny-bench-") as folder:
        if kind == "sqlite":
            yield _migrated(f"sqlite:///{Path(folder) / 'cronny.db'}")
            return
        with postgres.running(is_durable=True) as url:
            yield _migrated(url)


async def fill(database: Database, slug: str, rows: int = ROWS) -> None:
    """Give a tenant, who must be there, as many rows; the same ones each time."""
    dice = random.Random(1)
    schedules = await _schedules(database, slug)
    weights = [1 / (number + 1) for number in range(len(schedules))]
    states, reasons, shares = zip(*ENDS, strict=True)
    ends = list(zip(states, reasons, strict=True))
    for begin in range(0, rows, CHUNK):
        batch = [
            _row(dice.choices(schedules, weights)[0], number, *dice.choices(ends, shares)[0])
            for number in range(begin, min(begin + CHUNK, rows))
        ]
        async with database.write() as session:
            await (await session.connection()).execute(insert(TriggerRow), batch)
    if not database.is_sqlite:  # what its autovacuum does before long
        async with database.write() as session:
            await session.execute(text("analyze"))


async def _schedules(database: Database, slug: str) -> list[ScheduleRow]:
    made = []
    async with database.write() as session:
        tenant = await Tenants(session).find(slug)
        assert isinstance(tenant, Tenant)
        for number in range(SCHEDULES):
            action, _ = await Actions(session, tenant).save(f"action-{number // 2}", "", {}, START)
            wish = Wish(f"schedule-{number}", action, "every minute", {}, False, is_embedded=False)
            made.append((await Schedules(session, tenant).save(wish, START))[0])
    return made


def _row(schedule: ScheduleRow, number: int, state: TriggerState, reason: str) -> dict[str, Any]:
    due = START + number * STEP
    by_hand = number % 200 == 0
    has_begun = state not in (TriggerState.SKIPPED, TriggerState.MISSED, TriggerState.SCHEDULED)
    return {
        "id": new_id("trg", due), "tenant_id": schedule.tenant_id, "action_id": schedule.action_id,
        "action_version": 1, "schedule_id": schedule.id, "due": due, "planned": due, "state": state,
        "reason": reason, "generation": 0 if by_hand else 1, "number": number, "count": 1,
        "workflow_id": f"trigger/bench/{schedule.name}/{due:%Y-%m-%dT%H:%M:%SZ}", "run_id": "run",
        "is_guarded": False, "overlap": "allow", "complete_on": "finish",
        "inputs": {"region": "eu", "text": "x" * 200}, "outputs": {"rows": "y" * 400},
        "allocated_at": due - timedelta(seconds=5),
        "started_at": due + timedelta(milliseconds=number % 50) if has_begun else None,
        "finished_at": due + timedelta(seconds=2) if has_begun else due,
    }  # fmt: skip


def _migrated(url: str) -> str:
    target = Settings(database_url=url).database_url
    upgrade(target)
    return target
