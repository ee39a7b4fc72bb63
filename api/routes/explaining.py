"""Schedules, looked back at: why, and how well."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from api.caller import COMMON, KnownCaller
from api.instants import GivenInstant
from api.names import KnownName
from api.problem import refusals
from api.statistics import show_statistics
from api.views.statistics import StatisticsView
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

Since = Annotated[
    GivenInstant | None,
    Query(alias="from", description="Only dues at or after this instant; 7 days ago, unless given."),
]
Until = Annotated[
    GivenInstant | None, Query(alias="to", description="Only dues before this instant; now, unless given.")
]


@router.get("/{name}/why")
async def why(caller: KnownCaller, name: KnownName, at: At) -> WhyView:
    """Why the schedule fired at some time, did not, or will: in a sentence, and what that rests on.

    A day or a minute finds the fire within it. Schedules that were deleted are explained as well.
    """
    return await explain_schedule(caller, name, at)


@router.get("/{name}/stats")
async def stats(
    caller: KnownCaller, name: KnownName, since: Since = None, until: Until = None
) -> StatisticsView:
    """How well the schedule's fires went: states, success rate, lateness, duration and the last failure.

    Of a longer range the latest 10 000 rows are looked at. Triggers by hand are left out.
    """
    return await show_statistics(caller, name, since, until)
