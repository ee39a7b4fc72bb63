from typing import Any

import pytest

from cronny.errors import Conflict, NotFound
from cronny.store.cancelling import Cancelling, cancel_trigger
from cronny.store.claims import start_stages
from cronny.store.database import Database
from cronny.store.tables import TriggerRow, TriggerState
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, executing, fire, ledger, stage_records

LATER = NOW + SECOND
STARTED = {"state": TriggerState.COMPLETED, "reason": "started"}


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def cancelled(
    database: Database, owner: Owner, row: TriggerRow, *, is_forced: bool = False
) -> Cancelling:
    async with database.write() as session:
        return await cancel_trigger(session, owner.tenant, row.id, LATER, is_forced=is_forced)


async def state(database: Database) -> tuple[str, str, Any]:
    row = (await ledger(database))[0]
    return row.state.value, row.reason, row.finished_at


@pytest.mark.parametrize("is_forced", [False, True])
async def test_what_has_not_begun_is_settled(database: Database, owner: Owner, is_forced: bool) -> None:
    row = fire(owner)
    await add(database, row)
    assert (await cancelled(database, owner, row, is_forced=is_forced)).is_settled
    assert await state(database) == ("cancelled", "requested", LATER)


@pytest.mark.parametrize("changes", [{}, STARTED])
async def test_what_executes_is_left_to_its_workflow(
    database: Database, owner: Owner, changes: dict[str, Any]
) -> None:
    row = executing(owner, **changes)
    await add(database, row)
    assert not (await cancelled(database, owner, row)).is_settled
    assert (await state(database))[0] == ("completed" if changes else "executing")


async def test_force_settles_it_with_its_stages_and_tells_who_waits(database: Database, owner: Owner) -> None:
    row = executing(owner, is_guarded=True)
    await add(database, row, fire(owner, NOW + SECOND, reason="queued", workflow_id="w1"))
    async with database.write() as session:
        await start_stages(session, [(row.id, "a")], NOW)
    assert (await cancelled(database, owner, row, is_forced=True)).waiting == ("w1",)
    assert await state(database) == ("cancelled", "killed", LATER)
    assert [(one.state.value, one.finished_at) for one in await stage_records(database)] == [
        ("failed", LATER)
    ]


async def test_force_may_be_repeated(database: Database, owner: Owner) -> None:
    row = executing(owner)
    await add(database, row)
    first = await cancelled(database, owner, row, is_forced=True)
    assert await cancelled(database, owner, row, is_forced=True) == first


@pytest.mark.parametrize("ended", ["completed", "failed", "cancelled", "skipped", "missed"])
async def test_what_has_ended_is_not_cancelled(database: Database, owner: Owner, ended: str) -> None:
    row = fire(owner, state=TriggerState(ended))
    await add(database, row)
    with pytest.raises(Conflict, match=f"it is {ended}"):
        await cancelled(database, owner, row)


async def test_another_tenants_trigger_is_not_there(database: Database, owner: Owner) -> None:
    row = fire(owner)
    await add(database, row)
    other = await add_owner(database, "other")
    with pytest.raises(NotFound):
        await cancelled(database, other, row)
