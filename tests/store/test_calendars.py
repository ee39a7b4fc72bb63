import pytest
from pydantic import JsonValue

from cronny.errors import NotFound
from cronny.store.calendars import Calendars, Mark
from cronny.store.database import Database
from cronny.store.schedules import Schedules
from cronny.store.tenant_tables import CalendarRow
from tests.store.samples import MINUTE, NOW, Owner, add, add_owner, fire, ledger, wish

MODEL: JsonValue = {"kind": "dates", "days": {}}


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def save(
    database: Database, owner: Owner, source: str = "dates: []", model: JsonValue = MODEL, name: str = "shut"
) -> tuple[CalendarRow, bool]:
    async with database.write() as session:
        return await Calendars(session, owner.tenant.id).save(name, "dates", source, model, NOW)


async def test_the_same_text_changes_nothing(database: Database, owner: Owner) -> None:
    row, is_other = await save(database, owner)
    again, is_other_again = await save(database, owner)
    assert (row.revision, is_other, again.revision, is_other_again) == (1, True, 1, False)


@pytest.mark.parametrize(("model", "is_other"), [(MODEL, False), ({"kind": "other"}, True)])
async def test_another_text_is_a_revision(
    database: Database, owner: Owner, model: JsonValue, is_other: bool
) -> None:
    await save(database, owner)
    row, found = await save(database, owner, "dates: [] # none", model)
    assert (row.revision, row.source, found) == (2, "dates: [] # none", is_other)


async def test_a_calendar_is_what_its_mark_says(database: Database, owner: Owner) -> None:
    row, _ = await save(database, owner)
    await save(database, owner, name="other")
    async with database.read() as session:
        calendars = Calendars(session, owner.tenant.id)
        mark = Mark("shut", row.id, 1)
        assert await calendars.marks(["shut", "gone"]) == (mark,)
        assert await calendars.contents(["shut", "gone"]) == {mark: MODEL}
        assert await calendars.names() == ["other", "shut"]


async def test_a_calendar_of_another_tenant_is_not_found(database: Database, owner: Owner) -> None:
    await save(database, owner)
    other = await add_owner(database, "other")
    async with database.read() as session:
        calendars = Calendars(session, other.tenant.id)
        assert (await calendars.hold(["shut"]), await calendars.all()) == ({}, [])
        with pytest.raises(NotFound):
            await calendars.get("shut")


async def test_the_schedules_that_use_a_calendar_are_found(database: Database, owner: Owner) -> None:
    async with database.write() as session:
        schedules = Schedules(session, owner.tenant)
        for name in ("b", "a", "gone"):
            await schedules.save(wish(owner.action, name, calendars=("shut", "x")), NOW)
        await schedules.delete("gone", NOW)
        assert [row.name for row in await schedules.using("shut")] == ["a", "b"]
        assert await schedules.using("shu") == []


async def test_a_renewed_schedule_starts_a_generation(database: Database, owner: Owner) -> None:
    await add(database, fire(owner, NOW + MINUTE))
    async with database.write() as session:
        row = await Schedules(session, owner.tenant).renew("often", NOW)
    assert (row.generation, row.cursor, row.anchor) == (2, NOW, owner.schedule.anchor)
    assert [(fire.state, fire.reason) for fire in await ledger(database)] == [("skipped", "superseded")]
