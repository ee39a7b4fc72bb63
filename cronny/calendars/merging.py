"""The events of an iCalendar file together."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from cronny.calendars.content import FIRST_YEAR, MAX_DAYS, IcalContent
from cronny.calendars.events import Covered
from cronny.calendars.recurring import Recurring

MAX_RECURRING = 200  # events; each costs up to 0.2 ms for each year that is looked at
MOST_A_YEAR = 3660  # days that those cover in one year, counted as often as they are covered


def merge(events: Sequence[Covered]) -> IcalContent:
    """The dates that all of them cover; raises LineError when they are too many."""
    replaced: dict[str, set[date]] = {}
    for event in events:
        if event.replaces is not None:
            replaced.setdefault(event.uid, set()).add(event.replaces)
    return IcalContent(days=_days(events), recurring=tuple(_recurring(events, replaced)))


def _days(events: Sequence[Covered]) -> dict[date, str]:
    days: dict[date, str] = {}
    for event in events:
        for first, length in event.spans:
            for number in range(length):
                days.setdefault(first + timedelta(days=number), event.name)
        if len(days) > MAX_DAYS:
            raise event.line.error("document", f"more than {MAX_DAYS} dates", "split the calendar", "limit")
    return days


def _recurring(events: Sequence[Covered], replaced: dict[str, set[date]]) -> Iterator[Recurring]:
    count = covered = 0
    for event in events:
        if event.recurring is None:
            continue
        count += 1
        if count > MAX_RECURRING:
            what = f"more than {MAX_RECURRING} events that recur"
            raise event.line.error("document", what, "split the calendar", "limit")
        left_out = tuple(sorted({*event.recurring.left_out, *replaced.get(event.uid, ())}))
        recurring = event.recurring.model_copy(update={"left_out": left_out})
        year = max(recurring.start.year + 1, FIRST_YEAR)
        covered += sum(1 for _ in islice(recurring.covers(date(year, 1, 1), date(year, 12, 31)), MOST_A_YEAR))
        if covered > MOST_A_YEAR:
            what = f"the events that recur cover more than {MOST_A_YEAR} days a year"
            raise event.line.error("document", what, "split the calendar", "limit")
        yield recurring
