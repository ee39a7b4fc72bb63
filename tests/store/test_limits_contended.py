"""Claims, ends, pauses and uploads that concern the same limited triggers at once."""

import asyncio
from random import Random

import pytest
from sqlalchemy import update
from sqlmodel import col

from cronny.scheduling.places import OnLimit
from cronny.store.actions import Actions
from cronny.store.claims import Claim, Place
from cronny.store.database import Database
from cronny.store.ends import end_guarded
from cronny.store.guarded import claim_guarded
from cronny.store.records import TriggerEnd
from cronny.store.schedules import Schedules
from cronny.store.tables import Tenant, TriggerRow, TriggerState
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, fire, ledger, wish

LATER = NOW + 1000 * SECOND
OVERLAPS = ("allow", "queue_all", "cancel_running", "kill_running")


class World:
    """Two actions with two schedules each, of a tenant that may execute five triggers."""

    def __init__(self, database: Database, owner: Owner) -> None:
        self.database, self.owner, self.luck = database, owner, Random(7)
        self.rows: list[TriggerRow] = []
        self.most = 0

    async def build(self) -> None:
        async with self.database.write() as session:
            change = update(Tenant).where(col(Tenant.id) == self.owner.tenant.id)
            await session.execute(change.values(limit_running_triggers=5))
            actions = [
                (await Actions(session, self.owner.tenant).save(name, "1", {}, NOW))[0] for name in ("a", "b")
            ]
            schedules = [
                (await Schedules(session, self.owner.tenant).save(wish(action, f"{action.name}{n}"), NOW))[0]
                for action in actions
                for n in (1, 2)
            ]
        for number in range(80):
            schedule = schedules[number % 4]
            self.rows.append(fire(
                self.owner, NOW + number * SECOND, id=f"t{number:03}", action_id=schedule.action_id,
                schedule_id=schedule.id, generation=schedule.generation, is_guarded=True,
                overlap=OVERLAPS[number % 4], workflow_id=f"w{number}",
            ))  # fmt: skip
        await add(self.database, *self.rows)

    async def claim(self) -> None:
        wishes = [
            Claim(row.id, row.generation, f"run of {row.id}", "a", Place(2, "", OnLimit.QUEUE))
            for row in self.luck.sample(self.rows, 8)
        ]
        async with self.database.write() as session:
            await claim_guarded(session, wishes, LATER)

    async def end(self) -> None:
        running = [row for row in await ledger(self.database) if row.state is TriggerState.EXECUTING]
        self.most = max(self.most, len(running))
        ends = [
            TriggerEnd(row.id, row.run_id, TriggerState.COMPLETED, "", None, None, LATER)
            for row in running[:3]
        ]
        if ends:
            async with self.database.write() as session:
                await end_guarded(session, ends, LATER)

    async def pause(self) -> None:
        name = self.luck.choice(("a1", "a2", "b1"))
        async with self.database.write() as session:
            await Schedules(session, self.owner.tenant).pause(name, "", LATER)
        async with self.database.write() as session:
            await Schedules(session, self.owner.tenant).resume(name, LATER)

    async def upload(self) -> None:
        async with self.database.write() as session:
            action, _ = await Actions(session, self.owner.tenant).save(
                "a", str(self.luck.random()), {}, LATER
            )
            await Schedules(session, self.owner.tenant).save(
                wish(action, "a1", source=f"every {self.luck.randint(2, 9)} minutes"), LATER
            )


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_blocks_anything_and_limits_hold(database: Database, seed: int) -> None:
    world = World(database, await add_owner(database))
    await world.build()
    world.luck.seed(seed)
    deeds = [world.claim] * 12 + [world.end] * 6 + [world.pause] * 2 + [world.upload] * 2
    world.luck.shuffle(deeds)
    await asyncio.gather(*[deed() for deed in deeds])  # raises what a deadlock is answered with
    states = [row.state for row in await ledger(database)]
    assert states.count(TriggerState.EXECUTING) + states.count(TriggerState.COMPLETED) > 0
    assert world.most <= 5
