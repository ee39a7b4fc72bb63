"""What is done about fires that were missed where a schedule says `catchup: ask`."""

from dataclasses import replace

from api.body import Body
from api.caller import Caller
from api.outbox import Outbox
from api.requests import ApproveRequest, DeclineRequest
from api.views.catchup import CatchupDone, CatchupPlan, view_plan
from cronny.errors import Conflict
from cronny.firing import fire_of
from cronny.store.approval import Asking
from cronny.store.fires import Allocatable
from cronny.store.tables import EventKind


async def show_catchup(caller: Caller, name: str) -> CatchupPlan:
    """The ranges that wait; raises NotFound."""
    async with caller.read() as store:
        rows = await store.catchups.of(await store.schedules.get(name))
    return view_plan(rows, name)


async def approve_catchup(caller: Caller, outbox: Outbox, name: str, body: Body) -> CatchupDone:
    """Execute what waits, or the latest of it; raises NotFound, and Conflict if nothing does."""
    wanted = body.read_as(ApproveRequest)
    async with caller.write() as store:
        row = await store.schedules.get(name, is_locked=True)
        action = await store.actions.of(row)
        rule = await caller.parts.rules.get(row, store.calendars)
        before = view_plan(await store.catchups.of(row), name).total
        if not before:
            raise Conflict("no fire waits for an approval")
        schedule = rule.schedule
        if wanted.last_only:
            schedule = schedule.model_copy(update={"catchup": replace(schedule.catchup, cap=1)})
        asking = Asking(Allocatable(row, action, store.tenant), schedule, rule.compiled)
        rows = await store.catchups.approve(asking, wanted.until or store.now, store.now)
        left = view_plan(await store.catchups.of(row), name).total
        done = CatchupDone(
            schedule=name,
            approved=len(rows),
            declined=before - left - len(rows),
            triggers=tuple(one.id for one in rows),
        )
        details = {"approved": done.approved, "declined": done.declined}
        await store.note(EventKind.CATCHUP_APPROVED, row, note=wanted.note, details=details)
    for one in rows:
        outbox.start(fire_of(one, caller.tenant.slug, action.name, name, store.now))
    return done


async def decline_catchup(caller: Caller, name: str, body: Body) -> CatchupDone:
    """Leave what waits missed for good; raises NotFound, and Conflict if nothing waits."""
    wanted = body.read_as(DeclineRequest)
    async with caller.write() as store:
        row = await store.schedules.get(name, is_locked=True)
        count = await store.catchups.decline(row, wanted.until or store.now)
        if not count:
            raise Conflict("no fire waits for an approval")
        await store.note(EventKind.CATCHUP_DECLINED, row, note=wanted.note, details={"declined": count})
    return CatchupDone(schedule=name, approved=0, declined=count, triggers=())
