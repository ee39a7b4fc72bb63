from datetime import timedelta

import pytest

from cronny.why import Span, read_asked
from dsl.zones import zone
from tests.why.samples import instant

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "first", "length"),
    [
        ("2026-11-24", "2026-11-24T00:00", 24 * HOUR),
        ("2026-03-29", "2026-03-29T00:00", 23 * HOUR),
        ("2026-10-25", "2026-10-24T23:00", 25 * HOUR),
        ("2026-06-01 09:00", "2026-06-01T08:00", MINUTE),
        ("2026-06-01T09:00", "2026-06-01T08:00", MINUTE),
        ("2026-06-01T09:00:30", "2026-06-01T08:00:30", timedelta(seconds=1)),
        ("2026-06-01T09:00Z", "2026-06-01T09:00", MINUTE),
        ("2026-06-01T09:00:00+02:00", "2026-06-01T07:00", timedelta(seconds=1)),
        ("2026-06-01T09:00:00 02:00", "2026-06-01T07:00", timedelta(seconds=1)),
        ("2026-06-01T09:00:00.250000z", "2026-06-01T09:00:00.250", timedelta(microseconds=1)),
    ],
)
def test_a_text_names_a_day_a_minute_a_second_or_an_instant(text: str, first: str, length: timedelta) -> None:
    begin = instant(first)
    assert read_asked(text, zone("Europe/London")).spans == (Span(begin, begin + length),)


def test_a_wall_time_that_clocks_show_twice_has_two_instants() -> None:
    asked = read_asked("2026-10-25 01:30", zone("Europe/London"))
    begins = [instant("2026-10-25T00:30"), instant("2026-10-25T01:30")]
    assert asked.spans == tuple(Span(begin, begin + MINUTE) for begin in begins)


def test_a_wall_time_that_clocks_skip_is_where_they_go_on() -> None:
    asked = read_asked("2026-03-29 01:30", zone("Europe/London"))
    assert (asked.first, asked.gap is not None) == (instant("2026-03-29T01:00"), True)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "now",
            "2026-02-30",
            "2026-11-24 25:00",
            "2026-11-24 09",
            "24.11.2026",
            "0001-01-01",
            "9999-12-31",
        )
    ],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_asked(text, zone("Europe/London"))
