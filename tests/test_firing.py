"""What a trigger's workflow is told about when to hold."""

from datetime import UTC, datetime, timedelta

from cronny.firing import LONGEST_HOLD, fire_of
from cronny.scheduling.allocation import LEAD
from cronny.store.tables import TriggerRow
from workflows.messages import Fire

DUE = datetime(2026, 11, 26, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _fire(ahead: timedelta) -> Fire:
    row = TriggerRow(
        id="trg_1", tenant_id="t", action_id="a", action_version=1, due=DUE, planned=DUE, number=1,
        generation=1, workflow_id="trigger/t/s/1", is_guarded=False, priority=3, inputs={},
        allocated_at=DUE - ahead,
    )  # fmt: skip
    return fire_of(row, "acme", "check", "often", DUE - ahead)


def test_a_herd_of_minutes_holds_from_its_allocation() -> None:
    fire = _fire(LONGEST_HOLD)
    assert (fire.hold_from, fire.allocated) == (None, DUE - LONGEST_HOLD)


def test_what_is_allocated_earlier_sleeps_and_wakes_the_earlier_the_longer_it_has_slept() -> None:
    fires = [_fire(LONGEST_HOLD + later) for later in (2 * MINUTE, 4 * MINUTE)]
    assert [fire.hold_from for fire in fires] == [DUE - LEAD - MINUTE, DUE - LEAD - 2 * MINUTE]
    assert [fire.allocated for fire in fires] == [None, None]
