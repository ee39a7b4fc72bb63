"""A trigger's live news, and its log."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from starlette.responses import PlainTextResponse, Response

from api.caller import COMMON, KnownCaller
from api.follow.streams import EventStream, Streams
from api.following import follow_trigger, read_log, streams_of
from api.problem import refusals

router = APIRouter(prefix="/v1/triggers", tags=["triggers"], responses=refusals(*COMMON))

OpenStreams = Annotated[Streams, Depends(streams_of)]
OnlyStages = Annotated[
    list[str],
    Query(max_length=200, description="Only of this stage, and of the trigger; several are allowed."),
]
OfStage = Annotated[str | None, Query(description="Only of this stage, whose lines then stand alone.")]
OfItem = Annotated[int | None, Query(ge=0, le=10**9, description="Of this item of the stage.")]
LastId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID", description="The `id` of the last event that came: only what is new since."
    ),
]
Follow = Annotated[bool, Query(description="`false`: only what there is now.")]


@router.get(
    "/{trigger_id}/events",
    response_class=EventStream,
    responses={
        204: {"description": "The trigger has ended, and all of it was sent: do not come back"},
        **refusals(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS),
    },
)
async def get_events(
    caller: KnownCaller,
    streams: OpenStreams,
    trigger_id: str,
    stage: OnlyStages = [],  # noqa: B006  # FastAPI copies it
    follow: Follow = True,
    last_event_id: LastId = None,
) -> Response:
    """Follow a trigger live, as Server-Sent Events: `state`, `log`, and `end` when nothing more will come."""
    return await follow_trigger(caller, streams, trigger_id, stage, last_event_id, follows=follow)


@router.get(
    "/{trigger_id}/log",
    response_class=PlainTextResponse,
    responses=refusals(HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
)
async def get_log(
    caller: KnownCaller, trigger_id: str, stage: OfStage = None, item: OfItem = None
) -> Response:
    """What a trigger's stages have logged, as text; of all of them, each line behind its stage."""
    return await read_log(caller, trigger_id, stage, item)
