"""Wall times around every change of clocks that any zone had since 1975 or will have until 2037."""

import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import get_args

import pytest

from cronny.scheduling.walltime import Clocks, Gap, Overlap
from dsl.zones import zone
from tests.scheduling.changes import Change, changes

SECOND = timedelta(seconds=1)
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


def test_the_changes_are_many_and_of_both_sorts() -> None:
    sorts = [change.is_gap for name in ZONES for change in _changes(name)]
    assert min(sorts.count(True), sorts.count(False)) > 10_000


@cache
def _changes(name: str) -> tuple[Change, ...]:
    return tuple(changes(zone(name)))


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
