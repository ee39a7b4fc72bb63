"""Events that recur, against dateutil's rrule."""

from datetime import date, datetime, time, timedelta
from typing import Any

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cronny.calendars.lines import Line
from cronny.calendars.rules import read_rule

FREQUENCIES = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
HORIZON = timedelta(days=3 * 366)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, list[str]]:
    """The parts of an RRULE."""
    frequency = draw(st.sampled_from(sorted(FREQUENCIES)))
    # dateutil wants a day to be both where some of the days have a place and others have none.
    has_places = frequency in {"MONTHLY", "YEARLY"} and draw(st.booleans())
    nth = st.sampled_from(["1", "-1", "3", "-2"] if has_places else [""])
    day = st.builds("{}{}".format, nth, st.sampled_from(DAYS))
    parts: dict[str, st.SearchStrategy[list[Any]]] = {
        "INTERVAL": st.lists(st.integers(1, 7), min_size=1, max_size=1),
        "BYMONTH": st.lists(st.integers(1, 12), max_size=3, unique=True),
        "BYMONTHDAY": st.lists(st.sampled_from([1, 13, 28, 31, -1, -5]), max_size=3, unique=True),
        "BYDAY": st.lists(day, max_size=3, unique=True),
        "BYSETPOS": st.lists(st.sampled_from([1, 2, -1, -3]), max_size=2, unique=True),
        "WKST": st.lists(st.sampled_from(DAYS), max_size=1),
    }
    found = {name: [str(value) for value in draw(values)] for name, values in parts.items()}
    if frequency == "WEEKLY" or not (found["BYMONTHDAY"] or found["BYDAY"]):
        # dateutil wants another part beside it, and counts the first week from its start only.
        found["BYSETPOS"] = []
    return {"FREQ": [frequency], **{name: values for name, values in found.items() if values}}


@settings(max_examples=200, deadline=None)
@given(rules(), st.dates(date(1999, 1, 1), date(2030, 12, 31)), st.integers(0, 60))
def test_an_event_begins_on_the_days_that_dateutil_gives(
    parts: dict[str, list[str]], start: date, count: int
) -> None:
    last = start + HORIZON
    text = ";".join(f"{name}={','.join(values)}" for name, values in parts.items())
    rule = read_rule(Line(1, f"RRULE:{text}"), start)
    # Without a later day dateutil looks for one up to the year 9999.
    assume(any(rule.begins(last, last + 4 * HORIZON)))
    assert list(rule.begins(start, last))[:count] == oracle(parts, start, last)[:count]


def oracle(parts: dict[str, list[str]], start: date, last: date) -> list[date]:
    numbers = {name: [int(value) for value in parts.get(name, ())] or None for name in (
        "BYMONTH", "BYMONTHDAY", "BYSETPOS",
    )}  # fmt: skip
    found = rrule(
        FREQUENCIES[parts["FREQ"][0]],
        dtstart=datetime.combine(start, time.min),
        interval=int(parts["INTERVAL"][0]),
        wkst=DAYS.index(parts.get("WKST", ["MO"])[0]),
        until=datetime.combine(last, time.min),
        bymonth=numbers["BYMONTH"],
        bymonthday=numbers["BYMONTHDAY"],
        bysetpos=numbers["BYSETPOS"],
        byweekday=[_weekday(text) for text in parts.get("BYDAY", ())] or None,
    )
    return [each.date() for each in found]


def _weekday(text: str) -> weekday:
    return weekday(DAYS.index(text[-2:]), int(text[:-2] or 0) or None)
