"""Claims that more than their own row decides: overlap, limits and the start deadline.

What they look at is locked first, so that triggers that concern one another are claimed and settled one after
the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.scheduling.overlap import Decision, Overlap, Turn, decide
from cronny.scheduling.places import decide_place
from cronny.store.claim_table import ClaimTable
from cronny.store.claims import Claim, Place, Verdict, VerdictKind, is_of_run, settled, start_claimed
from cronny.store.open_rows import (
    KEPT,
    NO_PLACE,
    QUEUED,
    TENANT_FULL,
    Held,
    OpenRow,
    hold,
    locked_rows,
    open_of_limited,
    open_of_schedules,
    running_of_tenants,
)
from cronny.store.records import OVERLAP_CANCELLED, PLACE_CANCELLED, fail_open
from cronny.store.releasing import releases
from cronny.store.tables import TriggerRow, TriggerState

GUARDED_CHUNK = 500  # guarded claims in one transaction, which holds the rows of their schedules
KILLED: dict[str, JsonValue] = {"code": "cancelled", "message": "a later trigger took its place"}


class _Reasons(NamedTuple):
    """What the ledger says of what one rule has decided."""

    waiting: str
    left_out: str = ""
    cancelled: str = ""


@dataclass(frozen=True)
class _Ruling:
    """What becomes of a trigger, and by which rule."""

    decision: Decision
    reasons: _Reasons


_OVERLAP = _Reasons(QUEUED, "overlap", OVERLAP_CANCELLED)
_PLACES = _Reasons(NO_PLACE, "concurrency_limit", PLACE_CANCELLED)
_TENANT = _Reasons(TENANT_FULL)

_CHANGE = (
    update(TriggerRow)
    .where(
        col(TriggerRow.id) == bindparam("of_trigger"),
        col(TriggerRow.state) == bindparam("from_state", type_=TriggerRow.state.type),  # type: ignore[attr-defined]  # a column
    )
    .values({name: bindparam(f"to_{name}", type_=getattr(TriggerRow, name).type) for name in KEPT})
    .execution_options(synchronize_session=False)
)


async def claim_guarded(session: AsyncSession, claims: Sequence[Claim], now: datetime) -> list[Verdict]:
    """Claim guarded triggers for runs, the one planned first before the others; verdicts in order."""
    held, tenants = await _hold(session, claims)
    ids = sorted({wish.trigger_id for wish in claims})
    rows = {
        **await open_of_schedules(session, held.schedules),
        **await open_of_limited(session, tenants, held),
    }
    running = await running_of_tenants(session, held.limits)
    table = ClaimTable({**rows, **await locked_rows(session, ids)}, held.limits, running)
    order = sorted(range(len(claims)), key=lambda index: _place(table, claims[index]))
    verdicts = {index: _claim(table, claims[index], now) for index in order}
    await _write(session, table, now)
    answers = [verdicts[index] for index in range(len(claims))]
    await start_claimed(session, claims, answers, now)
    return await _with_releases(session, table, answers, held)


async def _hold(session: AsyncSession, claims: Sequence[Claim]) -> tuple[Held, set[str]]:
    """Lock what the claims look at; that, and their tenants."""
    query = select(
        col(TriggerRow.id), col(TriggerRow.tenant_id), col(TriggerRow.action_id), col(TriggerRow.schedule_id)
    ).where(col(TriggerRow.id).in_(sorted({wish.trigger_id for wish in claims})))
    found = (await session.execute(query)).all()
    limited = {wish.trigger_id for wish in claims if wish.place is not None}
    tenants = {row.tenant_id for row in found}
    actions = {row.action_id for row in found if row.id in limited}
    return await hold(session, tenants, actions, [row.schedule_id for row in found]), tenants


def _claim(table: ClaimTable, wish: Claim, now: datetime) -> Verdict:
    row = table.rows.get(wish.trigger_id)
    if row is None:
        return settled("", "unknown_trigger")
    if row.generation != wish.generation:
        return settled(row.state, row.reason)
    if is_of_run(wish, row.state, row.run_id, row.complete_on):
        return Verdict(VerdictKind.RUN, row.state, row.reason)
    if row.state is not TriggerState.SCHEDULED:
        return settled(row.state, row.reason)
    return _claim_scheduled(table, row, wish, now)


def _claim_scheduled(table: ClaimTable, row: OpenRow, wish: Claim, now: datetime) -> Verdict:
    if row.planned > now:
        return Verdict(VerdictKind.EARLY, row.state, row.reason, planned=row.planned)
    if row.start_by is not None and now > row.start_by:
        row.end(TriggerState.MISSED, "deadline", now)
        return Verdict(VerdictKind.SKIP, row.state, row.reason)
    rulings = _rulings(table, row, wish.place)
    # What was decided before counts only if the trigger executes: else it is decided anew when it asks again.
    for ruling in rulings if rulings[-1].decision.turn is Turn.RUN else rulings[-1:]:
        _follow(table, ruling, now)
    return _verdict(table, row, rulings, wish.run_id, now)


def _rulings(table: ClaimTable, row: OpenRow, place: Place | None) -> list[_Ruling]:
    """What each rule says, up to the first one that does not let the trigger execute."""
    overlap = decide(Overlap(row.overlap), table.others(row), row.is_waiting)
    rulings = [_Ruling(overlap, _OVERLAP)]
    if place is not None:
        table.give_place(row, place)
        if overlap.turn is Turn.RUN:
            decision = decide_place(place.on_limit, table.places(row, overlap.kill))
            rulings.append(_Ruling(decision, _PLACES))
    if row.tenant_id in table.limits:
        row.is_guarded = True
        if row.parent_id:  # Its parent, which waits for it, may have the last place.
            return rulings
        if rulings[-1].decision.turn is Turn.RUN and table.is_tenant_full(row, overlap.kill):
            rulings.append(_Ruling(Decision(Turn.QUEUE), _TENANT))
    return rulings


def _follow(table: ClaimTable, ruling: _Ruling, now: datetime) -> None:
    """Do to other triggers what a ruling says."""
    for one in ruling.decision.cancel:
        table.rows[one].reason = ruling.reasons.cancelled
    for one in ruling.decision.kill:
        table.rows[one].end(TriggerState.CANCELLED, "overlap_killed", now)
        table.killed.add(one)
    for one in ruling.decision.leave_out:
        table.rows[one].end(TriggerState.SKIPPED, ruling.reasons.left_out, now)


def _verdict(
    table: ClaimTable, row: OpenRow, rulings: Sequence[_Ruling], run_id: str, now: datetime
) -> Verdict:
    last, reasons = rulings[-1].decision, rulings[-1].reasons
    match last.turn:
        case Turn.SKIP:
            row.end(TriggerState.SKIPPED, reasons.left_out, now)
            return Verdict(VerdictKind.SKIP, row.state, row.reason)
        case Turn.QUEUE:
            row.reason = reasons.waiting
            cancel = tuple(table.rows[one].execution for one in last.cancel)
            return Verdict(VerdictKind.QUEUE, row.state, row.reason, cancel=cancel)
    row.begin(run_id, now)
    kill = tuple(table.rows[one].execution for ruling in rulings for one in ruling.decision.kill)
    return Verdict(VerdictKind.RUN, row.state, row.reason, kill=kill)


async def _write(session: AsyncSession, table: ClaimTable, now: datetime) -> None:
    changes = table.changes()
    if changes:
        await (await session.connection()).execute(_CHANGE, changes)
    if table.killed:
        await fail_open(session, sorted(table.killed), KILLED, now)


async def _with_releases(
    session: AsyncSession, table: ClaimTable, answers: list[Verdict], held: Held
) -> list[Verdict]:
    """The answers, the first with who may go because others were settled on the way."""
    left = list(table.left())
    if not left:
        return answers
    found = await releases(session, held, {row.tenant_id for row in left})
    told = tuple(one for row in left for one in found.after(row))
    return [replace(answers[0], release=told), *answers[1:]] if told else answers


def _place(table: ClaimTable, wish: Claim) -> tuple[bool, datetime | None, str]:
    row = table.rows.get(wish.trigger_id)
    return (row is None, row.planned if row is not None else None, wish.trigger_id)
