"""How well a schedule's fires went."""

from datetime import datetime, timedelta

from api.caller import Caller
from api.views.statistics import StatisticsView, view_statistics
from cronny.errors import Invalid
from dsl.problems import Problem

WEEK = timedelta(days=7)


async def show_statistics(
    caller: Caller, name: str, since: datetime | None, until: datetime | None
) -> StatisticsView:
    """The statistics of a range of dues; raises NotFound, and Invalid for an empty range."""
    async with caller.read() as store:
        end = until or store.now
        begin = since or end - WEEK
        if begin >= end:
            raise Invalid([Problem("query.to", "lies before the beginning", "give a later `to`", "range")])
        schedule = await store.past.schedule(name)
        found = await store.past.statistics(schedule, begin, end)
        failed = await store.triggers.get(found.last_failure) if found.last_failure is not None else None
    return view_statistics(schedule.name, begin, end, found, failed)
