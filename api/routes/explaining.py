"""Schedules, looked back at: why, and how well."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from api.caller import COMMON, KnownCaller
from api.names import KnownName
from api.problem import refusals
from api.views.why import WhyView
from api.why import explain_schedule

router = APIRouter(
    prefix="/v1/schedules",
    tags=["schedules"],
    responses=refusals(*COMMON, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY),
)

At = Annotated[
    str,
    Query(
        max_length=64,
        description="An instant in RFC 3339, or a wall time or a day on the clocks of the schedule's zone.",
        examples=["2026-11-24T09:00:00Z", "2026-11-24 09:00", "2026-11-24"],
    ),
]


@router.get("/{name}/why")
async def why(caller: KnownCaller, name: KnownName, at: At) -> WhyView:
    """Why the schedule fired at some time, did not, or will: in a sentence, and what that rests on.

    A day or a minute finds the fire within it. Schedules that were deleted are explained as well.
    """
    return await explain_schedule(caller, name, at)
