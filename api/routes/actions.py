"""Actions: upload, look at, run, delete."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.actions import Upload, apply_action, list_actions, plan_action, run_action, show_action
from api.body import ANY_TEXT, OptionalBody, RawBody, documented
from api.caller import COMMON, KnownCaller
from api.deleting import Including, delete_action, plan_deletion
from api.names import KnownName, NewName
from api.outbox import SentAfter
from api.problem import refusals
from api.requests import ActionTest, RunRequest
from api.testing import check_by_trial
from api.views.action import ActionSummary, ActionView, AppliedAction
from api.views.listing import Listing
from api.views.trigger import TriggerView

DryRun = Annotated[bool, Query(description="Only say what would change.")]
Label = Annotated[str | None, Query(max_length=1000, description="Only those with this label, `name=value`.")]
WithSchedules = Annotated[
    Including,
    Query(
        description="Which schedules go with it: `own`, those written in its text, or `all` that trigger it."
    ),
]

router = APIRouter(prefix="/v1/actions", tags=["actions"], responses=refusals(*COMMON))


@router.put(
    "/{name}",
    responses={
        201: {"model": AppliedAction, "description": "Created"},
        **refusals(HTTPStatus.CONFLICT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY),
    },
    openapi_extra=ANY_TEXT,
)
async def put_action(
    caller: KnownCaller,
    name: NewName,
    raw: RawBody,
    outbox: SentAfter,
    response: Response,
    dry_run: DryRun = False,
) -> AppliedAction:
    """Upload an action, YAML or JSON, with the schedules written in it; the same text again changes nothing.

    A pause, whoever set it, stays: `paused` counts only for a schedule that is new. A dry run answers what
    the upload would change, fires included, or refuses it in the same way, and writes nothing.
    """
    if dry_run:
        return await plan_action(caller, name, Upload(raw))
    applied = await apply_action(caller, outbox, name, Upload(raw))
    if applied.change == "created":
        response.status_code = HTTPStatus.CREATED
    return applied


@router.get("", responses=refusals(HTTPStatus.UNPROCESSABLE_ENTITY))
async def get_actions(caller: KnownCaller, label: Label = None) -> Listing[ActionSummary]:
    """Every action, by name."""
    return await list_actions(caller, label)


@router.get("/{name}", responses=refusals(HTTPStatus.NOT_FOUND))
async def get_action(caller: KnownCaller, name: KnownName) -> ActionView:
    """An action with its newest text."""
    return await show_action(caller, name)


@router.post(
    "/{name}/run",
    status_code=HTTPStatus.ACCEPTED,
    responses=refusals(
        HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
    openapi_extra=documented(RunRequest, is_required=False),
)
async def post_run(
    caller: KnownCaller, name: KnownName, body: OptionalBody, outbox: SentAfter
) -> TriggerView:
    """Trigger an action now, without a schedule."""
    return await run_action(caller, outbox, name, body)


@router.post(
    "/{name}/test",
    status_code=HTTPStatus.ACCEPTED,
    responses=refusals(
        HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY
    ),
    openapi_extra=documented(ActionTest, is_required=False),
)
async def post_test(
    caller: KnownCaller, name: KnownName, body: OptionalBody, outbox: SentAfter
) -> TriggerView:
    """Execute an action without its side effects: what is given, or was recorded, stands in for them."""
    return await check_by_trial(caller, outbox, name, body)


@router.delete("/{name}", responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
async def delete(
    caller: KnownCaller,
    name: KnownName,
    outbox: SentAfter,
    with_schedules: WithSchedules = "none",
    dry_run: DryRun = False,
) -> AppliedAction:
    """Take an action away; refused while schedules trigger it, unless they are to go with it.

    What was triggered is executed to its end. The ledger, the events and the versions stay: an upload of the
    same name, or a rollback, goes on with them.
    """
    if dry_run:
        return await plan_deletion(caller, name, with_schedules)
    return await delete_action(caller, outbox, name, with_schedules)
