"""What stages wait for: opened once, answered by people, programs or other triggers, closed once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import JsonValue
from sqlalchemy import Select, and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from cronny.store.events import ENGINE, Events
from cronny.store.tables import EventKind, TriggerRow, TriggerState
from cronny.store.wait_tables import WaitRow

ENDED = (
    TriggerState.COMPLETED,
    TriggerState.FAILED,
    TriggerState.CANCELLED,
    TriggerState.SKIPPED,
    TriggerState.MISSED,
)
OVERDUE = timedelta(seconds=5)  # after this its workflow should have taken an answer up
BATCH = 200  # waits of one look


@dataclass(frozen=True)
class Mark:
    """Something that happened to a wait."""

    kind: EventKind
    actor: str
    at: datetime
    note: str = ""
    details: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Unheard:
    """A wait whose workflow should have gone on, or whose trigger has ended."""

    row: WaitRow
    is_orphan: bool  #: Nothing of its trigger executes any more.


@dataclass(frozen=True)
class WaitKey:
    """Which stage of a trigger waits, or which of its items."""

    trigger_id: str
    stage_id: str
    item: int = -1


async def find_wait(session: AsyncSession, key: WaitKey, attempt: int) -> WaitRow | None:
    """What an attempt of a stage waits for, or waited."""
    query = _of(key).where(col(WaitRow.attempt) == attempt)
    return (await session.execute(query)).scalar_one_or_none()


async def lock_wait(session: AsyncSession, wait_id: str) -> WaitRow:
    """A wait, which nobody else changes until the commit."""
    query = select(WaitRow).where(col(WaitRow.id) == wait_id).with_for_update()
    return (await session.execute(query)).scalar_one()


async def last_wait(session: AsyncSession, key: WaitKey) -> WaitRow | None:
    """What the latest attempt of a stage waits for, or waited."""
    query = _of(key).order_by(col(WaitRow.attempt).desc()).limit(1)
    return (await session.execute(query)).scalar_one_or_none()


async def save_wait(session: AsyncSession, row: WaitRow) -> WaitRow:
    """Write a new wait."""
    session.add(row)
    await session.flush()
    return row


async def close_wait(session: AsyncSession, wait_id: str, now: datetime) -> WaitRow:
    """The wait, to which nobody can answer any more."""
    row = await lock_wait(session, wait_id)
    if row.closed_at is None:
        row.closed_at = now
        if row.kind == "approval" and row.answered_at is None:
            kind = EventKind.APPROVAL_EXPIRED if now >= row.until else EventKind.APPROVAL_WITHDRAWN
            await note_wait(session, row, Mark(kind, ENGINE, now))
    return row


async def withdraw_child(session: AsyncSession, row: WaitRow, now: datetime) -> TriggerRow | None:
    """The trigger that a wait has started, if it executes; one that has not begun is cancelled here."""
    query = select(TriggerRow).where(col(TriggerRow.id) == row.child_id).with_for_update(key_share=True)
    child = (await session.execute(query)).scalar_one_or_none() if row.child_id else None
    if child is not None and child.state is TriggerState.SCHEDULED:
        child.state, child.reason, child.finished_at = TriggerState.CANCELLED, "parent_ended", now
    return child if child is not None and child.state is TriggerState.EXECUTING else None


async def waiting_parents(session: AsyncSession, ids: Sequence[str]) -> dict[str, str]:
    """The workflow whose stage waits for a trigger, by the trigger's id."""
    query = select(col(WaitRow.child_id), col(WaitRow.workflow_id)).where(
        col(WaitRow.child_id).in_(ids), col(WaitRow.closed_at).is_(None)
    )
    return {row.child_id: row.workflow_id for row in await session.execute(query)} if ids else {}


async def unheard_waits(
    session: AsyncSession, now: datetime, after: tuple[datetime, str] | None = None
) -> Sequence[Unheard]:
    """The open waits that somebody should look after, by their end; those after an (until, id)."""
    trigger, child = aliased(TriggerRow), aliased(TriggerRow)
    late = now - OVERDUE
    is_gone = col(trigger.id).is_(None)
    has_ended = and_(col(trigger.state).in_(ENDED), col(trigger.complete_on) != "start")
    is_orphan = or_(is_gone, has_ended)
    query = (
        select(WaitRow, is_orphan.label("is_orphan"))
        .outerjoin(trigger, col(trigger.id) == col(WaitRow.trigger_id))
        .outerjoin(child, col(child.id) == col(WaitRow.child_id))
        .where(
            col(WaitRow.closed_at).is_(None),
            or_(
                col(WaitRow.answered_at) < late,
                col(WaitRow.until) < late,
                col(child.finished_at) < late,
                is_orphan,
            ),
        )
        .order_by(col(WaitRow.until), col(WaitRow.id))
        .limit(BATCH)
    )
    if after is not None:
        query = query.where(tuple_(col(WaitRow.until), col(WaitRow.id)) > after)
    return [Unheard(row.WaitRow, bool(row.is_orphan)) for row in await session.execute(query)]


def is_over(trigger: TriggerRow) -> bool:
    """Whether nothing of a trigger executes any more; one that completes on start may go on."""
    return trigger.state in ENDED and trigger.complete_on != "start"


async def note_wait(session: AsyncSession, row: WaitRow, mark: Mark) -> None:
    """Write down what happened to a wait."""
    trigger = await session.get(TriggerRow, row.trigger_id)
    details: dict[str, JsonValue] = {"wait": row.id, "stage": row.stage_id, **mark.details}
    await Events(session, row.tenant_id).add(
        mark.kind, action_id=trigger.action_id if trigger is not None else None,
        schedule_id=trigger.schedule_id if trigger is not None else None,
        trigger_id=row.trigger_id, actor=mark.actor, note=mark.note, details=details, now=mark.at,
    )  # fmt: skip


def _of(key: WaitKey) -> Select[WaitRow]:
    return select(WaitRow).where(
        col(WaitRow.trigger_id) == key.trigger_id,
        col(WaitRow.stage_id) == key.stage_id,
        col(WaitRow.item) == key.item,
    )
