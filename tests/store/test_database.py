import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from cronny.store.database import Database
from cronny.store.lease import Lease
from tests.store.samples import NOW

COUNT_UP = "update lease set expires_at = expires_at + 1 where name = 'n'"
COUNT = text("select expires_at from lease where name = 'n'")


@pytest.fixture
async def counter(database: Database) -> Database:
    async with database.write() as session:
        await session.execute(text("insert into lease (name, holder, expires_at) values ('n', '', 0)"))
    return database


async def count(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(COUNT)).scalar_one())


async def count_up(database: Database, times: int) -> None:
    """Read, then write what was read plus one: lost updates show."""
    for _ in range(times):
        async with database.write() as session:
            lease = await session.get(Lease, "n", with_for_update=True)
            assert lease is not None
            await session.execute(text(COUNT_UP))


async def test_a_block_that_raises_is_rolled_back(counter: Database) -> None:
    with suppress(LookupError):
        async with counter.write() as session:
            await session.execute(text(COUNT_UP))
            raise LookupError
    assert await count(counter) == 0


async def test_a_thousand_readers_queue(counter: Database) -> None:
    assert await asyncio.gather(*[count(counter) for _ in range(1000)]) == [0] * 1000


async def test_writers_and_readers_of_one_process_do_not_block_each_other(counter: Database) -> None:
    await asyncio.gather(*[count_up(counter, 2) for _ in range(50)], *[count(counter) for _ in range(50)])
    assert await count(counter) == 100


async def test_several_who_open_the_same_database_lose_no_write(counter: Database, database_url: str) -> None:
    others = [Database(database_url) for _ in range(2)]
    await asyncio.gather(*[count_up(one, 10) for one in [counter, *others] for _ in range(5)])
    for other in others:
        await other.close()
    assert await count(counter) == 150


async def test_a_reader_sees_the_committed_state_while_a_writer_writes(counter: Database) -> None:
    async with counter.write() as session:
        await session.execute(text(COUNT_UP))
        assert await count(counter) == 0


async def test_a_cancelled_writer_leaves_the_way_free(counter: Database) -> None:
    entered, forever = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with counter.write() as session:
            await session.execute(text(COUNT_UP))
            entered.set()
            await forever.wait()

    writer = asyncio.create_task(write())
    await entered.wait()
    writer.cancel()
    await asyncio.wait([writer])
    await asyncio.wait_for(count_up(counter, 1), 5)
    assert await count(counter) == 1


async def test_writers_cancelled_at_any_moment_leave_the_way_free(counter: Database) -> None:
    writers = [asyncio.create_task(count_up(counter, 5)) for _ in range(40)]
    for writer in writers:
        await count(counter)
        writer.cancel()
    await asyncio.wait(writers)
    before = await count(counter)
    await asyncio.wait_for(count_up(counter, 1), 5)
    assert await count(counter) == before + 1


async def test_sqlite_writes_ahead_and_waits_for_other_processes(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'cronny.db'}")
    async with database.read() as session:
        answers = [
            (await session.execute(text(f"pragma {name}"))).scalar_one()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        ]
    await database.close()
    assert answers == ["wal", 10_000, 1, 1]


async def test_instants_come_back_in_utc_to_the_microsecond(database: Database) -> None:
    exact = NOW.replace(microsecond=123_457)
    async with database.write() as session:
        session.add(Lease(name="x", holder="", expires_at=exact))
    async with database.read() as session:
        lease = await session.get(Lease, "x")
    assert lease is not None
    assert lease.expires_at.isoformat() == "2026-11-24T09:00:00.123457+00:00"
