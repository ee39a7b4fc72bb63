"""What operators asked of single fires, applied to the rows of the ledger."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import ScalarSelect, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.names import instant_text
from cronny.store.tables import ChangeKind, FireChange, ScheduleRow, TriggerRow, TriggerState

OPERATOR = "operator"  # the reason of a fire that somebody asked to leave out


async def apply_changes(
    session: AsyncSession, schedule: ScheduleRow, rows: Iterable[TriggerRow], now: datetime
) -> None:
    """Make rows that are about to be written what operators asked of their fires."""
    fires = {row.due: row for row in rows if row.state is TriggerState.SCHEDULED}
    for change in await _changes_at(session, schedule, list(fires)):
        apply(change, fires[change.due], now)


def apply(change: FireChange, row: TriggerRow, now: datetime) -> None:
    """Make an unclaimed row what a change asks."""
    match change.kind:
        case ChangeKind.SKIP:
            row.state, row.reason, row.finished_at = TriggerState.SKIPPED, OPERATOR, now
        case ChangeKind.INPUTS:
            row.inputs = change.inputs
        case ChangeKind.MOVE if change.moved_to is not None:
            plan(row, change.moved_to)


def details_of(change: FireChange) -> dict[str, JsonValue]:
    """What an event says of a change."""
    details: dict[str, JsonValue] = {"due": instant_text(change.due)}
    if change.moved_to is not None:
        details["moved_to"] = instant_text(change.moved_to)
    return details


def plan(row: TriggerRow, start: datetime) -> None:
    """Let a row start at another instant; its deadline moves with it."""
    if row.start_by is not None:
        row.start_by += start - row.planned
    row.planned = start


def moved_dues(schedule_id: str) -> ScalarSelect[datetime]:
    """The dues of a schedule that were moved."""
    query = select(col(FireChange.due)).where(
        col(FireChange.schedule_id) == schedule_id, col(FireChange.kind) == ChangeKind.MOVE
    )
    return query.scalar_subquery()


async def forget_changes(session: AsyncSession, schedule: ScheduleRow) -> None:
    """Drop what was asked of the fires of a schedule that is taken away."""
    await session.execute(delete(FireChange).where(col(FireChange.schedule_id) == schedule.id))
    schedule.has_changes = False


async def _changes_at(
    session: AsyncSession, schedule: ScheduleRow, dues: Sequence[datetime]
) -> Sequence[FireChange]:
    if not dues:
        return ()
    query = select(FireChange).where(
        col(FireChange.schedule_id) == schedule.id,
        col(FireChange.due) >= min(dues),
        col(FireChange.due) <= max(dues),
    )
    return [change for change in (await session.execute(query)).scalars() if change.due in set(dues)]
