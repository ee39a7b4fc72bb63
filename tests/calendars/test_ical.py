import time
from datetime import date

import pytest

from cronny.calendars import dates_of, read_calendar
from tests.calendars.reading import dates, ical, problems

LONDON = "X-WR-TIMEZONE:Europe/London\n"
ENDLESS_ZONE = """BEGIN:VTIMEZONE
TZID:Hell
BEGIN:STANDARD
DTSTART:19700101T000000
RRULE:FREQ=SECONDLY
TZOFFSETFROM:+0000
TZOFFSETTO:+0000
END:STANDARD
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ("DTSTART;VALUE=DATE:20261225", ["12-25"]),
        ("DTSTART;VALUE=DATE:20261225 DTEND;VALUE=DATE:20261227", ["12-25", "12-26"]),
        ("DTSTART;VALUE=DATE:20261225 DTEND;VALUE=DATE:20261225", ["12-25"]),
        ("DTSTART;VALUE=DATE:20261225 DURATION:P3D", ["12-25", "12-26", "12-27"]),
        ("DTSTART;TZID=America/New_York:20261224T230000 DURATION:PT2H", ["12-24", "12-25"]),
        ('DTSTART;TZID="W. Europe":20261224T220000 DURATION:PT2H', ["12-24"]),
        ("DTSTART:20261224T233000Z", ["12-24"]),
        ("DTSTART;VALUE=DATE:20261224 RDATE;VALUE=DATE:20261231,20261230", ["12-24", "12-30", "12-31"]),
        ("DTSTART;VALUE=DATE:20261224 STATUS:CANCELLED", []),
        ("DTSTART;VALUE=DATE:20261225 TRANSP:TRANSPARENT", ["12-25"]),
    ],
)
def test_an_event_covers_the_dates_on_its_own_clocks(event: str, found: list[str]) -> None:
    assert dates(ical(event.replace("W. Europe", "W.Europe"))) == [f"2026-{day}" for day in found]


def test_instants_in_utc_are_read_on_the_clocks_of_the_calendar() -> None:
    event = "DTSTART:20260701T233000Z DTEND:20260702T010000Z"
    assert dates(ical(event, head=LONDON)) == ["2026-07-02"]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("FREQ=YEARLY", ["2026-01-05"]),
        ("FREQ=DAILY;COUNT=3", ["2026-01-05", "2026-01-06", "2026-01-07"]),
        ("FREQ=DAILY;UNTIL=20260106T235959Z", ["2026-01-05", "2026-01-06"]),
        ("FREQ=WEEKLY;INTERVAL=20;BYDAY=MO,TU", [
            "2026-01-05", "2026-01-06", "2026-05-25", "2026-05-26", "2026-10-12", "2026-10-13",
        ]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["2026-01-30", "2026-02-27"]),
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,-1", ["2026-12-24", "2026-12-31"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;UNTIL=20260301", ["2026-01-30", "2026-02-27"]),
    ],
)  # fmt: skip
def test_an_event_recurs(rule: str, found: list[str]) -> None:
    assert dates(ical(f"DTSTART;VALUE=DATE:20260105 RRULE:{rule}")) == found


def test_a_recurring_event_goes_on_for_decades_and_lasts_its_days() -> None:
    event = "DTSTART;VALUE=DATE:16041231 DTEND;VALUE=DATE:16050102 RRULE:FREQ=YEARLY"
    assert dates(ical(event), "2098-12-31", "2099-12-30") == ["2098-12-31", "2099-01-01"]


def test_single_days_of_a_recurring_event_are_left_out_and_moved() -> None:
    text = ical(
        "UID:1 DTSTART:20260105T090000 RRULE:FREQ=WEEKLY;COUNT=4 EXDATE:20260112T090000",
        "UID:1 RECURRENCE-ID:20260119T090000 DTSTART:20260120T090000",
        "UID:2 RECURRENCE-ID:20260126T090000 DTSTART:20260301T090000",
    )
    assert dates(text) == ["2026-01-05", "2026-01-20", "2026-01-26", "2026-03-01"]


def test_lines_are_unfolded_and_names_are_plain() -> None:
    text = "BEGIN:VEVENT\r\nDTSTART:2026\r\n 1225\r\nSUMMARY:Rest\\, and \r\n\tquiet\\nnow\r\nEND:VEVENT"
    content, _ = read_calendar(f"BEGIN:VCALENDAR\r\n{text}\r\nEND:VCALENDAR".encode())
    assert content is not None
    found = dates_of(content).between(date(2026, 12, 1), date(2026, 12, 31))
    assert list(found) == [(date(2026, 12, 25), "Rest, and quiet now")]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ("SUMMARY:x", "3:1: VEVENT[0].DTSTART: an event needs a DTSTART"),
        ("DTSTART:soon", "4:1: VEVENT[0].DTSTART: 'soon' cannot be read; "
         "write a date such as 20261225 or 20261225T090000Z, a duration such as P1D"),
        ("DTSTART:P1D", "4:1: VEVENT[0].DTSTART: 'P1D' is not a date; write it such as 20261225"),
        ("DTSTART:00010101", "4:1: VEVENT[0].DTSTART: the year 1 is outside 1583 to 2999"),
        ("DTSTART:20260102 DTEND:20260101", "5:1: VEVENT[0].DTEND: the event ends before it begins"),
        ("DTSTART:20260102 DTEND:20990101", "5:1: VEVENT[0].DTEND: the event lasts more than 1000 days"),
        ("DTSTART:20260102 DURATION:P99999999D",
         "5:1: VEVENT[0].DURATION: the event lasts more than 1000 days"),
        ("DTSTART:20260102 DURATION:-P1D", "5:1: VEVENT[0].DURATION: the event ends before it begins"),
        ("DTSTART:20260102 RRULE:FREQ=HOURLY",
         "5:1: VEVENT[0].RRULE: FREQ is 'HOURLY'; it may be DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("DTSTART:20260102 RRULE:FREQ=DAILY;INTERVAL=0",
         "5:1: VEVENT[0].RRULE: INTERVAL=0 is outside 1 to 10000"),
        ("DTSTART:20260102 RRULE:FREQ=DAILY;COUNT=99999999",
         "5:1: VEVENT[0].RRULE: COUNT=99999999 is outside 1 to 10000"),
        ("DTSTART:20260102 RRULE:FREQ=YEARLY;BYWEEKNO=3", "5:1: VEVENT[0].RRULE: 'BYWEEKNO' is not "
         "supported; days are told by BYMONTH, BYMONTHDAY, BYDAY and BYSETPOS"),
        ("DTSTART:20260102 RRULE:FREQ=WEEKLY;BYDAY=1MO", "5:1: VEVENT[0].RRULE: BYDAY=1MO does not go "
         "with FREQ=WEEKLY; only a month or a year has a first or last one"),
        ("DTSTART:20260102 RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270101",
         "5:1: VEVENT[0].RRULE: has both UNTIL and COUNT; leave one out"),
        ("DTSTART:19000102 RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1",
         "5:1: VEVENT[0].RRULE: COUNT=1 is not reached in 20 years"),
        ("DTSTART:20260102 EXRULE:FREQ=DAILY",
         "5:1: VEVENT[0].EXRULE: not supported; leave dates out with EXDATE"),
    ],
)  # fmt: skip
def test_a_problem_is_told_at_its_line(event: str, problem: str) -> None:
    assert problems(ical(event)) == [problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("BEGIN:VCALENDAR", "1:1: document: the file ends inside VCALENDAR; it is cut off"),
        ("BEGIN:VCALENDAR\nEND:VEVENT", "2:1: END: 'VEVENT' does not end here; here ends VCALENDAR"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\nX:1", "3:1: document: this line is in no component"),
    ],
)
def test_a_file_that_does_not_hang_together_is_refused(text: str, problem: str) -> None:
    assert problems(text) == [problem]


@pytest.mark.parametrize("text", [b"BEGIN:VCALENDAR\n\xff", b"BEGIN:VCALENDAR\n\0"])
def test_what_is_no_text_is_refused_at_its_line(text: bytes) -> None:
    assert problems(text)[0].startswith("2:1: document: ")


COUNTED = "DTSTART:20000101 RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=9"
HOSTILE = {
    "never": ical(*[COUNTED] * 3000),
    "nested": "BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\n" * 38_000,
    "closed": "BEGIN:VCALENDAR\n" + "BEGIN:X\n" * 20_000 + "END:X\n" * 20_000 + "END:VCALENDAR",
    "long": ical(*["DTSTART:20260101 DURATION:P999D"] * 8000),
    "daily": ical(*["DTSTART:20260101 RRULE:FREQ=DAILY"] * 8000),
    "overlapping": ical(*["DTSTART:20260101 DURATION:P900D RRULE:FREQ=DAILY"] * 100),
    "dates": ical("DTSTART:20260101 RDATE:" + ",".join(["20260101"] * 50_000)),
    "values": ical("DTSTART:20260101 RRULE:FREQ=YEARLY;BYMONTHDAY=" + ",".join(["1"] * 100_000)),
    "parameters": ical("DTSTART" + ";A=B" * 100_000 + ":20260101"),
    "quotes": ical('DTSTART;A="' + '"' * 300_000),
    "folded": "BEGIN:VCALENDAR\n" + " x\n" * 150_000,
    "rubbish": "BEGIN:VCALENDAR\n" + "ä:;\n" * 90_000,
    "zone": ical("DTSTART;TZID=Hell:20260101T000000", head=ENDLESS_ZONE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_costs_little_time(name: str) -> None:
    began = time.process_time()
    read_calendar(HOSTILE[name].encode()[: 512 * 1024])
    assert time.process_time() - began < 4


@pytest.mark.parametrize(
    ("events", "what"),
    [
        (["DTSTART:20260101"] * 5001, "more than 5000 events"),
        ([f"DTSTART:{year}0101 DURATION:P366D" for year in range(2000, 2040)], "more than 10000 dates"),
        (["DTSTART:20260101 RRULE:FREQ=YEARLY"] * 201, "more than 200 events that recur"),
        (["DTSTART:20260101 RRULE:FREQ=DAILY;COUNT=2"] * 51, "more than 50 events end by a COUNT"),
        (["DTSTART:20260101 RRULE:FREQ=DAILY"] * 11, "events that recur cover more than 3660 days a year"),
    ],
)
def test_a_file_has_its_limits(events: list[str], what: str) -> None:
    (problem,) = problems(ical(*events))
    assert what in problem
