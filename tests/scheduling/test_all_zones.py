"""Wall times around every change of clocks that any zone had since 1975 or will have until 2037."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import get_args

import pytest

from cronny.scheduling.bounds import Bounds
from cronny.scheduling.calendar import Calendar
from cronny.scheduling.days import Days
from cronny.scheduling.walltime import Clocks, Gap, Overlap
from dsl.recurrence import Period
from dsl.zones import zone
from tests.scheduling.changes import Change, changes

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
# Times around midnight and in the night, when clocks are changed.
SECONDS = (0, 1800, 3599, 5400, 7200, 82800, 86399)
TIMES = [number * SECOND for number in SECONDS]
EVERY_DAY = Days(Period(1, "day"), (), date(2026, 1, 1))
ZONES = sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})


@pytest.mark.parametrize("name", ZONES)
def test_a_wall_time_in_any_gap_is_the_end_of_the_gap_or_none(name: str) -> None:
    for change in _changes(name):
        if change.is_gap:
            read = [_by_gap(change, wall) for wall in _inside(change)]
            assert read == [{"next": (change.instant,), "skip": ()}] * 4


@pytest.mark.parametrize("name", ZONES)
def test_a_wall_time_in_any_overlap_is_either_instant_or_both(name: str) -> None:
    for change in _changes(name):
        if not change.is_gap:
            read = [_by_overlap(change, wall) for wall in _inside(change)]
            assert read == [_twice(change, wall) for wall in _inside(change)]


@pytest.mark.parametrize("name", ZONES)
def test_wall_times_beside_any_change_are_one_instant(name: str) -> None:
    for change in _changes(name):
        first, end = change.walls
        clocks = Clocks(change.zone, "skip", "both")
        read = (clocks.instants(first - SECOND), clocks.instants(end))
        assert read == ((_utc(first - SECOND, change.before),), (_utc(end, change.after),))


@pytest.mark.parametrize("name", ZONES)
def test_a_rule_fires_around_any_change_at_the_instants_of_its_wall_times(name: str) -> None:
    for change in _changes(name):
        begin, end = change.instant - DAY, change.instant + DAY
        clocks = Clocks(change.zone, "next", "both")
        calendar = Calendar(EVERY_DAY, SECONDS, clocks, Bounds(begin - 9 * DAY, end + 9 * DAY))
        walls = [_midnight(begin.date() + number * DAY) + at for number in range(-1, 5) for at in TIMES]
        expected = {due for wall in walls for due in clocks.instants(wall) if begin < due <= end}
        assert list(calendar.between(begin, end)) == sorted(expected)


def test_some_gaps_begin_at_midnight_and_some_end_there() -> None:
    walls = [change.walls for name in ZONES for change in _changes(name) if change.is_gap]
    assert {time(0)} < {first.time() for first, _ in walls}
    assert time(0) in {end.time() for _, end in walls}


def test_the_changes_are_many_and_of_both_sorts() -> None:
    sorts = [change.is_gap for name in ZONES for change in _changes(name)]
    assert min(sorts.count(True), sorts.count(False)) > 10_000


@cache
def _changes(name: str) -> tuple[Change, ...]:
    return tuple(changes(zone(name)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0))


def _inside(change: Change) -> list[datetime]:
    first, end = change.walls
    return [first, first + SECOND, first + (end - first) / 2, end - SECOND]


def _by_gap(change: Change, wall: datetime) -> dict[Gap, tuple[datetime, ...]]:
    return {gap: Clocks(change.zone, gap).instants(wall) for gap in get_args(Gap)}


def _by_overlap(change: Change, wall: datetime) -> dict[Overlap, tuple[datetime, ...]]:
    return {overlap: Clocks(change.zone, "next", overlap).instants(wall) for overlap in get_args(Overlap)}


def _twice(change: Change, wall: datetime) -> dict[Overlap, tuple[datetime, ...]]:
    first, last = _utc(wall, change.before), _utc(wall, change.after)
    return {"first": (first,), "last": (last,), "both": (first, last)}


def _utc(wall: datetime, offset: timedelta) -> datetime:
    return (wall - offset).replace(tzinfo=UTC)
