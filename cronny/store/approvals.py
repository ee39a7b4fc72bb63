"""The approvals that a tenant's stages wait for, and the decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue
from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from cronny.errors import Conflict, Forbidden, NotFound
from cronny.names import instant_text
from cronny.store.columns import storable
from cronny.store.tables import ActionRow, EventKind, Tenant, TriggerRow
from cronny.store.wait_tables import WaitRow
from cronny.store.waits import Mark, is_over, note_wait


class ApprovalState(StrEnum):
    """How an approval stands."""

    WAITING = "waiting"  #: Somebody may still decide.
    APPROVED = "approved"  #: As many as were needed have approved.
    REJECTED = "rejected"  #: Somebody has rejected.
    EXPIRED = "expired"  #: Nobody decided in time.
    WITHDRAWN = "withdrawn"  #: The trigger has ended meanwhile.


@dataclass(frozen=True)
class Approval:
    """An approval with the names of what it belongs to."""

    row: WaitRow
    trigger: TriggerRow | None  #: None once it was purged.
    action: str

    def state(self, now: datetime) -> ApprovalState:
        """How it stands at `now`."""
        decisions = decisions_of(self.row)
        if self.row.answered_at is not None:
            return ApprovalState(str(decisions[-1]["decision"]))
        if now >= self.row.until:
            return ApprovalState.EXPIRED
        if self.row.closed_at is not None or self.trigger is None or is_over(self.trigger):
            return ApprovalState.WITHDRAWN
        return ApprovalState.WAITING


@dataclass(frozen=True)
class Vote:
    """What somebody decides."""

    by: str
    is_approved: bool
    note: str
    via: str  #: `key` or `link`


class Approvals:
    """The approvals of one tenant."""

    def __init__(self, session: AsyncSession, tenant: Tenant) -> None:
        self._session = session
        self._tenant = tenant

    async def page(
        self, is_open: bool, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Approval]:
        """The latest approvals, those before the (opened, id) of the last one seen; maybe only open ones."""
        query = _approvals().where(col(WaitRow.tenant_id) == self._tenant.id)
        if is_open:
            query = query.where(col(WaitRow.closed_at).is_(None), col(WaitRow.answered_at).is_(None))
        if before is not None:
            query = query.where(tuple_(col(WaitRow.opened_at), col(WaitRow.id)) < before)
        query = query.order_by(col(WaitRow.opened_at).desc(), col(WaitRow.id).desc()).limit(limit)
        return [_approval(row) for row in await self._session.execute(query)]

    async def get(self, wait_id: str, is_locked: bool = False) -> Approval:
        """One approval; raises NotFound."""
        query = _approvals().where(col(WaitRow.tenant_id) == self._tenant.id, col(WaitRow.id) == wait_id)
        if is_locked:
            query = query.with_for_update(of=WaitRow)
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"there is no approval '{wait_id}'")
        return _approval(row)

    async def decide(self, wait_id: str, vote: Vote, now: datetime) -> Approval:
        """The approval after a decision; raises NotFound, Forbidden, and Conflict if it is too late."""
        approval = await self.get(wait_id, is_locked=True)
        row, decisions = approval.row, decisions_of(approval.row)
        if isinstance(row.approvers, list) and row.approvers and vote.by not in row.approvers:
            raise Forbidden(f"'{vote.by}' is not among the approvers of this stage")
        if any(one.get("by") == vote.by for one in decisions):
            raise Conflict(f"'{vote.by}' has decided already")
        if (state := approval.state(now)) is not ApprovalState.WAITING:
            raise Conflict(f"nothing is left to decide here: the approval is {state}")
        decision: dict[str, JsonValue] = {
            "decision": "approved" if vote.is_approved else "rejected", "by": vote.by,
            "at": instant_text(now), "note": storable(vote.note), "via": vote.via,
        }  # fmt: skip
        row.answers = [*decisions, decision]
        if not vote.is_approved or len(decisions) + 1 >= row.needed:
            row.answered_at = now
        kind = EventKind.APPROVAL_GIVEN if vote.is_approved else EventKind.APPROVAL_REFUSED
        await note_wait(self._session, row, Mark(kind, vote.by, now, vote.note, {"via": vote.via}))
        return approval


def decisions_of(row: WaitRow) -> list[dict[str, JsonValue]]:
    """What was decided so far, in order."""
    return [one for one in row.answers if isinstance(one, dict)] if isinstance(row.answers, list) else []


async def tenant_of_approval(session: AsyncSession, wait_id: str) -> Tenant:
    """Whose approval it is; raises NotFound."""
    query = select(Tenant).join(WaitRow, col(WaitRow.tenant_id) == col(Tenant.id))
    found = (await session.execute(query.where(col(WaitRow.id) == wait_id))).scalar_one_or_none()
    if found is None:
        raise NotFound("this link leads to nothing any more")
    return found


def _approvals() -> Select[WaitRow, TriggerRow, str]:
    return (
        select(WaitRow, TriggerRow, col(ActionRow.name).label("action"))
        .outerjoin(TriggerRow, col(TriggerRow.id) == col(WaitRow.trigger_id))
        .outerjoin(ActionRow, col(ActionRow.id) == col(TriggerRow.action_id))
        .where(col(WaitRow.kind) == "approval")
    )


def _approval(row: Row[WaitRow, TriggerRow, str]) -> Approval:
    return Approval(row.WaitRow, row.TriggerRow, row.action or "")
