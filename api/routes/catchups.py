"""Catch-up as a plan: show, approve, decline."""

from http import HTTPStatus

from fastapi import APIRouter

from api.body import OptionalBody, documented
from api.caller import COMMON, KnownCaller
from api.catchups import approve_catchup, decline_catchup, show_catchup
from api.names import KnownName
from api.outbox import SentAfter
from api.problem import refusals
from api.requests import ApproveRequest, DeclineRequest
from api.views.catchup import CatchupDone, CatchupPlan

_REFUSED = refusals(
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)

router = APIRouter(prefix="/v1/schedules", tags=["schedules"], responses=refusals(*COMMON))


@router.get("/{name}/catchup", responses=refusals(HTTPStatus.NOT_FOUND))
async def get_plan(caller: KnownCaller, name: KnownName) -> CatchupPlan:
    """The fires that were missed and wait for an approval: those of a schedule with `catchup: ask`."""
    return await show_catchup(caller, name)


@router.post(
    "/{name}/catchup/approve",
    responses=_REFUSED,
    openapi_extra=documented(ApproveRequest, is_required=False),
)
async def approve(caller: KnownCaller, name: KnownName, body: OptionalBody, outbox: SentAfter) -> CatchupDone:
    """Execute what waits now, each fire as a trigger of its own.

    What the schedule's `window` and `cap` leave out, or all but the latest with `last_only`, stays missed.
    """
    return await approve_catchup(caller, outbox, name, body)


@router.post(
    "/{name}/catchup/decline",
    responses=_REFUSED,
    openapi_extra=documented(DeclineRequest, is_required=False),
)
async def decline(caller: KnownCaller, name: KnownName, body: OptionalBody) -> CatchupDone:
    """Leave what waits missed for good."""
    return await decline_catchup(caller, name, body)
