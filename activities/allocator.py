"""The activity behind a schedule workflow: what is near due becomes rows of the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import activity

from activities.action_cache import ActionCache
from activities.rules import RuleCache
from activities.runtime import Runtime
from cronny.scheduling.allocation import LEAD, Position, hand_out
from cronny.store.allocation import lock_schedule, unstarted, write_fires
from cronny.store.fires import Allocatable
from cronny.store.tables import TriggerRow
from dsl.check import check_inputs
from workflows.messages import AllocateCall, Allocation, Fire

LONGEST_HOLD = timedelta(seconds=60)  # allocated earlier than this, a trigger sleeps before it holds
HOLD_RATE = 100  # triggers a second that can end their sleep and begin to hold


class Allocator:
    """Implements the port `allocate`."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.parts.database
        self._clock = runtime.parts.clock
        self._actions: ActionCache = runtime.actions
        self._rules = RuleCache()

    @activity.defn(name="allocate")
    async def allocate(self, call: AllocateCall) -> Allocation:
        """Write the ledger rows of near-due fires; running it again gives the same."""
        async with self._database.write() as session:
            target = await lock_schedule(session, call.schedule.schedule_id)
            if target is None:
                return Allocation(generation=call.generation, fires=(), wake=None)
            schedule = target.schedule
            schedule.observed_generation = schedule.generation
            if schedule.is_paused or schedule.deleted_at is not None:
                return Allocation(generation=schedule.generation, fires=(), wake=None)
            rule = self._rules.get(schedule)
            now = self._clock()
            position = Position(schedule.cursor, schedule.skip_until, schedule.wake_at)
            handout = hand_out(rule.compiled, position, now, rule.schedule.catchup)
            loaded = await self._actions.get(target.action.id, target.action.version)
            inputs, _ = check_inputs(loaded.action, schedule.inputs)
            await write_fires(session, target, handout, inputs, now)
            spawned = call.spawned if call.generation == schedule.generation else None
            rows = await unstarted(session, schedule, spawned)
        return Allocation(generation=schedule.generation, fires=_fires(target, rows, now), wake=schedule.wake_at)


def _fires(target: Allocatable, rows: Sequence[TriggerRow], now: datetime) -> tuple[Fire, ...]:
    return tuple(fire_of(target, row, now) for row in rows)


def fire_of(target: Allocatable, row: TriggerRow, now: datetime) -> Fire:
    """What the trigger workflow is told."""
    return Fire(
        tenant=target.tenant.slug,
        trigger_id=row.id,
        action_id=row.action_id,
        action=target.action.name,
        version=row.action_version,
        schedule=target.schedule.name,
        number=row.number,
        generation=row.generation,
        due=row.due,
        hold_from=_hold_from(row.due, now),
        workflow_id=row.workflow_id,
    )


def _hold_from(due: datetime, now: datetime) -> datetime | None:
    ahead = due - now
    if ahead <= LONGEST_HOLD:
        return None
    # The earlier a trigger was allocated, the more of its kind there are: spread the ends of their sleeps.
    place = (ahead - LONGEST_HOLD).total_seconds() * 20
    return due - LEAD - min(LONGEST_HOLD, timedelta(seconds=place / HOLD_RATE))
