"""Approvals: list, look at, decide."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.approvals import decide, list_approvals, show_approval
from api.body import OptionalBody, documented
from api.caller import COMMON, KnownCaller
from api.outbox import SentAfter
from api.problem import refusals
from api.requests import NoteRequest
from api.routes.triggers import Cursor, Limit
from api.views.approval import ApprovalView
from api.views.listing import PageOf

router = APIRouter(prefix="/v1/approvals", tags=["approvals"], responses=refusals(*COMMON))

Which = Annotated[
    Literal["waiting", "all"], Query(alias="state", description="Only those that wait for somebody, or all.")
]
_DECIDED = refusals(
    HTTPStatus.NOT_FOUND,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_NOTE = documented(NoteRequest, is_required=False)


@router.get("", responses=refusals(HTTPStatus.UNPROCESSABLE_ENTITY))
async def get_all(
    caller: KnownCaller, which: Which = "waiting", cursor: Cursor = None, limit: Limit = 50
) -> PageOf[ApprovalView]:
    """What waits for a decision, the latest first."""
    return await list_approvals(caller, which == "waiting", cursor, limit)


@router.get("/{approval_id}", responses=refusals(HTTPStatus.NOT_FOUND))
async def get(caller: KnownCaller, approval_id: str) -> ApprovalView:
    """An approval with its decisions."""
    return await show_approval(caller, approval_id)


@router.post("/{approval_id}/approve", responses=_DECIDED, openapi_extra=_NOTE)
async def approve(
    caller: KnownCaller, approval_id: str, body: OptionalBody, outbox: SentAfter
) -> ApprovalView:
    """Approve, in the name of the API key; it counts even while Temporal is away."""
    return await decide(caller, outbox, approval_id, True, body)


@router.post("/{approval_id}/reject", responses=_DECIDED, openapi_extra=_NOTE)
async def reject(
    caller: KnownCaller, approval_id: str, body: OptionalBody, outbox: SentAfter
) -> ApprovalView:
    """Reject, in the name of the API key; the stage fails with `approval.rejected`."""
    return await decide(caller, outbox, approval_id, False, body)
