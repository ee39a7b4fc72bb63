"""Calls of the secret URLs of stages that wait."""

from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import Conflict, NotFound
from cronny.store.row_security import narrow
from cronny.store.tables import EventKind, TriggerRow
from cronny.store.wait_tables import WaitRow
from cronny.store.waits import Mark, is_over, note_wait


async def answer_wait(session: AsyncSession, digest: str, value: JsonValue, now: datetime) -> str:
    """Answer the wait whose token has this digest; the workflow to tell. Raises NotFound and Conflict."""
    query = select(WaitRow).where(col(WaitRow.digest) == digest).with_for_update()
    row = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound("there is nothing here")
    await narrow(session, row.tenant_id)  # it was known by its token only
    trigger = await session.get(TriggerRow, row.trigger_id)
    if trigger is None:
        raise NotFound("there is nothing here")
    if row.answered_at is not None:
        raise Conflict("this URL was called already; it works once")
    if row.closed_at is not None or now >= row.until or is_over(trigger):
        raise Conflict("nobody waits for this call any more")
    row.answers, row.answered_at = value, now
    await note_wait(session, row, Mark(EventKind.WAIT_CALLED, "webhook", now))
    return row.workflow_id
