import asyncio

import pytest

from activities.aftermath import Aftermath


async def test_what_is_left_to_do_is_done_and_nobody_waits_for_it() -> None:
    done = asyncio.Event()

    async def deed() -> None:
        done.set()

    Aftermath().begin([deed])
    assert not done.is_set()
    await done.wait()


async def test_a_deed_that_fails_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    failed = asyncio.Event()

    async def deed() -> None:
        failed.set()
        raise RuntimeError("no")

    Aftermath().begin([deed])
    await failed.wait()
    await asyncio.sleep(0)
    assert [record.message for record in caplog.records] == ["something was left behind by a stage"]
