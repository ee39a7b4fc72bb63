"""Catch-up that was asked about: fires that were missed, and are executed after all once somebody says so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.names import again
from cronny.scheduling.allocation import CAP
from cronny.scheduling.bounds import TICK
from cronny.scheduling.compiled import Compiled
from cronny.store.fires import Allocatable, on_terms, row_of
from cronny.store.tables import TriggerRow, TriggerState
from cronny.store.terms import AWAITING_APPROVAL, CAUGHT_UP, terms_of
from dsl.schedule import Schedule

APPROVED = "approved"  # the reason of a trigger that was missed and is executed after all


@dataclass(frozen=True)
class Asking:
    """A schedule, locked, and its rule as it is now."""

    target: Allocatable
    schedule: Schedule
    compiled: Compiled

    def dues(self, row: TriggerRow, limit: int, now: datetime) -> tuple[datetime, ...]:
        """The latest fires of a row, as many as the limit, and none older than the window."""
        window = self.schedule.catchup.window
        begin = row.due - TICK if window is None else max(row.due - TICK, now - window)
        return self.compiled.latest(begin, row.until or row.due, limit)


async def awaiting(session: AsyncSession, schedule_id: str, until: datetime) -> Sequence[TriggerRow]:
    """The rows that end by an instant and wait for an approval, locked, the latest first."""
    query = (
        select(TriggerRow)
        .where(
            col(TriggerRow.schedule_id) == schedule_id,
            col(TriggerRow.state) == TriggerState.MISSED,
            col(TriggerRow.reason) == AWAITING_APPROVAL,
            func.coalesce(col(TriggerRow.until), col(TriggerRow.due)) <= until,
        )
        .order_by(col(TriggerRow.due).desc())
        .with_for_update(key_share=True)
    )
    return (await session.execute(query)).scalars().all()


async def approve(session: AsyncSession, asking: Asking, until: datetime, now: datetime) -> list[TriggerRow]:
    """The fires up to `until` that are executed after all, by due; the others are missed for good.

    Of more than the schedule's cap the latest are executed. Ranges are counted out by the present rule.
    The workflows are the caller's to start, after the commit.
    """
    left = min(CAP, asking.schedule.catchup.cap or CAP)
    approved: list[TriggerRow] = []
    for row in await awaiting(session, asking.target.schedule.id, until):
        dues = asking.dues(row, left, now)
        left -= len(dues)
        rows = _taken_out(asking, row, dues, now)
        session.add_all(rows)
        approved += rows
    await session.flush()
    return sorted(approved, key=lambda row: row.due)


def _taken_out(asking: Asking, row: TriggerRow, dues: Sequence[datetime], now: datetime) -> list[TriggerRow]:
    """Rows of their own for the last fires of a row; what is left of it stays missed."""
    terms = replace(terms_of(asking.schedule, asking.compiled, asking.target.schedule.id), deadline=None)
    behind = row.number + row.count
    taken = [_of_its_own(asking, row, due, now) for due in dues]
    for number, one in enumerate(taken, behind - len(taken)):
        one.number, one.inputs, one.reason = number, row.inputs, APPROVED
        on_terms(one, terms)
    if row not in taken:
        row.reason, row.count = CAUGHT_UP, max(row.count - len(taken), 1)
        last = asking.compiled.latest(row.due, dues[0] - TICK, 1) if dues else (row.until,)
        row.until = last[0] if last else None
    return taken


def _of_its_own(asking: Asking, row: TriggerRow, due: datetime, now: datetime) -> TriggerRow:
    """The row of one fire; its range's own, if it was the first."""
    if due != row.due:
        return row_of(asking.target, due, now, TriggerState.SCHEDULED)
    row.state, row.count, row.until, row.finished_at = TriggerState.SCHEDULED, 1, None, None
    row.generation, row.action_version = asking.target.schedule.generation, asking.target.action.version
    row.priority = asking.target.action.priority
    row.workflow_id, row.allocated_at = again(row.workflow_id, row.generation), now
    return row
