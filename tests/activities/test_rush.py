import asyncio

from activities.rush import Rush


async def _has_ended(task: "asyncio.Task[None]") -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()


async def test_without_a_claim_nobody_waits() -> None:
    await Rush(patience=60).over()


async def test_others_wait_for_the_last_claim() -> None:
    rush = Rush(patience=60)
    with rush.one():
        with rush.one():
            other = asyncio.create_task(rush.over())
            assert not await _has_ended(other)
        assert not await _has_ended(other)
    assert await _has_ended(other)


async def test_a_claim_that_fails_is_over_too() -> None:
    rush = Rush(patience=60)
    try:
        with rush.one():
            raise ValueError
    except ValueError:
        await rush.over()


async def test_a_rush_that_does_not_end_is_waited_for_once() -> None:
    rush = Rush(patience=0.01)
    with rush.one():
        await rush.over()
        rush._patience = 60  # nobody waits again
        await asyncio.wait_for(rush.over(), 5)
    with rush.one():
        other = asyncio.create_task(rush.over())
        assert not await _has_ended(other)
    await other
