"""Versions of actions: list, show, compare, go back."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.body import OptionalBody, documented
from api.caller import COMMON, KnownCaller
from api.names import KnownName
from api.outbox import SentAfter
from api.problem import refusals
from api.requests import RollbackRequest
from api.routes.actions import DryRun
from api.routes.triggers import Cursor, Limit
from api.versions import diff_versions, list_versions, roll_back, show_version
from api.views.action import AppliedAction
from api.views.listing import PageOf
from api.views.version import DiffView, VersionSummary, VersionView

LAST = 2**31 - 1  # that a column of versions can hold

_REFUSED = refusals(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY)

router = APIRouter(prefix="/v1/actions/{name}", tags=["actions"], responses=refusals(*COMMON))

Number = Annotated[int, Path(ge=1, le=LAST, description="The version.")]
Before = Annotated[
    int | None,
    Query(
        alias="from",
        ge=1,
        le=LAST,
        description="The version to compare with; the one before `to`, unless given.",
    ),
]
After = Annotated[
    int | None,
    Query(alias="to", ge=1, le=LAST, description="The version to compare; the newest, unless given."),
]


@router.get("/versions", responses=_REFUSED)
async def get_versions(
    caller: KnownCaller, name: KnownName, cursor: Cursor = None, limit: Limit = 50
) -> PageOf[VersionSummary]:
    """The versions of an action, the latest first, also of one that was deleted."""
    return await list_versions(caller, name, cursor, limit)


@router.get("/versions/{number}", responses=_REFUSED)
async def get_version(caller: KnownCaller, name: KnownName, number: Number) -> VersionView:
    """One version with its text. It never changes; a trigger is executed with the one it was made for."""
    return await show_version(caller, name, number)


@router.get("/diff", responses={**_REFUSED, **refusals(HTTPStatus.CONFLICT)})
async def get_diff(
    caller: KnownCaller, name: KnownName, before: Before = None, after: After = None
) -> DiffView:
    """What two versions have otherwise: line by line, and part by part."""
    return await diff_versions(caller, name, before, after)


@router.post(
    "/rollback",
    responses={**_REFUSED, **refusals(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)},
    openapi_extra=documented(RollbackRequest, is_required=False),
)
async def post_rollback(
    caller: KnownCaller,
    name: KnownName,
    body: OptionalBody,
    outbox: SentAfter,
    dry_run: DryRun = False,
) -> AppliedAction:
    """Make the text of an older version the newest one, as if it were uploaded again, schedules included.

    It is checked as an upload is: what it names may be gone. An action that was deleted is there again.
    """
    return await roll_back(caller, outbox, name, body, dry_run)
