"""What is done with backfills."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from api.body import Body
from api.caller import Caller
from api.requests import BackfillRequest
from api.triggering import fill_values
from api.views.backfill import BackfillPlan, BackfillView, view_backfill
from api.views.listing import Listing
from cronny.names import instant_text
from cronny.scheduling import Compiled
from cronny.scheduling.bounds import TICK
from cronny.store.backfills import Order, details_of
from cronny.store.tables import EventKind

MOST = 10_000  # fires of one backfill: each is a row of the ledger from the beginning


async def start_backfill(caller: Caller, name: str, body: Body) -> BackfillPlan | BackfillView:
    """Execute the fires of a range of the past, or only count them; raises NotFound and Invalid."""
    wanted = body.read_as(BackfillRequest)
    async with caller.read() as store:
        row = await store.schedules.get(name)
        compiled = (await caller.parts.rules.get(row, store.calendars)).compiled
    _require_past(wanted, body, store.now)
    # A year of a calendar rule takes tens of milliseconds: other requests go on.
    dues = await asyncio.to_thread(_dues, compiled, wanted.since, wanted.until)
    if len(dues) > MOST:
        hint = f"one backfill may end at {instant_text(dues[MOST - 1])}"
        raise body.refuse(("to",), f"there are more than {MOST} fires", hint, "too_many")
    if wanted.dry_run:
        first, last = (dues[0], dues[-1]) if dues else (None, None)
        return BackfillPlan(total=len(dues), first=first, last=last, minutes=len(dues) / wanted.rate)
    if not dues:
        hint = "an interval has none before the schedule was first saved, or before its start"
        raise body.refuse(("from",), "there is no fire in the range", hint, "empty")
    async with caller.write() as store:
        row = await store.schedules.get(name, is_locked=True)
        action = await store.actions.of(row)
        own = row.inputs if isinstance(row.inputs, dict) else {}
        order = Order(
            since=wanted.since,
            until=wanted.until,
            rate=wanted.rate,
            overlap=wanted.overlap,
            inputs=await fill_values(store, action, {**own, **wanted.inputs}, body),
            actor=caller.actor,
            note=wanted.note,
        )
        added = await store.backfills.add(row, action, dues, order, store.now)
        details = details_of(added)
        await store.note(EventKind.BACKFILL_STARTED, row, note=wanted.note, details=details)
        return view_backfill(await store.backfills.get(row, added.id), name)


async def list_backfills(caller: Caller, name: str) -> Listing[BackfillView]:
    """The backfills of a schedule, the latest first; raises NotFound."""
    async with caller.read() as store:
        found = await store.backfills.of(await store.schedules.get(name))
    return Listing(items=tuple(view_backfill(one, name) for one in found))


async def show_backfill(caller: Caller, name: str, backfill: str) -> BackfillView:
    """A backfill and how far it has come; raises NotFound."""
    async with caller.read() as store:
        return view_backfill(await store.backfills.get(await store.schedules.get(name), backfill), name)


async def cancel_backfill(caller: Caller, name: str, backfill: str) -> BackfillView:
    """Leave out what has not begun; raises NotFound and Conflict."""
    async with caller.write() as store:
        row = await store.schedules.get(name, is_locked=True)
        cancelled = await store.backfills.cancel(row, backfill, store.now)
        await store.note(EventKind.BACKFILL_CANCELLED, row, details={"backfill": backfill})
    return view_backfill(cancelled, name)


def _require_past(wanted: BackfillRequest, body: Body, now: datetime) -> None:
    if wanted.until > now:
        raise body.refuse(("to",), "lies in the future", f"it is {instant_text(now)} now", "future")
    if wanted.until < wanted.since:
        raise body.refuse(("to",), "lies before 'from'", code="order")


def _dues(compiled: Compiled, since: datetime, until: datetime) -> Sequence[datetime]:
    return list(islice(compiled.between(since - TICK, until), MOST + 1))
