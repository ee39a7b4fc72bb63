"""Fires that operators asked for out of turn, moved ones and those of backfills: started when it is time."""

import asyncio
import logging
from datetime import datetime, timedelta

from temporalio.client import Client

from activities.allocator import inputs_of
from activities.rules import RuleCache
from activities.runtime import Runtime
from cronny.errors import Invalid, Unavailable
from cronny.firing import fire_of
from cronny.scheduling.allocation import Handout
from cronny.scheduling.bounds import TICK
from cronny.scheduling.pace import Pace
from cronny.store.allocation import lock_schedule
from cronny.store.backfilled import Backfilled, to_start
from cronny.store.calendars import Calendars
from cronny.store.failures import meaning_of
from cronny.store.fires import Allocatable, ledger_rows
from cronny.store.moved import find_move, hand_out_moved, set_void, to_hand_out
from cronny.store.tables import FireChange, TriggerRow
from cronny.store.terms import terms_of
from cronny.store.watch import take_lease
from cronny.temporal.schedules import start_trigger
from workflows.messages import Fire

ROUND = timedelta(seconds=1)  # between two looks; each is two questions to small indexes
LEASE = timedelta(seconds=10)  # another worker takes over after this
PATIENCE = timedelta(seconds=10)  # before the same trigger is started again

log = logging.getLogger("cronny.out_of_turn")


class OutOfTurn:
    """One loop in each worker; the one that has the lease starts what is near."""

    def __init__(self, runtime: Runtime, client: Client, name: str) -> None:
        self._database = runtime.parts.database
        self._clock = runtime.parts.clock
        self._actions = runtime.actions
        self._rules = RuleCache()
        self._client = client
        self._name = name
        self._tried: dict[str, datetime] = {}
        self._paces: dict[str, Pace] = {}

    async def run(self) -> None:
        """Look and start until cancelled."""
        while True:
            try:
                await self.round()
            except Exception as error:  # whatever it was, the next round may succeed
                is_known = isinstance(error, Unavailable) or meaning_of(error) is not None
                log.warning(
                    "what was asked for out of turn has to wait",
                    exc_info=None if is_known else error,
                    extra={"reason": str(error)},
                )
            await asyncio.sleep(ROUND.total_seconds())

    async def round(self) -> None:
        """Look once; raises Unavailable when Temporal is away."""
        now = self._clock()
        async with self._database.read() as session:
            moves, backfilled = await to_hand_out(session, now), await to_start(session, now)
        self._tried = {name: at for name, at in self._tried.items() if now - at < PATIENCE}
        if not (moves or backfilled) or not await self._has_lease(now):
            return
        for change in moves:
            await self._hand_out(change, now)
        under_way = {found.row.backfill_id for found in backfilled}
        self._paces = {name: pace for name, pace in self._paces.items() if name in under_way}
        for found in backfilled:
            await self._start_backfilled(found, now)

    async def _has_lease(self, now: datetime) -> bool:
        async with self._database.write() as session:
            return await take_lease(session, "out_of_turn", self._name, now, LEASE)

    async def _hand_out(self, change: FireChange, now: datetime) -> None:
        """Write the row of a moved fire, if it has none, and start its workflow."""
        key = f"{change.schedule_id} {change.due} {change.moved_to}"
        if key in self._tried:
            return
        async with self._database.write() as session:
            target = await lock_schedule(session, change.schedule_id)
            move = None if target is None else await find_move(session, target.schedule, change.due)
            if target is None or move is None:
                return
            schedule = target.schedule
            fresh = await self._fresh(target, move, Calendars(session, schedule.tenant_id), now)
            if fresh is None:
                await set_void(session, schedule, move, now)
                return
            row = await hand_out_moved(session, schedule, move, fresh, now)
        if row is not None:
            await start_trigger(self._client, _fire(target, row, now))
        self._tried[key] = now

    async def _fresh(
        self, target: Allocatable, move: FireChange, calendars: Calendars, now: datetime
    ) -> TriggerRow | None:
        """The row that a moved fire gets, if it is one of its rule."""
        try:
            rule = await self._rules.get(target.schedule, calendars)
        except Invalid:
            return None
        if rule.compiled.next(move.due - TICK) != move.due:
            return None
        terms = terms_of(rule.schedule, rule.compiled, target.schedule.id)
        handout = Handout((move.due,), (), (), cursor=now, next_due=None)
        (row,) = ledger_rows(target, handout, await inputs_of(target, self._actions), now, terms)
        return row

    async def _start_backfilled(self, found: Backfilled, now: datetime) -> None:
        row = found.row
        if row.id in self._tried:
            return
        pace = self._paces.get(row.backfill_id, Pace(now))
        if not pace.allows(now):
            return
        self._paces[row.backfill_id] = pace.after_one(found.rate, now)
        await start_trigger(self._client, fire_of(row, found.tenant, found.action, found.schedule, now))
        self._tried[row.id] = now


def _fire(target: Allocatable, row: TriggerRow, now: datetime) -> Fire:
    return fire_of(row, target.tenant.slug, target.action.name, target.schedule.name, now)
