"""Calendar rules against models that look at every day, and at every minute."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from cronny.scheduling import compile_schedule
from cronny.scheduling.walltime import Gap, Overlap
from dsl.recurrence import LAST, WORKDAYS, BusinessDay, Day, MonthDay, Period, Weekday
from dsl.schedule import Schedule
from dsl.zones import zone
from tests.scheduling.changes import Change, changes
from tests.scheduling.strategies import ZONES, dates, days_of, patient, periods

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CHANGES = [change for name in ZONES for change in changes(zone(name))]


@patient
@given(st.data(), periods, dates, dates)
def test_a_rule_fires_on_the_days_that_match_one_by_one(
    data: st.DataObject, period: Period, origin: date, begin: date
) -> None:
    on = data.draw(days_of(period))
    compiled = compile_schedule(Schedule(every=period, on=on, at=(time(0),)), _midnight(origin))
    end = begin + timedelta(days=1500)
    dues = compiled.between(_midnight(begin) - MINUTE, _midnight(end))
    days = [begin + DAY * number for number in range(1501)]
    assert [due.date() for due in dues] == [day for day in days if _fires_on(day, period, on, origin)]


@patient
@given(
    st.sampled_from(CHANGES),
    st.lists(st.integers(-200, 200), min_size=1, max_size=3),
    st.sampled_from(get_args(Gap)),
    st.sampled_from(get_args(Overlap)),
)
def test_a_daily_rule_fires_at_the_minutes_its_clocks_show(
    change: Change, offsets: list[int], gap: Gap, overlap: Overlap
) -> None:
    times = {(change.walls[0] + MINUTE * offset).time() for offset in offsets}
    schedule = Schedule(
        every=Period(1, "day"), at=tuple(times), timezone=change.zone.key, dst_gap=gap, dst_overlap=overlap
    )  # fmt: skip
    begin, end = change.instant - 2 * DAY, change.instant + 2 * DAY
    dues = list(compile_schedule(schedule, begin).between(begin, end))
    assert dues == [due for due in _seen(change, times, gap, overlap) if begin < due <= end]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def _fires_on(day: date, period: Period, on: tuple[Day, ...], origin: date) -> bool:
    return _periods_between(origin, day, period) % period.step == 0 and (
        not on or any(_is(each, day) for each in on)
    )


def _periods_between(origin: date, day: date, period: Period) -> int:
    match period.unit:
        case "day":
            return (day - origin).days
        case "week":
            return ((day - day.weekday() * DAY) - (origin - origin.weekday() * DAY)).days // 7
        case "month":
            return (day.year - origin.year) * 12 + day.month - origin.month
        case "year":
            return day.year - origin.year


def _is(wanted: Day, day: date) -> bool:
    if isinstance(wanted, Weekday):
        return day.weekday() == wanted.number
    if wanted.month not in {0, day.month}:
        return False
    is_last = wanted.nth == LAST if not isinstance(wanted, MonthDay) else wanted.day == LAST
    month = [each for number in range(-31, 32) if (each := day + DAY * number).month == day.month]
    weekdays = WORKDAYS if isinstance(wanted, BusinessDay) else getattr(wanted, "weekdays", ())
    if isinstance(wanted, MonthDay):
        return day == max(month) if is_last else day.day == wanted.day
    fitting = [each for each in month if each.year == day.year and each.weekday() in weekdays]
    return day in (fitting[-1:] if is_last else fitting[wanted.nth - 1 : wanted.nth])


def _seen(change: Change, times: set[time], gap: Gap, overlap: Overlap) -> list[datetime]:
    """What somebody sees who looks at the clocks every minute, four days before and after the change."""
    looks = [change.instant + MINUTE * number for number in range(-4 * 1440, 4 * 1440)]
    shown = [(look, _clock(look, change.zone)) for look in looks]
    seen = defaultdict(list)
    for look, wall in shown:
        if wall.time() in times:
            seen[wall].append(look)
    chosen = {"first": slice(0, 1), "last": slice(-1, None), "both": slice(None)}[overlap]
    dues = {due for looks in seen.values() for due in looks[chosen]}
    if gap == "next":
        dues |= {look for (_, before), (look, wall) in pairwise(shown) if _jumps_over(times, before, wall)}
    return sorted(dues)


def _clock(instant: datetime, place: ZoneInfo) -> datetime:
    return instant.astimezone(place).replace(tzinfo=None)


def _jumps_over(times: set[time], before: datetime, after: datetime) -> bool:
    missing = (after - before) // MINUTE
    return any((before + MINUTE * number).time() in times for number in range(1, missing))
