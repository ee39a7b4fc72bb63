"""Backfills: count, start, follow, cancel."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from api.backfills import cancel_backfill, list_backfills, show_backfill, start_backfill
from api.body import SentBody, documented
from api.caller import COMMON, KnownCaller
from api.names import KnownName
from api.problem import refusals
from api.requests import BackfillRequest
from api.views.backfill import BackfillPlan, BackfillView
from api.views.listing import Listing

_MISSING = refusals(HTTPStatus.NOT_FOUND)

router = APIRouter(prefix="/v1/schedules", tags=["backfills"], responses=refusals(*COMMON))


@router.post(
    "/{name}/backfills",
    responses={
        201: {"model": BackfillView, "description": "Started"},
        **_MISSING,
        **refusals(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    },
    openapi_extra=documented(BackfillRequest),
)
async def start(
    caller: KnownCaller, name: KnownName, body: SentBody, response: Response
) -> BackfillPlan | BackfillView:
    """Execute the fires of a range of the past, whatever the ledger says of them; a dry run counts them.

    Each gets a ledger row of its own beside that of the fire itself, with the nominal due and the backfill's
    id. They are executed with the action's present version, paused or not.
    """
    found = await start_backfill(caller, name, body)
    if isinstance(found, BackfillView):
        response.status_code = HTTPStatus.CREATED
    return found


@router.get("/{name}/backfills", responses=_MISSING)
async def get_all(caller: KnownCaller, name: KnownName) -> Listing[BackfillView]:
    """The backfills of a schedule, the latest first."""
    return await list_backfills(caller, name)


@router.get("/{name}/backfills/{backfill}", responses=_MISSING)
async def get(caller: KnownCaller, name: KnownName, backfill: str) -> BackfillView:
    """A backfill and how far it has come."""
    return await show_backfill(caller, name, backfill)


@router.post("/{name}/backfills/{backfill}/cancel", responses={**_MISSING, **refusals(HTTPStatus.CONFLICT)})
async def cancel(caller: KnownCaller, name: KnownName, backfill: str) -> BackfillView:
    """Leave out what has not begun; what executes goes on."""
    return await cancel_backfill(caller, name, backfill)
