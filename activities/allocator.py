"""The activity behind a schedule workflow: what is near due becomes rows of the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import JsonValue
from temporalio import activity

from activities.action_cache import ActionCache
from activities.rules import RuleCache
from activities.runtime import Runtime
from cronny.firing import fire_of
from cronny.scheduling.admission import Admission
from cronny.scheduling.allocation import Position, hand_out
from cronny.store.allocation import end_pause, lock_schedule, overdue, postpone, unstarted, write_fires
from cronny.store.calendars import Calendars
from cronny.store.fires import Allocatable
from cronny.store.tables import TriggerRow
from cronny.store.terms import terms_of
from dsl.inputs import check_inputs
from workflows.messages import AllocateCall, Allocation, Fire

OVERDUE = 20  # triggers of a tenant that wait for their start: its worker has too much to do, or is gone
LOOK = timedelta(seconds=1)  # between two looks at how late triggers start


class Allocator:
    """Implements the port `allocate`."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.parts.database
        self._clock = runtime.parts.clock
        self._actions: ActionCache = runtime.actions
        self._rules = RuleCache()
        self._metrics = runtime.parts.metrics
        self._admission = Admission()
        self._delays = runtime.delays
        self._looked: datetime | None = None

    @activity.defn(name="allocate")
    async def allocate(self, call: AllocateCall) -> Allocation:
        """Write the ledger rows of near-due fires; running it again gives the same."""
        await self._look(self._clock())
        async with self._database.write() as session:
            target = await lock_schedule(session, call.schedule.schedule_id)
            if target is None:
                return Allocation(generation=call.generation, fires=(), wake=None)
            schedule = target.schedule
            now = self._clock()
            if schedule.paused_until is not None and schedule.paused_until <= now:
                await end_pause(session, target, schedule.paused_until)
            schedule.observed_generation = schedule.generation
            if schedule.is_paused or schedule.deleted_at is not None:
                wake = schedule.paused_until if schedule.deleted_at is None else None
                return Allocation(generation=schedule.generation, fires=(), wake=wake)
            rule = await self._rules.get(schedule, Calendars(session, schedule.tenant_id))
            position = Position(schedule.cursor, schedule.skip_until, schedule.wake_at)
            handout = hand_out(rule.compiled, position, now, rule.schedule.catchup)
            later = self._postponed(target, len(handout.run), now)
            if later is not None:
                await postpone(session, schedule, later)
                return Allocation(generation=schedule.generation, fires=(), wake=later)
            inputs = await inputs_of(target, self._actions)
            terms = terms_of(rule.schedule, rule.compiled, schedule.id)
            await write_fires(session, target, handout, inputs, now, terms)
            spawned = call.spawned if call.generation == schedule.generation else None
            rows = await unstarted(session, schedule, spawned)
        return Allocation(
            generation=schedule.generation, fires=_fires(target, rows, now), wake=schedule.wake_at
        )

    async def _look(self, now: datetime) -> None:
        """Adjust what each tenant may have to how late triggers start."""
        if self._looked is None or abs(now - self._looked) > LOOK:
            self._looked = now
            async with self._database.read() as session:
                late = await overdue(session, now)
            slow = dict(self._delays.slow(now))
            for tenant, what in late.items():
                if what.count > OVERDUE:
                    slow[tenant] = max(what.allocated, slow.get(tenant, what.allocated))
            self._admission.observe(slow, now)

    def _postponed(self, target: Allocatable, fires: int, now: datetime) -> datetime | None:
        """When to allocate so many fires of a schedule, if its tenant has had its share for the moment."""
        tenant = target.tenant.slug
        later = self._admission.postponed(tenant, target.schedule.id, fires, now) if fires else None
        if later is not None:
            self._metrics.postponed.labels(tenant).inc()
        return later


async def inputs_of(target: Allocatable, actions: ActionCache) -> JsonValue:
    """What the fires of a schedule are given: a value for every input of the action's newest version."""
    loaded = await actions.get(target.action.id, target.action.version)
    given = target.schedule.inputs if isinstance(target.schedule.inputs, dict) else {}
    return dict(check_inputs(loaded.action, given)[0])


def _fires(target: Allocatable, rows: Sequence[TriggerRow], now: datetime) -> tuple[Fire, ...]:
    tenant, action, schedule = target.tenant.slug, target.action.name, target.schedule.name
    return tuple(fire_of(row, tenant, action, schedule, now) for row in rows)
