"""Stages that wait: on a timer and a signal, and without an activity."""

from datetime import timedelta

from tests.workflows import scenarios
from tests.workflows.stand import Stand, names_of


async def test_a_stage_that_waits_is_looked_after_when_told_to_and_at_its_wake(stand: Stand) -> None:
    handle = await scenarios._waits(stand)
    assert stand.ports.log[:4] == ["plan", "run a", "run b", "pure a"]
    assert sorted(stand.ports.log[4:8]) == ["pure a", "pure d", "pure d", "run c"]
    assert stand.ports.log[8:] == ["finish completed"]
    assert (await names_of(handle)).count("ACTIVITY_TASK_SCHEDULED") == 3


async def test_only_its_first_look_claims(stand: Stand) -> None:
    await scenarios._waits(stand)
    assert (stand.ports.stage_calls["a"].is_root, stand.ports.stage_calls["d"].incoming) == (False, (2,))


async def test_a_cancelled_trigger_gives_its_waits_up(stand: Stand) -> None:
    await scenarios._waits_cancelled(stand)
    assert stand.ports.log == ["plan", "run a", "skip b", "abandon a", "finish cancelled"]
    assert stand.ports.settlements[0].skipped == ("c", "d")


async def test_a_trigger_that_fails_does_not_wait_on(stand: Stand) -> None:
    await scenarios._waits_in_vain(stand)
    assert stand.ports.log == ["plan", "run a", "run b", "abandon a", "finish failed"]
    assert stand.ports.settlements[0].failed == ("b",)


async def test_an_early_connector_whose_condition_says_no_is_dead(stand: Stand) -> None:
    stand.ports.waiting["a"] = [scenarios._waiting(timedelta(seconds=1), early=(0,))]
    await stand.execute(scenarios.WAITING)
    assert sorted(stand.ports.log) == [
        "finish completed",
        "plan",
        "pure a",
        "pure d",
        "run a",
        "skip b",
        "skip c",
    ]
