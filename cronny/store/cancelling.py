"""Ending triggers because somebody asks for it."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import Conflict, NotFound
from cronny.store.ends import ending, freed_by, hold_of
from cronny.store.records import fail_open
from cronny.store.tables import Tenant, TriggerRow, TriggerState

REQUESTED = "requested"  # the reason of what was asked to end, in order
KILLED = "killed"  # the reason of what was ended at once
_ERROR: dict[str, JsonValue] = {"code": "cancelled", "message": "the trigger was ended by force"}


@dataclass(frozen=True)
class Cancelling:
    """What is left to do about a trigger that is to end."""

    row: TriggerRow
    is_settled: bool  #: The ledger says so already; otherwise its workflow will, once it has cleaned up.
    waiting: tuple[str, ...] = ()  #: The workflows that wait for its end.


async def cancel_trigger(
    session: AsyncSession, tenant: Tenant, trigger_id: str, now: datetime, *, is_forced: bool
) -> Cancelling:
    """Settle a trigger that has not begun, or that is ended by force; raises NotFound, and Conflict."""
    row = await _locked(session, tenant, trigger_id)
    match row.state:
        case TriggerState.SCHEDULED:
            return await _settled(session, row, REQUESTED, now)
        case TriggerState.EXECUTING if is_forced:
            await fail_open(session, [row.id], _ERROR, now)
            return await _settled(session, row, KILLED, now)
        case TriggerState.EXECUTING:
            return Cancelling(row, False)
        case TriggerState.COMPLETED if row.reason == "started":  # It counts as completed and goes on.
            if is_forced:
                await fail_open(session, [row.id], _ERROR, now)
            return Cancelling(row, is_forced)
        case TriggerState.CANCELLED if is_forced and row.reason == KILLED:
            return Cancelling(row, True)  # Temporal may not have heard of it.
    raise Conflict(f"the trigger has ended already: it is {row.state.value}")


async def _locked(session: AsyncSession, tenant: Tenant, trigger_id: str) -> TriggerRow:
    """The row, locked behind what its end concerns, as claims and ends lock them."""
    found = (await ending(session, [trigger_id])).get(trigger_id)
    if found is None or found.tenant_id != tenant.id:
        raise NotFound(f"there is no trigger '{trigger_id}'")
    await hold_of(session, [found])
    query = select(TriggerRow).where(col(TriggerRow.id) == trigger_id).with_for_update(key_share=True)
    return (await session.execute(query)).scalar_one()


async def _settled(session: AsyncSession, row: TriggerRow, reason: str, now: datetime) -> Cancelling:
    row.state, row.reason, row.finished_at = TriggerState.CANCELLED, reason, now
    await session.flush()
    return Cancelling(row, True, await freed_by(session, row))
