import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from cronny.blobs import Folder, Lost, Nowhere, Place, read_whole
from cronny.errors import LimitReached, Unavailable
from cronny.purger import Purger
from cronny.store.blob_tables import BlobRow
from cronny.store.blobs import (
    Large,
    add_blob,
    column_of,
    drop_blob,
    drop_blobs,
    forget_blobs,
    garbage,
    larges_of,
    share_blobs,
)
from cronny.store.database import Database
from cronny.store.limits import Limit, Limits, set_limit
from cronny.store.purge import purge_batch
from cronny.store.tables import StageRow, StageState, Tenant, TriggerState
from tests.store.samples import NOW, SECOND, Owner, add, add_owner, fire
from tests.store.test_purge import OLD

ONE, TWO = Large("blb_1", 300_000), Large("blb_2", 500_000)


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await add_owner(database)


async def keep(database: Database, owner: Owner, trigger: str, *larges: Large) -> None:
    for large in larges:
        async with database.write() as session:
            await add_blob(session, owner.tenant.id, trigger, large, NOW)


async def share(database: Database, of: str, by: str, *larges: Large) -> None:
    async with database.write() as session:
        await share_blobs(session, of, by, [one.id for one in larges])


async def drop(database: Database, *triggers: str) -> None:
    async with database.write() as session:
        await drop_blobs(session, triggers, NOW)


async def rubbish(database: Database) -> list[str]:
    async with database.read() as session:
        return [place.blob_id for place in await garbage(session, 10)]


async def used(database: Database, owner: Owner) -> int:
    async with database.read() as session:
        return await Limits(session, owner.tenant).kept_bytes()


async def limit(database: Database, owner: Owner, most: int) -> None:
    async with database.write() as session:
        await set_limit(session, await session.get_one(Tenant, owner.tenant.id), Limit.KEPT_BYTES, most)


def test_a_column_says_what_it_was_given() -> None:
    assert larges_of(column_of({"output": ONE, "input": TWO})) == {"output": ONE, "input": TWO}
    assert column_of({}) is None
    assert larges_of(None) == {}


async def test_what_a_dropped_trigger_kept_is_garbage(database: Database, owner: Owner) -> None:
    await keep(database, owner, "trg_1", ONE)
    await keep(database, owner, "trg_2", TWO)
    await drop(database, "trg_1")
    assert await rubbish(database) == [ONE.id]


async def test_what_another_trigger_keeps_is_no_garbage(database: Database, owner: Owner) -> None:
    await keep(database, owner, "trg_1", ONE, TWO)
    await share(database, "trg_1", "trg_2", ONE)
    await drop(database, "trg_1")
    assert await rubbish(database) == [TWO.id]
    await drop(database, "trg_2")
    assert sorted(await rubbish(database)) == [ONE.id, TWO.id]


async def test_what_triggers_share_that_go_together_is_garbage(database: Database, owner: Owner) -> None:
    await keep(database, owner, "trg_1", ONE)
    await share(database, "trg_1", "trg_2", ONE)
    await drop(database, "trg_1", "trg_2")
    assert await rubbish(database) == [ONE.id]


async def test_what_could_not_be_written_is_garbage(database: Database, owner: Owner) -> None:
    await keep(database, owner, "trg_1", ONE)
    async with database.write() as session:
        await drop_blob(session, "trg_1", ONE.id, NOW)
    assert await rubbish(database) == [ONE.id]


async def test_garbage_that_was_deleted_is_forgotten(database: Database, owner: Owner) -> None:
    await keep(database, owner, "trg_1", ONE)
    await keep(database, owner, "trg_2", TWO)
    await drop(database, "trg_1")
    async with database.write() as session:
        await forget_blobs(session, [Place(owner.tenant.id, one.id) for one in (ONE, TWO)])
    async with database.read() as session:
        assert [row.id for row in (await session.execute(select(BlobRow))).scalars()] == [TWO.id]


async def test_what_is_shared_is_counted_once(database: Database, owner: Owner) -> None:
    await keep(database, owner, "trg_1", ONE, TWO)
    await share(database, "trg_1", "trg_2", ONE)
    assert await used(database, owner) == ONE.size + TWO.size


async def test_a_tenant_may_keep_as_much_as_its_limit(database: Database, owner: Owner) -> None:
    await limit(database, owner, ONE.size + TWO.size)
    await keep(database, owner, "trg_1", ONE, TWO)
    with pytest.raises(LimitReached, match="'kept_bytes' is 800000, and 800000 are in use"):
        await keep(database, owner, "trg_1", Large("blb_3", 1))
    assert await used(database, owner) == ONE.size + TWO.size


async def test_two_at_once_do_not_pass_the_limit_together(database: Database, owner: Owner) -> None:
    await limit(database, owner, 2 * ONE.size)
    larges = [Large(f"blb_{number}", ONE.size) for number in range(6)]
    tries = [keep(database, owner, "trg_1", large) for large in larges]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, LimitReached) for result in results) == 4
    assert await used(database, owner) == 2 * ONE.size


async def test_the_usage_is_told(database: Database, owner: Owner) -> None:
    await keep(database, owner, "trg_1", ONE)
    async with database.read() as session:
        usage = await Limits(session, owner.tenant).usage()
    assert usage[Limit.KEPT_BYTES] == ONE.size


async def test_a_purged_trigger_keeps_nothing(database: Database, owner: Owner) -> None:
    row = fire(owner, OLD, state=TriggerState.COMPLETED, finished_at=OLD)
    record = StageRow(
        trigger_id=row.id, stage_id="a", state=StageState.COMPLETED, started_at=OLD,
        large=column_of({"output": ONE}),
    )  # fmt: skip
    await add(database, row, record)
    await keep(database, owner, row.id, ONE)
    await purge_batch(database, owner.tenant, NOW + SECOND)
    assert await rubbish(database) == [ONE.id]


async def test_the_purger_deletes_what_nobody_keeps(database: Database, owner: Owner, tmp_path: Path) -> None:
    store = Folder(tmp_path / "blobs")
    row = fire(owner, OLD, state=TriggerState.COMPLETED, finished_at=OLD)
    await add(database, row)
    await keep(database, owner, row.id, ONE)
    await keep(database, owner, "trg_young", TWO)
    for large in (ONE, TWO):
        await store.write(Place(owner.tenant.id, large.id), b"x")
    await Purger(database, lambda: NOW, "test", blobs=store).round()
    assert await read_whole(store, Place(owner.tenant.id, TWO.id), 1) == b"x"
    with pytest.raises(Lost):
        await read_whole(store, Place(owner.tenant.id, ONE.id), 1)
    assert (await rubbish(database), await used(database, owner)) == ([], TWO.size)


async def test_what_cannot_be_deleted_now_is_not_forgotten(
    database: Database, owner: Owner, tmp_path: Path
) -> None:
    await keep(database, owner, "trg_1", ONE)
    await drop(database, "trg_1")
    with pytest.raises(Unavailable):
        await Purger(database, lambda: NOW, "test", blobs=Nowhere()).round()
    assert await rubbish(database) == [ONE.id]
