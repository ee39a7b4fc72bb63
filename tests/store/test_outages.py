import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from cronny.errors import Conflict, Unavailable
from cronny.store.database import Database
from cronny.store.failures import meaning_of
from cronny.store.lease import Lease
from cronny.store.persist import persist
from tests.servers.postgres import Server, prepared, serving
from tests.store.conftest import with_driver
from tests.store.samples import NOW


@pytest.fixture
def server() -> Iterator[Server]:
    with prepared() as server:
        yield server


async def ask(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(text("select 1"))).scalar_one())


async def failure(database: Database) -> Exception | None:
    try:
        await ask(database)
    except Exception as error:
        return error
    return None


async def test_an_outage_of_postgresql_is_unavailable_and_heals_within_one_retry(server: Server) -> None:
    database = Database(with_driver(server.url))
    with serving(server):
        await asyncio.gather(*[ask(database) for _ in range(20)])
    errors = [await failure(database) for _ in range(3)]
    with serving(server):
        healed = [await failure(database) for _ in range(2)]
    await database.close()
    assert [type(meaning_of(error)) for error in errors if error is not None] == [Unavailable] * 3
    assert healed[1] is None


async def test_connections_that_died_unnoticed_cost_one_failure_between_them(server: Server) -> None:
    database = Database(with_driver(server.url))
    with serving(server):
        await asyncio.gather(*[ask(database) for _ in range(20)])
    with serving(server):
        failures = [await failure(database) for _ in range(10)]
    await database.close()
    assert [type(meaning_of(error)) for error in failures if error is not None] in ([], [Unavailable])


async def test_a_write_outlasts_a_restart_of_postgresql(server: Server) -> None:
    database = Database(with_driver(server.url))
    with serving(server):
        await ask(database)
    writing = asyncio.create_task(persist(database, lambda session: session.execute(text("select 1"))))
    with serving(server):
        await asyncio.wait_for(writing, 30)
    await database.close()


async def test_the_same_new_thing_made_twice_is_a_conflict(database: Database) -> None:
    for error in [None, Conflict]:
        raised = None
        try:
            async with database.write() as session:
                session.add(Lease(name="x", holder="", expires_at=NOW))
        except Exception as problem:
            raised = meaning_of(problem)
        assert type(raised) is (error or type(None))


async def test_a_mistake_of_ours_means_nothing_to_others(database: Database) -> None:
    with pytest.raises(Exception, match="nonsense") as caught:
        async with database.read() as session:
            await session.execute(text("select nonsense"))
    assert meaning_of(caught.value) is None


async def test_transactions_that_block_each_other_may_be_tried_again(empty_postgres: str) -> None:
    database = Database(empty_postgres)
    async with database.write() as session:
        session.add_all([Lease(name=name, holder="", expires_at=NOW) for name in "ab"])
    both = asyncio.Barrier(2)

    async def touch(*names: str) -> None:
        async with database.write() as session:
            for name in names:
                await session.get(Lease, name, with_for_update=True)
                await asyncio.wait_for(both.wait(), 5) if name == names[0] else None

    failures = await asyncio.gather(touch("a", "b"), touch("b", "a"), return_exceptions=True)
    await database.close()
    meanings = [type(meaning_of(error)) for error in failures if isinstance(error, Exception)]
    assert meanings == [Unavailable]


async def test_a_statement_that_hangs_is_given_up_and_its_connection_heals(empty_postgres: str) -> None:
    database = Database(empty_postgres, statement_limit=0.2)
    hung = None
    try:
        async with database.read() as session:
            await session.execute(text("select pg_sleep(60)"))
    except Exception as error:
        hung = meaning_of(error)
    answer = await ask(database)
    await database.close()
    assert (type(hung), answer) == (Unavailable, 1)
