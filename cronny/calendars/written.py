"""A calendar as people write it: `dates: [...]` or `holidays: {country: GB}`."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from pydantic import Field, JsonValue, StrictBool

from cronny.calendars.content import MAX_DAYS, Content, HolidaysContent, ListedContent, Part
from cronny.calendars.public import categories, countries
from dsl.document import Document, Path, read_document
from dsl.problems import Problem, did_you_mean, known_hint
from dsl.recurrence import FIRST_YEAR, LAST_YEAR
from dsl.report import EnoughError, Report
from dsl.shapes import check_shape

NAME_WIDTH = 200  # characters of a date's name that are kept


class NamedDates(Part):
    """A date, or all dates of a range, with a name."""

    date: str | None = None
    first: str | None = Field(None, alias="from")
    last: str | None = Field(None, alias="to")
    name: str = Field("", max_length=NAME_WIDTH)


class CountryHolidays(Part):
    """Whose public holidays."""

    country: str
    subdivision: str | None = None
    categories: tuple[str, ...] = Field((), max_length=20)
    observed: StrictBool = True


class WrittenCalendar(Part):
    """The two forms; exactly one of them is given."""

    dates: list[JsonValue] | None = None
    holidays: CountryHolidays | None = None


def read_written(raw: bytes) -> tuple[Content | None, Sequence[Problem]]:
    """What a YAML or JSON text says, or everything that is wrong with it."""
    if not raw.strip():
        return None, [Problem("document", "is empty", "write 'dates: [2026-12-25]'", "syntax")]
    document, problems = read_document(raw)
    if document is None or problems:
        return None, problems
    report = Report(document)
    try:
        content = _read(document, report)
    except EnoughError:
        content = None
    return (None if report.problems else content), report.problems


def _read(document: Document, report: Report) -> Content | None:
    written = check_shape(WrittenCalendar, document.value, report)
    if written is None:
        return None
    if (written.dates is None) == (written.holidays is None):
        report.add((), "a calendar has either 'dates' or 'holidays'", "such as 'dates: [2026-12-25]'")
        return None
    if written.holidays is not None:
        return _holidays(written.holidays, report)
    return _listed(written.dates or [], report)


def _holidays(wanted: CountryHolidays, report: Report) -> HolidaysContent | None:
    path: Path = ("holidays",)
    country = wanted.country.upper()
    if country not in countries():
        hint = did_you_mean(country[:40], countries()) or "write an ISO 3166 code, such as GB"
        report.add((*path, "country"), f"no holidays are known for '{wanted.country[:40]}'", hint)
        return None
    parts = countries()[country]
    if wanted.subdivision is not None and wanted.subdivision not in parts:
        hint = did_you_mean(wanted.subdivision[:40], parts) or known_hint("subdivisions", parts)
        report.add((*path, "subdivision"), f"{country} has no subdivision '{wanted.subdivision[:40]}'", hint)
    known = categories(country)
    for index, name in enumerate(wanted.categories):
        if name not in known:
            hint = did_you_mean(name[:40], known) or known_hint("categories", known)
            report.add((*path, "categories", index), f"{country} has no category '{name[:40]}'", hint)
    return HolidaysContent(**{**wanted.model_dump(), "country": country})


def _listed(items: Sequence[JsonValue], report: Report) -> ListedContent:
    days: dict[date, str] = {}
    for index, item in enumerate(items):
        for day, name in _days(item, ("dates", index), report):
            days[day] = days.get(day) or name
            if len(days) > MAX_DAYS:
                report.add(("dates", index), f"more than {MAX_DAYS} dates", "split the calendar", "limit")
                return ListedContent(days={})
    return ListedContent(days=days)


def _days(item: JsonValue, path: Path, report: Report) -> Iterator[tuple[date, str]]:
    """The dates of an item: a text, or a mapping with a name."""
    if isinstance(item, str):
        first, _, last = (part.strip() for part in item.partition(" to "))
        yield from ((day, "") for day in _range(first, last or first, path, path, report))
        return
    if not isinstance(item, dict):
        report.add(path, "must be a date or a mapping", "such as 2026-12-25, or {date: 2026-12-25, name: …}")
        return
    named = check_shape(NamedDates, item, report, path)
    if named is None:
        return
    if (named.date is None) == (named.first is None) or (named.first is None) != (named.last is None):
        report.add(path, "needs either 'date', or 'from' and 'to'")
        return
    if named.date is not None:
        days = _range(named.date, named.date, (*path, "date"), (*path, "date"), report)
    else:
        days = _range(named.first or "", named.last or "", (*path, "from"), (*path, "to"), report)
    yield from ((day, named.name) for day in days)


def _range(first: str, last: str, begin: Path, end: Path, report: Report) -> Sequence[date]:
    start = _date(first, begin, report)
    stop = start if (last, end) == (first, begin) else _date(last, end, report)
    if start is None or stop is None:
        return ()
    if stop < start:
        report.add(end, f"{stop} is before {start}")
        return ()
    length = min((stop - start).days, MAX_DAYS) + 1  # one more than allowed is refused by the caller
    return [start + timedelta(days=number) for number in range(length)]


def _date(text: str, path: Path, report: Report) -> date | None:
    try:
        day = date.fromisoformat(text if len(text) == 10 else "")
    except ValueError:
        report.add(path, f"'{text[:40]}' is not a date", "write it such as 2026-12-25")
        return None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        report.add(path, f"the year {day.year} is outside {FIRST_YEAR} to {LAST_YEAR}")
        return None
    return day
