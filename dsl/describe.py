"""A schedule's rule in plain language; reading it gives an equal rule."""

from datetime import datetime, time, timedelta

from dsl.recurrence import (
    WORKDAYS,
    Day,
    Every,
    Period,
    Weekday,
    clock_parts,
    days_text,
    exclusions_text,
    joined,
    moment_text,
    time_text,
)
from dsl.schedule import Schedule

_ROLLS = {
    "next": "moved to the next business day",
    "previous": "moved to the previous business day",
    "modified_following": "moved to the next business day in the month",
}


def describe(schedule: Schedule) -> str:
    """The rule of a schedule as a phrase, such as `every week on monday at 09:00 Europe/London`."""
    parts = [*_when(schedule)]
    if schedule.start is not None:
        parts.append(f"starting {moment_text(schedule.start)}")
    if schedule.end is not None:
        parts.append(f"until {moment_text(schedule.end)}")
    if schedule.count is not None:
        parts.append(f"{schedule.count} times")
    parts += _left_out(schedule)
    if schedule.timezone != "UTC":
        parts.append(schedule.timezone)
    return " ".join(parts)


def _left_out(schedule: Schedule) -> list[str]:
    calendars = schedule.calendars
    texts = [exclusions_text((each,)) for each in schedule.exclude]
    texts += [f"calendar {name}" for name in calendars.excluded]
    parts = [f"except {joined(texts)}"] if texts else []
    if calendars.only:
        parts.append(f"only on {joined([f'calendar {name}' for name in calendars.only])}")
    return parts + ([_ROLLS[calendars.roll]] if calendars.roll != "skip" else [])


def _when(schedule: Schedule) -> list[str]:
    match schedule.at:
        case datetime():
            text = moment_text(schedule.at)
            return [text if schedule.at.tzinfo else text.replace("T", " ")]
        case timedelta():
            return [f"in {_clock(schedule.at)}"]
        case tuple():
            return [_every(schedule.every, schedule.on), _times(schedule.at)]
    return [_every(schedule.every, ())]


def _every(every: Every | None, days: tuple[Day, ...]) -> str:
    if isinstance(every, timedelta):
        return f"every {_interval(every)}"
    if every == Period(1, "week") and days == tuple(Weekday(number) for number in WORKDAYS):
        return "every weekday"
    return f"every {every} on {days_text(days)}" if days else f"every {every}"


def _times(times: tuple[time, ...]) -> str:
    return f"at {joined([time_text(each) for each in times])}"


def _interval(interval: timedelta) -> str:
    text = _clock(interval)
    return text.removeprefix("1 ") if text.count(" ") == 1 else text


def _clock(interval: timedelta) -> str:
    return " ".join(f"{number} {unit}{'s' if number > 1 else ''}" for number, unit in clock_parts(interval))
