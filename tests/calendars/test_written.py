from datetime import date

import pytest

from cronny.calendars import dates_of, load_content, read_calendar
from cronny.errors import Conflict
from tests.calendars.reading import dates, problems


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("dates: [2026-12-25]", ["2026-12-25"]),
        ('{"dates": ["2026-12-25", "2026-12-25"]}', ["2026-12-25"]),
        ("dates:\n  - 2026-02-27 to 2026-03-01", ["2026-02-27", "2026-02-28", "2026-03-01"]),
        ("dates: [{date: 2026-12-25, name: Christmas}]", ["2026-12-25"]),
        ("dates: [{from: 2026-12-30, to: 2027-01-02}]", ["2026-12-30", "2026-12-31"]),
        ("dates: []", []),
    ],
)
def test_dates_are_read(text: str, found: list[str]) -> None:
    assert dates(text) == found


def test_names_are_kept() -> None:
    content, _ = read_calendar(b"dates: [2026-12-25, {from: 2026-12-24, to: 2026-12-25, name: Christmas}]")
    assert content is not None
    found = list(dates_of(content).between(date(2026, 1, 1), date(2026, 12, 31)))
    assert found == [(date(2026, 12, 24), "Christmas"), (date(2026, 12, 25), "Christmas")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "{country: GB, subdivision: ENG}",
            ["01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-26", "12-28"],
        ),
        ("{country: gb, subdivision: ENG, observed: false}", [
            "01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-26",
        ]),
        ("{country: DE, categories: [catholic], subdivision: SN}", ["06-04"]),
    ],
)  # fmt: skip
def test_public_holidays_are_those_of_the_country(text: str, found: list[str]) -> None:
    assert dates(f"holidays: {text}") == [f"2026-{day}" for day in found]


def test_what_was_read_is_the_same_after_it_was_kept() -> None:
    content, _ = read_calendar(b"holidays: {country: GB, subdivision: SCT}")
    assert content is not None
    assert load_content(content.model_dump(mode="json")) == content


def test_what_another_version_has_kept_is_no_accident() -> None:
    with pytest.raises(Conflict, match="set it again"):
        load_content({"kind": "moon"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: document: is empty; write 'dates: [2026-12-25]'"),
        ("{}", "1:1: document: a calendar has either 'dates' or 'holidays'; such as 'dates: [2026-12-25]'"),
        ("datse: []", "1:1: datse: there is no such field; did you mean 'dates'?"),
        ("dates: [2026-02-30]", "1:9: dates[0]: '2026-02-30' is not a date; write it such as 2026-12-25"),
        ("dates: [20260101]", "1:9: dates[0]: must be a date or a mapping; "
         "such as 2026-12-25, or {date: 2026-12-25, name: …}"),
        ("dates:\n- 2026-03-02 to 2026-03-01", "2:3: dates[0]: 2026-03-01 is before 2026-03-02"),
        ("dates: [{name: x}]", "1:9: dates[0]: needs either 'date', or 'from' and 'to'"),
        ("dates: [{from: 2026-03-02}]", "1:9: dates[0]: needs either 'date', or 'from' and 'to'"),
        ("dates: [1969-12-31]", "1:9: dates[0]: the year 1969 is outside 1970 to 2999"),
        ("dates: [1970-01-01 to 2999-12-31]", "1:9: dates[0]: more than 10000 dates; split the calendar"),
        ("holidays: {country: XX}", "1:21: holidays.country: no holidays are known for 'XX'; "
         "write an ISO 3166 code, such as GB"),
        ("holidays: {country: GB, subdivision: EGN}",
         "1:38: holidays.subdivision: GB has no subdivision 'EGN'; did you mean 'ENG'?"),
        ("holidays: {country: GB, categories: [bank]}",
         "1:38: holidays.categories[0]: GB has no category 'bank'; the categories are public"),
    ],
)  # fmt: skip
def test_a_problem_is_told_at_its_place(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_every_problem_is_told() -> None:
    assert len(problems("dates: [x, 2026-01-01, y, {date: z}]")) == 3


def test_problems_without_end_are_cut_off() -> None:
    assert len(problems("dates: [" + "x," * 10_000 + "]")) == 1000


def test_a_text_that_is_too_large_is_not_read() -> None:
    assert problems("dates: [" + " " * (512 * 1024) + "]") == ["1:1: document: larger than 512 KiB"]
