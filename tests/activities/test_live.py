import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import event

from activities.live import LiveLogs
from activities.log import LOG_LIMIT, Log
from activities.masking import Masker
from cronny.clock import wall_clock
from cronny.store.database import Database
from cronny.store.live import LogLine, Unit, live_of_triggers

NO_TIME = timedelta()
LONG = timedelta(hours=1)
WORK = Unit("trg_1", "work")


async def texts(database: Database) -> list[str]:
    async with database.read() as session:
        found = await live_of_triggers(session, ["trg_1"])
    return [line.text for line in found[WORK].lines] if WORK in found else []


def logs_of(database: Database) -> LiveLogs:
    """Logs that are written when the test says so, however short the stage."""
    return LiveLogs(database, wall_clock, every=LONG, after=NO_TIME)


@pytest.fixture
def statements(database: Database) -> list[str]:
    """What is written to the database."""
    seen: list[str] = []
    event.listen(
        database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: seen.append(statement),
    )
    return seen


async def test_a_short_stage_writes_nothing(database: Database, statements: list[str]) -> None:
    logs, log = LiveLogs(database, wall_clock, LONG, LONG), Log(Masker(()))
    async with logs.followed(WORK, 1, log):
        log.write("up")
        await logs.write()
    assert (log.is_live, statements) == (False, [])


async def test_a_silent_stage_writes_nothing(database: Database, statements: list[str]) -> None:
    logs = logs_of(database)
    async with logs.followed(WORK, 1, Log(Masker(()))):
        await logs.write()
    assert statements == []


async def test_the_lines_of_a_long_stage_are_readable(database: Database) -> None:
    logs, log = logs_of(database), Log(Masker(["hunter2"]))
    async with logs.followed(WORK, 1, log):
        log.write("the password is hunter2")
        await logs.write()
        log.write_from("stderr", "over")
        await logs.write()
        assert await texts(database) == ["the password is ***", "over"]
    assert log.is_live


async def test_a_running_stage_is_written_by_itself(database: Database) -> None:
    logs, log = LiveLogs(database, wall_clock, NO_TIME, NO_TIME), Log(Masker(()))
    async with logs.followed(WORK, 1, log):
        log.write("up")
        async with asyncio.timeout(30):
            while await texts(database) != ["up"]:  # noqa: ASYNC110  # the database tells nobody
                await asyncio.sleep(0)
    await logs.close()


async def test_many_stages_are_written_together(database: Database, statements: list[str]) -> None:
    logs = logs_of(database)
    all_logs = [Log(Masker(())) for _ in range(50)]
    units = [Unit("trg_1", f"s{number}") for number in range(50)]
    followed = [logs.followed(unit, 1, log) for unit, log in zip(units, all_logs, strict=True)]
    for one, log in zip(followed, all_logs, strict=True):
        await one.__aenter__()
        log.write("up")
    await logs.write()
    assert len([text for text in statements if text.upper().startswith("INSERT")]) == 1
    for one in followed:
        await one.__aexit__(None, None, None)


async def test_nothing_is_written_of_a_stage_that_has_ended(database: Database) -> None:
    logs, log = logs_of(database), Log(Masker(()))
    async with logs.followed(WORK, 1, log):
        pass
    log.write("late")
    await logs.write()
    assert await texts(database) == []


async def test_the_next_worker_goes_on_with_what_is_there(database: Database) -> None:
    first, second = (logs_of(database) for _ in range(2))
    log = Log(Masker(()))
    async with first.followed(WORK, 1, log):
        log.write("pulled")
        log.write_from("stdout", "up")
        await first.write()
    successor = Log(Masker(()))
    async with second.followed(WORK, 1, successor):
        known: Mapping[str, int] = await successor.earlier()
        successor.write_from("stdout", "over")
        await second.write()
        assert await texts(database) == ["pulled", "up", "over"]
    assert (known, successor.text()) == ({"stdout": 1}, "pulled\nup\nover")


async def test_a_cancelled_stage_leaves_its_log(database: Database) -> None:
    logs, log = LiveLogs(database, wall_clock, LONG, LONG), Log(Masker(()))

    async def execution() -> None:
        async with logs.followed(WORK, 1, log):
            log.write("up")
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await execution()
    assert (logs.left_by(WORK).text(), logs.left_by(WORK).text()) == ("up", "")


async def test_a_database_that_is_away_only_delays_the_lines() -> None:
    away = Database("sqlite+aiosqlite:////nowhere/at/all.db")
    logs, log = logs_of(away), Log(Masker(()))
    async with logs.followed(WORK, 1, log):
        log.write("up")
        assert await log.earlier() == {}
    await away.close()
    assert log.text() == "up"


def test_a_secret_of_several_lines_is_masked_before_it_is_cut() -> None:
    log = Log(Masker(["one\ntwo three"]))
    log.write("it is one\ntwo three\nover")
    assert [line.text for line in log.lines] == ["it is ***", "over"]


def test_a_log_has_the_lines_that_fit() -> None:
    log = Log(Masker(()))
    log.write("a" * (LOG_LIMIT - 1))
    log.write("b")
    log.take_over([LogLine("c")])
    assert [line.text[:1] for line in log.lines] == ["c", "a"]
