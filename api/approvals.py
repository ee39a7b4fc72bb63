"""What is done with approvals."""

import re

from api.body import Body
from api.caller import Caller
from api.cursor import read_cursor, write_cursor
from api.outbox import Outbox
from api.parts import Parts
from api.requests import NoteRequest
from api.views.approval import ApprovalView, view_approval
from api.views.listing import PageOf
from cronny.errors import NotFound
from cronny.links import ApprovalLink, read_link
from cronny.store.approvals import Approval, ApprovalState, Vote, tenant_of_approval
from cronny.store.row_security import narrow
from cronny.store.tenant_store import TenantStore

_ID = re.compile(r"wat_[a-z0-9]{1,60}", re.ASCII)


async def list_approvals(
    caller: Caller, is_open: bool, cursor: str | None, limit: int
) -> PageOf[ApprovalView]:
    """A page of the approvals, the latest first; raises Invalid for the cursor."""
    before = read_cursor(cursor) if cursor else None
    async with caller.read() as store:
        found = await store.approvals.page(is_open, before, limit + 1)
    views = [view_approval(one, store.now) for one in found[:limit]]
    last = found[limit - 1].row if len(found) > limit else None
    return PageOf(
        items=tuple(one for one in views if one.state is ApprovalState.WAITING or not is_open),
        next=write_cursor(last.opened_at, last.id) if last is not None else None,
    )


async def show_approval(caller: Caller, approval_id: str) -> ApprovalView:
    """One approval with its decisions; raises NotFound."""
    _require_id(approval_id)
    async with caller.read() as store:
        return view_approval(await store.approvals.get(approval_id), store.now)


async def decide(
    caller: Caller, outbox: Outbox, approval_id: str, is_approved: bool, body: Body
) -> ApprovalView:
    """Approve or reject as the key's name; raises NotFound, Forbidden and Conflict."""
    wanted = body.read_as(NoteRequest)
    _require_id(approval_id)
    vote = Vote(caller.actor, is_approved, wanted.note, "key")
    async with caller.write() as store:
        approval = await store.approvals.decide(approval_id, vote, store.now)
    _tell(outbox, approval)
    return view_approval(approval, store.now)


async def look_at_link(parts: Parts, token: str) -> tuple[ApprovalLink, ApprovalView]:
    """What a link is for, and how that stands; raises NotFound for one that is not ours or has expired."""
    link, now = _valid(parts, token), parts.clock()
    async with parts.database.read() as session:
        tenant = await tenant_of_approval(session, link.wait_id)
        await narrow(session, tenant.id)
        approval = await TenantStore(session, tenant, now).approvals.get(link.wait_id)
    return link, view_approval(approval, now)


async def follow_link(parts: Parts, outbox: Outbox, token: str, note: str) -> ApprovalView:
    """Decide what a link is for; raises NotFound, Forbidden and Conflict."""
    link, now = _valid(parts, token), parts.clock()
    vote = Vote(link.approver, link.decision == "approve", note, "link")
    async with parts.database.write() as session:
        tenant = await tenant_of_approval(session, link.wait_id)
        await narrow(session, tenant.id)
        approval = await TenantStore(session, tenant, now).approvals.decide(link.wait_id, vote, now)
    _tell(outbox, approval)
    return view_approval(approval, now)


def _require_id(text: str) -> None:
    if _ID.fullmatch(text) is None:
        raise NotFound("there is no such approval")


def _valid(parts: Parts, token: str) -> ApprovalLink:
    link = read_link(parts.keyring, token)
    if parts.clock() >= link.expires:
        raise NotFound("this link has expired")
    return link


def _tell(outbox: Outbox, approval: Approval) -> None:
    if approval.row.answered_at is not None:
        outbox.release(approval.row.workflow_id)
