from datetime import datetime
from typing import Any

import pytest

from cronny.store.database import Database
from cronny.store.events import EventFilter, Events
from cronny.store.tables import EventKind, Tenant
from cronny.store.watch import StuckTrigger, note_repair
from tests.store.samples import MINUTE, NOW, SECOND, Owner, add_owner, fire

Seen = tuple[str, str | None, str | None]


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def note(database: Database, owner: Owner, kind: EventKind, at: datetime = NOW, **about: Any) -> None:
    async with database.write() as session:
        await Events(session, owner.tenant.id).add(kind, now=at, actor="ada", **about)


async def page(
    database: Database,
    tenant: Tenant,
    wanted: EventFilter | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[tuple[datetime, str, Seen]]:
    async with database.read() as session:
        found = await Events(session, tenant.id).page(wanted or EventFilter(), before, limit)
    return [(event.row.at, event.row.id, (event.row.kind, event.action, event.schedule)) for event in found]


async def test_pages_have_neither_duplicates_nor_gaps(database: Database, owner: Owner) -> None:
    for number in range(11):
        await note(database, owner, EventKind.CONNECTION_SAVED, NOW + number // 3 * SECOND)
    seen, before = [], None
    while entries := await page(database, owner.tenant, before=before, limit=4):
        seen += [entry[:2] for entry in entries]
        before = entries[-1][:2]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 11


@pytest.mark.parametrize(
    ("wanted", "minutes"),
    [
        (EventFilter(), [3, 2, 1, 0]),
        (EventFilter(schedule="often"), [2, 1]),
        (EventFilter(schedule="unknown"), []),
        (EventFilter(action="check"), [2]),
        (EventFilter(trigger="trg_1"), [2]),
        (EventFilter(kinds=(EventKind.SCHEDULE_PAUSED,)), [1]),
        (EventFilter(kinds=(EventKind.SCHEDULE_PAUSED, EventKind.CONNECTION_SAVED)), [3, 1, 0]),
    ],
    ids=str,
)
async def test_a_page_shows_what_the_filter_wants(
    database: Database, owner: Owner, wanted: EventFilter, minutes: list[int]
) -> None:
    schedule, action = owner.schedule.id, owner.action.id
    about = {"schedule_id": schedule, "action_id": action, "trigger_id": "trg_1"}
    await note(database, owner, EventKind.CONNECTION_SAVED, NOW)
    await note(database, owner, EventKind.SCHEDULE_PAUSED, NOW + MINUTE, schedule_id=schedule)
    await note(database, owner, EventKind.TRIGGER_REQUESTED, NOW + 2 * MINUTE, **about)
    await note(database, owner, EventKind.CONNECTION_SAVED, NOW + 3 * MINUTE)
    assert [entry[0] for entry in await page(database, owner.tenant, wanted)] == [
        NOW + minute * MINUTE for minute in minutes
    ]


async def test_a_tenant_sees_its_own_events_only(database: Database, owner: Owner) -> None:
    other = await add_owner(database, "other")
    await note(database, owner, EventKind.SCHEDULE_PAUSED, schedule_id=owner.schedule.id)
    assert await page(database, other.tenant) == []
    assert await page(database, other.tenant, EventFilter(schedule="often")) == []


async def test_events_of_one_transaction_stay_in_their_order(database: Database, owner: Owner) -> None:
    written = [EventKind.ACTION_SAVED, *[EventKind.SCHEDULE_CREATED] * 5, EventKind.SCHEDULE_DELETED]
    async with database.write() as session:
        events = Events(session, owner.tenant.id)
        for kind in written:
            await events.add(kind, now=NOW)
    assert [entry[2][0] for entry in await page(database, owner.tenant)] == written[::-1]


async def test_what_is_rolled_back_was_never_done(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        await Events(session, owner.tenant.id).add(EventKind.SCHEDULE_PAUSED, now=NOW)
        await session.rollback()
    assert await page(database, owner.tenant) == []


async def test_a_repair_is_an_event_of_its_row(database: Database, owner: Owner) -> None:
    trigger = StuckTrigger(fire(owner), "acme", "check", "often")
    async with database.write() as session:
        await note_repair(session, EventKind.TRIGGER_LOST, trigger.row, NOW)
        await note_repair(session, EventKind.SCHEDULE_WOKEN, owner.schedule, NOW + SECOND)
    found = await page(database, owner.tenant)
    assert [entry[2] for entry in found] == [
        ("schedule_woken", "check", "often"),
        ("trigger_lost", "check", "often"),
    ]
