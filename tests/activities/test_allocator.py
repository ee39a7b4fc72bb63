from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from activities.allocator import Allocator
from activities.evaluator import Evaluator
from activities.runtime import Parts, Runtime
from activities.stages.catalogue import KINDS
from cronny.egress_rules import Egress
from cronny.scheduling.admission import BURST
from cronny.secrets import KeyRing, new_key
from cronny.store.actions import Actions
from cronny.store.database import Database
from cronny.store.migrate import upgrade
from cronny.store.schedules import Schedules
from cronny.store.tenants import Tenants
from tests.activities.samples import NOW, read_action
from tests.store.samples import ledger, wish
from workflows.messages import AllocateCall, Allocation, ScheduleRef

ACTION = "version: 1\nname: check\nstages: [{id: a, uses: set, with: {values: {x: 1}}}]\n"
MORE = 3  # schedules that are due at one instant, beyond what is let through at once


class Stand:
    """An allocator, its database and its clock."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        parts = Parts(
            database=database,
            evaluator=Evaluator(),
            keyring=KeyRing(new_key()),
            kinds=KINDS,
            clock=lambda: self.now,
            egress=Egress(),
        )
        self.allocator = Allocator(Runtime(parts))

    async def add(self, count: int, due: datetime) -> list[AllocateCall]:
        model = read_action(ACTION).model_dump(mode="json", by_alias=True, exclude_unset=True)
        async with self.database.write() as session:
            tenant = await Tenants(session).add("acme", NOW)
            action, _ = await Actions(session, tenant).save("check", ACTION, model, NOW)
            schedules = Schedules(session, tenant)
            rows = [
                (await schedules.save(wish(action, f"s{number}", source={"at": due.isoformat()}), NOW))[0]
                for number in range(count)
            ]
        return [AllocateCall(schedule=ScheduleRef(tenant="acme", schedule_id=row.id)) for row in rows]

    async def allocate(self, calls: list[AllocateCall]) -> list[Allocation]:
        return [await self.allocator.allocate(call) for call in calls]


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'cronny.db'}"
    upgrade(url)
    database = Database(url)
    yield Stand(database)
    await database.close()


async def test_what_a_tenant_asks_for_beyond_its_rate_is_allocated_later_and_not_lost(stand: Stand) -> None:
    calls = await stand.add(BURST + 1 + MORE, NOW + timedelta(seconds=4))
    first = await stand.allocate(calls)
    held_back = [(call, one.wake) for call, one in zip(calls, first, strict=True) if not one.fires]
    assert len(held_back) == MORE
    stand.now = max(wake for _, wake in held_back if wake is not None)
    second = await stand.allocate([call for call, _ in held_back])
    assert [len(one.fires) for one in second] == [1] * MORE
    assert len(await ledger(stand.database)) == len(calls)
